//! Whether the snapshot-controller is ready.

use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::readiness::readiness;
use crate::knowledge::control_plane::running::{Running, running};
use crate::knowledge::control_plane::trouble::{TroubleKind, trouble};
use crate::knowledge::crds::{NEEDED, crd_evidence, install, installed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings};
use crate::model::kubernetes::ContainerStatus;
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR112",
    slug: "snapshot-controller-ready",
    title: "The snapshot-controller is ready",
    group: Group::Controller,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: &[Need::Workloads, Need::Nodes, Need::CustomResourceDefinitions, Need::ServerVersion],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let installations = running(facts, is_snapshot_controller);
    if installations.is_empty() {
        findings.skip("no snapshot-controller is visible");
        return;
    }
    let any_ready = installations.iter().any(|installation| installation.ready > 0);
    for installation in &installations {
        // One that is not ready beside one that is stops nothing.
        let finding = readiness(installation, "snapshot-controller", any_ready);
        let finding = if exits_for_want_of_crds(facts, installation) { no_crds(facts, finding) } else { finding };
        findings.push(if installations.len() > 1 { finding.target(installation.place()) } else { finding });
    }
}

/// Since 4.1 a snapshot-controller exits with 1 at startup if it cannot list the objects of the three CRDs (`main.go`,
/// `ensureCustomResourceDefinitionsExist`).
fn exits_for_want_of_crds(facts: &Facts, running: &Running<'_>) -> bool {
    let is_missing = facts.custom_resource_definitions.seen().is_some() && installed(facts).len() < NEEDED.len();
    let exits = |status: &ContainerStatus| !status.ready && status.ended().is_some_and(|ended| ended.exit_code == 1);
    let says_nothing_else = trouble(running).is_some_and(|trouble| trouble.kind == TroubleKind::Other);
    is_missing && says_nothing_else && running.statuses().any(|(_, status)| exits(status))
}

fn no_crds(facts: &Facts, finding: Finding) -> Finding {
    let there: Vec<&str> = installed(facts).iter().map(|crd| crd.metadata.name.as_str()).collect();
    let absent = NEEDED.iter().filter(|name| !there.contains(*name));
    let finding =
        absent.fold(finding, |finding, name| finding.evidence(crd_evidence(name, "metadata.name", "not found")));
    finding
        .cause("It exits at startup because the snapshot CRDs are missing; it starts by itself once they are there.")
        .fix(install(facts, "Install the CRDs."))
        .follows_from("SR102", None)
}
