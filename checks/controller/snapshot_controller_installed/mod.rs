//! Whether a snapshot-controller is there.

use crate::knowledge::control_plane::bundled::bundled;
use crate::knowledge::control_plane::install::install;
use crate::knowledge::control_plane::presence::{Presence, snapshot_controllers};
use crate::knowledge::control_plane::running::Running;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Status};
use crate::model::need::Need;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR111",
    slug: "snapshot-controller-installed",
    title: "A snapshot-controller is installed",
    group: Group::Controller,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: &[
        Need::Workloads,
        Need::Leases,
        Need::Nodes,
        Need::ServerVersion,
        Need::CsiDrivers,
        Need::CsiNodes,
        Need::StorageClasses,
        Need::VolumeSnapshotContents,
    ],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    match snapshot_controllers(facts) {
        Presence::Present { installations, proof } if installations.is_empty() => findings.push(
            Finding::new(
                Status::Pass,
                format!("it is out of sight, but {} {} proves it", proof.kind, proof.name),
            )
            .evidence(proof),
        ),
        Presence::Present { installations, .. } => {
            let places: Vec<String> = installations.iter().map(Running::place).collect();
            findings.pass(list(places.iter().map(String::as_str)));
        }
        Presence::Unknown { why } => {
            let finding = Finding::new(Status::Unknown, format!("no snapshot-controller is visible: {why}"));
            findings.push(match bundled(facts).first() {
                Some(bundled) => finding.fix(bundled.install()),
                None => finding,
            });
        }
        Presence::Absent { because, evidence } => findings.push(
            Finding::new(Status::Fail, format!("there is no snapshot-controller: {because}"))
                .evidence(evidence.unwrap_or_else(|| Evidence::cluster("Pods", "all namespaces", "spec.containers", "no snapshot-controller")))
                .cause("Without it a VolumeSnapshot stays without status and events for ever. It does not come with Kubernetes.")
                .fix(install(facts)),
        ),
    }
}
