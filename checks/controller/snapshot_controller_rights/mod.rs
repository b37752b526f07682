//! Whether RBAC grants the snapshot-controller what its release needs.

use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::running::running;
use crate::knowledge::rights::judge::judge;
use crate::knowledge::version::Component;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR116",
    slug: "snapshot-controller-rights",
    title: "RBAC grants the snapshot-controller what it needs",
    group: Group::Controller,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods, Need::Roles, Need::RoleBindings],
    uses: &[Need::Workloads, Need::Leases, Need::CsiDrivers, Need::AccountReviews],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// The drivers that are registered.
fn drivers(facts: &Facts) -> Vec<String> {
    facts.csi_drivers.seen().into_iter().flatten().map(|driver| driver.metadata.name.clone()).collect()
}

fn run(facts: &Facts, findings: &mut Findings) {
    let installations = running(facts, is_snapshot_controller);
    if installations.is_empty() {
        findings.skip("no snapshot-controller is visible");
    }
    for installation in &installations {
        let Some(finding) = judge(facts, Component::SnapshotController, installation, &[]) else { continue };
        findings.push(match installations.as_slice() {
            // It is the only one for the snapshots of all drivers.
            [_] if finding.strands => finding.drivers(&drivers(facts)),
            [_] => finding,
            _ => Finding { target: Some(installation.place()), strands: false, ..finding },
        });
    }
}
