//! Whether the snapshot-controller has a leader.

use crate::controller::snapshot_controller_rights;
use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::leading::leader;
use crate::knowledge::control_plane::leases::CONTROLLER_LEASE;
use crate::knowledge::control_plane::running::running;
use crate::knowledge::rights::judge::why_no_leader;
use crate::knowledge::version::Component;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR115",
    slug: "snapshot-controller-leads",
    title: "The snapshot-controller has elected a leader",
    group: Group::Controller,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods],
    uses: &[Need::Workloads, Need::Leases, Need::Roles, Need::RoleBindings, Need::AccountReviews],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let installations = running(facts, is_snapshot_controller);
    let is_its_lease = |name: &str| name == CONTROLLER_LEASE;
    let mut elects = false;
    for installation in &installations {
        let found = leader(facts, installation, "snapshot-controller", CONTROLLER_LEASE, is_its_lease);
        let Some(finding) = found else { continue };
        elects = true;
        let target = (installations.len() > 1).then(|| installation.place());
        let rights = (snapshot_controller_rights::CHECK.id, target.as_deref());
        let finding = why_no_leader(finding, facts, Component::SnapshotController, installation, &[], rights);
        findings.push(Finding { target, ..finding });
    }
    if !elects {
        findings.skip("no snapshot-controller that runs elects a leader");
    }
}
