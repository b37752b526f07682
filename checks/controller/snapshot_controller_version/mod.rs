//! Whether the snapshot-controller's version fits the CRDs and is free of bugs that bite.

use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::running::running;
use crate::knowledge::control_plane::skew::assess;
use crate::knowledge::version::Component;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR114",
    slug: "snapshot-controller-version",
    title: "The snapshot-controller's version fits the CRDs",
    group: Group::Controller,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: &[Need::Workloads, Need::SnapshotApis, Need::CustomResourceDefinitions, Need::ServerVersion],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let installations = running(facts, is_snapshot_controller);
    if installations.is_empty() {
        findings.skip("no snapshot-controller is visible");
    }
    for installation in &installations {
        let finding = assess(facts, Component::SnapshotController, installation);
        findings.push(if installations.len() > 1 { finding.target(installation.place()) } else { finding });
    }
}
