//! Whether the csi-snapshotters are ready.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;
use crate::running::readiness;
use crate::sidecars::SIGNS;
use crate::sidecars::mapping::{is_csi_snapshotter, sidecars};

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
    let all = sidecars(facts, is_csi_snapshotter);
    if all.is_empty() {
        findings.skip("no csi-snapshotter is visible");
    }
    for sidecar in &all {
        let same = |other: &&crate::sidecars::mapping::Sidecar<'_>| {
            other.drivers.iter().any(|driver| sidecar.drivers.contains(driver))
        };
        let covered = all.iter().filter(same).any(|other| other.running.ready > 0);
        // Several workloads for one driver (one per node) are told apart by their places.
        let target = match sidecar.drivers.as_slice() {
            [driver] if all.iter().filter(same).count() == 1 => driver.clone(),
            _ => sidecar.running.place(),
        };
        findings.push(readiness(&sidecar.running, "csi-snapshotter", covered).target(target));
    }
}
