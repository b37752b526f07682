//! Whether each driver with snapshot classes has a csi-snapshotter.

use crate::knowledge::classes::choose::drivers_of;
use crate::knowledge::control_plane::install::fix_driver;
use crate::knowledge::control_plane::presence::{Presence, runs_nowhere, sidecar_of};
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::drivers::registered::is_surely_unregistered;
use crate::knowledge::drivers::table::known_driver;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR121",
    slug: "snapshot-sidecar-installed",
    title: "Each driver with snapshot classes has a csi-snapshotter",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods, Need::VolumeSnapshotClasses],
    uses: &[
        Need::Workloads,
        Need::Leases,
        Need::CsiDrivers,
        Need::CsiNodes,
        Need::StorageClasses,
        Need::ServerVersion,
        Need::VolumeSnapshotContents,
    ],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.volume_snapshot_classes.seen() else {
        return;
    };
    for driver in drivers_of(classes, findings) {
        findings.push(look(facts, driver).target(driver));
    }
}

fn look(facts: &Facts, driver: &str) -> Finding {
    match sidecar_of(facts, driver) {
        Presence::Present { installations, proof } if installations.is_empty() => {
            Finding::new(Status::Pass, format!("it is out of sight, but {} {} proves it", proof.kind, proof.name))
                .evidence(proof)
        }
        Presence::Present { installations, .. } => {
            let places: Vec<String> = installations.iter().map(Running::place).collect();
            Finding::new(Status::Pass, list(places.iter().map(String::as_str)))
        }
        Presence::Unknown { why } => {
            Finding::new(Status::Unknown, format!("whether {driver} has a csi-snapshotter: {why}"))
        }
        Presence::Absent { .. } if is_surely_unregistered(facts, driver) => Finding::new(
            Status::Skip,
            format!("{driver} is not installed; snapshot-class-driver-known tells its classes"),
        ),
        Presence::Absent { .. } if runs_nowhere(facts, driver) => {
            Finding::new(Status::Fail, format!("{driver} has no csi-snapshotter: the driver does not run at all"))
                .evidence(Evidence::cluster(
                    "CSIDriver",
                    driver,
                    "pods",
                    "none of its controller, none of its node plugin",
                ))
                .cause("No pod of the driver is visible, so the csi-snapshotter is missing, too.")
                .fix(fix_driver())
                .follows_from("SR202", Some(driver))
        }
        Presence::Absent { because, evidence } => {
            let none = || Evidence::cluster("CSIDriver", driver, "csi-snapshotter", "no container");
            let fix = match known_driver(driver) {
                Some(known) if known.snapshots == Some(false) => Fix::text(format!(
                    "{} cannot make snapshots; delete its VolumeSnapshotClasses and back its volumes up as files.",
                    known.product
                )),
                _ => Fix::text(
                    "Switch snapshots on in the driver's chart or operator, so that it deploys the csi-snapshotter sidecar.",
                ),
            };
            Finding::new(Status::Fail, format!("{driver} has no csi-snapshotter: {because}"))
                .evidence(evidence.unwrap_or_else(none))
                .cause("The snapshot-controller hands each snapshot to the driver's csi-snapshotter; without one it waits for ever.")
                .fix(fix.command(kubectl("get pods -A --show-labels")))
                .strands()
        }
    }
}
