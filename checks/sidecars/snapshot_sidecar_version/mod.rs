//! Whether each csi-snapshotter's version fits the CRDs and is free of bugs that bite.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;
use crate::sidecars::SIGNS;
use crate::sidecars::mapping::{is_csi_snapshotter, sidecars};
use crate::skew::assess;
use crate::version::Component;

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
    let all = sidecars(facts, is_csi_snapshotter);
    if all.is_empty() {
        findings.skip("no csi-snapshotter is visible");
    }
    for sidecar in &all {
        // Several workloads for one driver (one per node) are told apart by their places.
        let target = match sidecar.drivers.as_slice() {
            [driver] if all.iter().filter(|other| other.drivers == sidecar.drivers).count() == 1 => driver.clone(),
            _ => sidecar.running.place(),
        };
        findings.push(assess(facts, Component::CsiSnapshotter, &sidecar.running).target(target));
    }
}
