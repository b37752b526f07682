//! Whether Velero has a place to put backups.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::products::ProductObject;
use crate::products::objects::{about, evidence, of_asked, place};
use crate::products::velero::server::{Server, servers};
use crate::products::velero::{BACKUP_STORAGE_LOCATION, PRODUCT, is_inside};
use crate::text::names::is_object_name;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR612",
    slug: "velero-has-a-location",
    title: "Velero's BackupStorageLocation is available",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::ProductObjects],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(locations) = of_asked(facts, &PRODUCT, is_inside, &BACKUP_STORAGE_LOCATION, findings) else { return };
    let mut by_namespace: BTreeMap<&str, Vec<&ProductObject>> = BTreeMap::new();
    for location in locations {
        by_namespace.entry(location.metadata.namespace.as_deref().unwrap_or_default()).or_default().push(location);
    }
    let servers = servers(facts);
    let namespaces: BTreeSet<&str> = servers.iter().map(Server::namespace).collect();
    for server in &servers {
        if !by_namespace.contains_key(server.namespace()) {
            findings.push(none(server));
        }
    }
    for (namespace, locations) in &by_namespace {
        // Velero looks in its own namespace only; without a server in sight any may be one.
        if namespaces.is_empty() || namespaces.contains(namespace) {
            look(namespace, locations, findings);
        }
    }
    if servers.is_empty() && by_namespace.is_empty() {
        findings.skip("there is no BackupStorageLocation, and no server of Velero is visible");
    }
}

fn none(server: &Server<'_>) -> Finding {
    let place = server.place();
    let namespace = server.namespace();
    Finding::new(Status::Fail, format!("Velero of {place} has no BackupStorageLocation"))
        .target(place)
        .evidence(Evidence::namespaced(
            "Deployment",
            namespace,
            &server.workload.metadata.name,
            "metadata.namespace",
            namespace,
        ))
        .cause("A backup without a place to go to fails its validation.")
        .fix(
            Fix::text("Create one: velero backup-location create default --provider ... --bucket ... --default")
                .commands(
                    is_object_name(namespace)
                        .then(|| kubectl("-n").word(namespace).words("get backupstoragelocations.velero.io")),
                ),
        )
}

fn look(namespace: &str, locations: &[&ProductObject], findings: &mut Findings) {
    // The server takes the one that is marked, else the one with this name (velero server --default-backup-storage-location).
    let is_default = |location: &&&ProductObject| location.is_on("spec.default");
    let default = locations.iter().find(is_default);
    let default = default.or_else(|| locations.iter().find(|location| location.metadata.name == "default"));
    for location in locations {
        findings.push(judge(location, default.is_some_and(|default| default.metadata.name == location.metadata.name)));
    }
    if let (None, Some(first)) = (default, locations.first()) {
        findings.push(
            Finding::new(Status::Warn, format!("no BackupStorageLocation of {namespace} is the default"))
                .target(format!("{namespace} default"))
                .evidence(evidence(&BACKUP_STORAGE_LOCATION, first, "spec.default", "not true"))
                .cause("Backups and schedules that name none fail their validation.")
                .fix(Fix::text("Make one the default.").commands(about(
                    &BACKUP_STORAGE_LOCATION,
                    first,
                    "patch --type=merge -p {\"spec\":{\"default\":true}}",
                ))),
        );
    }
}

fn judge(location: &ProductObject, is_default: bool) -> Finding {
    let kind = &BACKUP_STORAGE_LOCATION;
    let place = place(location);
    let role = if is_default { "the default" } else { "not the default" };
    let read_only = location.one("spec.accessMode") == Some("ReadOnly");
    let finding = match location.one("status.phase") {
        Some("Available") if read_only && is_default => Finding::new(
            Status::Fail,
            format!("BackupStorageLocation {place}, {role}, is read-only: no backup can be written"),
        )
        .evidence(evidence(kind, location, "spec.accessMode", "ReadOnly"))
        .cause("accessMode ReadOnly is meant for restores.")
        .fix(Fix::text("Set accessMode: ReadWrite.").commands(about(kind, location, "edit"))),
        Some("Available") => Finding::new(Status::Pass, format!("BackupStorageLocation {place}, {role}, is available"))
            .evidence(evidence(kind, location, "status.phase", "Available")),
        Some(phase) => {
            let message = location.one("status.message").unwrap_or("no message");
            let status = if is_default { Status::Fail } else { Status::Warn };
            Finding::new(status, format!("BackupStorageLocation {place}, {role}, is {phase}: {message}"))
                .evidence(evidence(kind, location, "status.phase", phase))
                .evidence(evidence(kind, location, "status.message", message))
                .cause("Velero cannot reach the bucket, or may not use it; backups to it fail.")
                .fix(
                    Fix::text("Look at the bucket, the credentials and the endpoint.")
                        .commands(about(kind, location, "describe")),
                )
        }
        None => Finding::new(
            Status::Unknown,
            format!("BackupStorageLocation {place}, {role}, was not validated yet: it has no status.phase"),
        )
        .evidence(evidence(kind, location, "status.phase", "nothing")),
    };
    finding.target(place)
}
