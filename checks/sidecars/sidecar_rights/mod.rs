//! Whether RBAC grants the sidecars that make and restore snapshots what their releases need.

use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter};
use crate::knowledge::control_plane::sidecars::{Sidecar, sidecars};
use crate::knowledge::rights::judge::judge;
use crate::knowledge::version::Component;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;
use crate::sidecars::SIGNS_AND_REVIEWS;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR127",
    slug: "sidecar-rights",
    title: "RBAC grants the sidecars what they need",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods, Need::Roles, Need::RoleBindings],
    uses: SIGNS_AND_REVIEWS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let snapshotters = sidecars(facts, is_csi_snapshotter);
    let provisioners = sidecars(facts, is_csi_provisioner);
    let provisioners = provisioners.iter().filter(|provisioner| restores(facts, provisioner, &snapshotters));
    let all = snapshotters.iter().map(|sidecar| (Component::CsiSnapshotter, sidecar));
    let mut found = false;
    for (component, sidecar) in all.chain(provisioners.map(|sidecar| (Component::CsiProvisioner, sidecar))) {
        let Some(finding) = judge(facts, component, &sidecar.running, &sidecar.drivers) else { continue };
        found = true;
        findings.push(finding.target(sidecar.target()).drivers(&sidecar.drivers));
    }
    if !found {
        findings.skip("no csi-snapshotter is visible, and no csi-provisioner of a driver with snapshots");
    }
}

/// Whether a csi-provisioner has to do with snapshots: that of a driver without them needs no rights on them.
fn restores(facts: &Facts, provisioner: &Sidecar<'_>, snapshotters: &[Sidecar<'_>]) -> bool {
    let has_snapshotter = snapshotters.iter().any(|snapshotter| {
        let same_pod = snapshotter.running.place() == provisioner.running.place();
        same_pod || provisioner.drivers.iter().any(|driver| snapshotter.serves(driver))
    });
    let mut classes = facts.volume_snapshot_classes.seen().into_iter().flatten();
    has_snapshotter || classes.any(|class| provisioner.serves(&class.driver))
}
