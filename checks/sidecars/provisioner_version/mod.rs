//! Whether each csi-provisioner's version fits the CRDs and is free of bugs that bite.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;
use crate::sidecars::SIGNS;
use crate::sidecars::mapping::{is_csi_provisioner, sidecars};
use crate::skew::assess;
use crate::version::Component;

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
    let all = sidecars(facts, is_csi_provisioner);
    if all.is_empty() {
        findings.skip("no csi-provisioner is visible");
    }
    for sidecar in &all {
        // Several workloads for one driver (one per node) are told apart by their places.
        let target = match sidecar.drivers.as_slice() {
            [driver] if all.iter().filter(|other| other.drivers == sidecar.drivers).count() == 1 => driver.clone(),
            _ => sidecar.running.place(),
        };
        findings.push(assess(facts, Component::CsiProvisioner, &sidecar.running).target(target));
    }
}
