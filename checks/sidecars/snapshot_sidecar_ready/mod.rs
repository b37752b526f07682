//! Whether the csi-snapshotters are ready.

use crate::knowledge::control_plane::beside::alone;
use crate::knowledge::control_plane::containers::is_csi_snapshotter;
use crate::knowledge::control_plane::each_sidecar::each;
use crate::knowledge::control_plane::readiness::readiness;
use crate::knowledge::control_plane::trouble::is_lasting;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;
use crate::sidecars::SIGNS;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR122",
    slug: "snapshot-sidecar-ready",
    title: "Each csi-snapshotter is ready",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: SIGNS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    each(facts, findings, "csi-snapshotter", is_csi_snapshotter, |running, covered| {
        let finding = alone(running, covered).unwrap_or_else(|| readiness(running, "csi-snapshotter", covered));
        if is_lasting(running) { finding.strands() } else { finding }
    });
}
