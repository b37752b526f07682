//! Whether the snapshot-controller is ready.

use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::readiness::readiness;
use crate::knowledge::control_plane::running::running;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
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
    uses: &[Need::Workloads],
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
        findings.push(if installations.len() > 1 { finding.target(installation.place()) } else { finding });
    }
}
