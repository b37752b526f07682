//! Whether the CRDs of group snapshots, which are optional, are whole where they are installed.

use crate::knowledge::certificates::{Trust, trust};
use crate::knowledge::crds::release::of_group_contents;
use crate::knowledge::crds::{crd, crd_evidence};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::CustomResourceDefinition;
use crate::model::need::Need;
use crate::model::object::GROUP_SNAPSHOT_GROUP;
use crate::text::names::safe;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR107",
    slug: "group-snapshot-crds",
    title: "The CRDs of group snapshots, where installed, are whole",
    group: Group::Api,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::CustomResourceDefinitions],
    uses: &[Need::WebhookServices],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

const NAMES: [&str; 3] = ["volumegroupsnapshots", "volumegroupsnapshotcontents", "volumegroupsnapshotclasses"];
const INSTALL: &str = "Install all three CRDs of groupsnapshot.storage.k8s.io of the controller's release.";

fn run(facts: &Facts, findings: &mut Findings) {
    let names = NAMES.map(|name| format!("{name}.{GROUP_SNAPSHOT_GROUP}"));
    let [_, contents, _] = &names;
    let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| crd(facts, name).is_none()).collect();
    let Some(contents) = crd(facts, contents).filter(|_| missing.is_empty()) else {
        if missing.len() == NAMES.len() {
            findings.skip("group snapshots are optional, and their CRDs are not installed");
            return;
        }
        let finding = Finding::new(
            Status::Warn,
            format!("of the group snapshot CRDs these are missing: {}", list(missing.iter().copied())),
        )
        .cause("An installation stopped halfway; a controller with group snapshots switched on does not start.")
        .fix(Fix::text(INSTALL));
        findings.push(
            missing
                .iter()
                .fold(finding, |finding, name| finding.evidence(crd_evidence(name, "metadata.name", "not found"))),
        );
        return;
    };
    let release = of_group_contents(contents);
    let name = &contents.metadata.name;
    match conversion(facts, contents) {
        Some(why) => findings.push(
            Finding::new(Status::Warn, format!("{name} converts versions through a webhook that cannot be called"))
                .evidence(crd_evidence(name, "spec.conversion.webhook.clientConfig", why))
                .cause(
                    "Releases 8.4 and 8.5 ship the webhook without its service and certificate. Group snapshots stored in another \
                     version cannot be read, and whoever lists them fails.",
                )
                .fix(
                    Fix::text("Install the CRDs of 8.6 or later, which need no webhook, or set up the conversion webhook.")
                        .command(kubectl("get crd").word(safe(name, "CRD")).words("-o yaml")),
                ),
        ),
        None => findings.pass(format!("the group snapshot CRDs are of external-snapshotter {release}")),
    }
}

/// Why the conversion webhook of a CRD cannot be called; `None` if it can, or there is none.
fn conversion(facts: &Facts, definition: &CustomResourceDefinition) -> Option<String> {
    let config = definition.spec.pointer("/conversion/webhook/clientConfig")?;
    let service = definition.conversion_service();
    let place = service.as_ref().map_or_else(|| "?".to_owned(), |one| format!("{}/{}", one.namespace, one.name));
    match trust(config.get("caBundle").and_then(serde_json::Value::as_str), facts.collected_at) {
        Trust::None => return Some(format!("service {place} without caBundle")),
        Trust::Empty => return Some(format!("no certificate in the caBundle for service {place}")),
        Trust::Expired(end) => {
            return Some(format!("the certificates in the caBundle for service {place} ended at {end}"));
        }
        Trust::EndsSoon(_) | Trust::Valid | Trust::Unreadable => {}
    }
    let states = facts.webhook_services.seen()?;
    let state = states.iter().find(|state| Some(&state.service) == service.as_ref())?;
    match (state.exists.seen(), state.ready.seen()) {
        (Some(false), _) => Some(format!("service {place} does not exist")),
        (_, Some(0)) => Some(format!("service {place} has no ready endpoints")),
        _ => None,
    }
}
