//! Whether the csi-snapshotters are ready.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;
use crate::running::readiness;
use crate::sidecars::SIGNS;
use crate::sidecars::each::each;
use crate::sidecars::mapping::is_csi_snapshotter;

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
        readiness(running, "csi-snapshotter", covered)
    });
}
