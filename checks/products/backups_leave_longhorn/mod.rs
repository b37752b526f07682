//! Whether Longhorn has a place outside the cluster for its backups.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::products::longhorn::{BACKUP_TARGET, PRODUCT};
use crate::products::objects::{about, evidence, of_asked, place};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR615",
    slug: "backups-leave-longhorn",
    title: "Longhorn has a backup target that is available",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::ProductObjects],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(targets) = of_asked(facts, &PRODUCT, |product| *product == PRODUCT, &BACKUP_TARGET, findings) else {
        return;
    };
    let set = targets.iter().filter(|target| target.one("spec.backupTargetURL").is_some_and(|url| !url.is_empty()));
    let mut is_set = false;
    for target in set {
        is_set = true;
        let place = place(target);
        findings.push(
            if target.is_on("status.available") {
                Finding::new(Status::Pass, format!("BackupTarget {place} is available")).evidence(evidence(
                    &BACKUP_TARGET,
                    target,
                    "status.available",
                    "true",
                ))
            } else {
                let message = target.one("status.conditions.[type=Unavailable].message").unwrap_or("no message");
                Finding::new(Status::Fail, format!("BackupTarget {place} is not available: {message}"))
                    .evidence(evidence(&BACKUP_TARGET, target, "status.available", "false"))
                    .cause("A snapshot of a class with type: bak is a backup, and fails without its target.")
                    .fix(Fix::text("Look at the URL and the secret.").commands(about(
                        &BACKUP_TARGET,
                        target,
                        "describe",
                    )))
            }
            .target(place),
        );
    }
    if !is_set {
        findings.push(
            Finding::new(Status::Fail, "Longhorn has no backup target: no BackupTarget has a URL")
                .evidence(targets.first().map_or_else(
                    || Evidence::cluster("BackupTarget", "default", "spec.backupTargetURL", "no such object"),
                    |target| evidence(&BACKUP_TARGET, target, "spec.backupTargetURL", "empty"),
                ))
                .cause("A snapshot of a class with type: bak is a backup, and fails without its target.")
                .fix(
                    Fix::text("Set the target in Longhorn's settings: an NFS share or a bucket, with its secret.")
                        .command(kubectl("-n longhorn-system edit backuptargets.longhorn.io default")),
                ),
        );
    }
}
