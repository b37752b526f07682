//! Whether each csi-provisioner's version fits the CRDs and is free of bugs that bite.

use crate::knowledge::control_plane::containers::is_csi_provisioner;
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
    id: "SR124",
    slug: "provisioner-version",
    title: "Each csi-provisioner's version fits the CRDs",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: SIGNS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    each(facts, findings, "csi-provisioner", is_csi_provisioner, |running, _| {
        assess(facts, Component::CsiProvisioner, running)
    });
}
