//! Whether each csi-snapshotter's version fits the CRDs and is free of bugs that bite.

use crate::knowledge::control_plane::containers::is_csi_snapshotter;
use crate::knowledge::control_plane::each_sidecar::each;
use crate::knowledge::control_plane::skew::assess;
use crate::knowledge::version::Component;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;
use crate::sidecars::SIGNS;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR123",
    slug: "snapshot-sidecar-version",
    title: "Each csi-snapshotter's version fits the CRDs",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: SIGNS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    each(facts, findings, "csi-snapshotter", is_csi_snapshotter, |running, _| {
        assess(facts, Component::CsiSnapshotter, running)
    });
}
