//! Whether the drivers of the `StorageClasses` have a `VolumeSnapshotClass`.

use std::collections::BTreeSet;

use crate::knowledge::classes::choose::{classes_of, default_storage_class};
use crate::knowledge::control_plane::presence::{Presence, sidecar_of};
use crate::knowledge::drivers::registered::{is_in_tree, is_registered, is_surely_unregistered};
use crate::knowledge::drivers::table::{KnownDriver, known_driver};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::names::is_object_name;
use crate::text::words::{list, plural};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR211",
    slug: "storage-class-has-snapshot-class",
    title: "Each driver that can make snapshots has a VolumeSnapshotClass",
    group: Group::Classes,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::StorageClasses, Need::VolumeSnapshotClasses],
    uses: &[
        Need::ServerVersion,
        Need::VolumeSnapshotContents,
        Need::CsiDrivers,
        Need::CsiNodes,
        Need::Pods,
        Need::Workloads,
        Need::Leases,
    ],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let (Some(classes), Some(snapshot_classes)) = (facts.storage_classes.seen(), facts.volume_snapshot_classes.seen())
    else {
        return;
    };
    let provisioners: BTreeSet<&str> = classes.iter().map(|class| class.provisioner.as_str()).collect();
    let is_ready =
        |driver: &str| !classes_of(snapshot_classes, driver).is_empty() && !is_surely_unregistered(facts, driver);
    // With a class for another driver the cluster can make snapshots, only not of these volumes.
    let any = provisioners.iter().any(|driver| is_ready(driver));
    let default = default_storage_class(classes).map(|class| class.provisioner.as_str());
    let mut told = any;
    for driver in &provisioners {
        let finding = if is_ready(driver) {
            let own = classes_of(snapshot_classes, driver);
            let names = list(own.iter().map(|class| class.metadata.name.as_str()));
            Finding::new(Status::Pass, format!("{driver}: {} ({names})", plural(own.len(), "class")))
        } else {
            let finding = without(facts, driver, !any || default == Some(driver));
            if any && default == Some(driver) { of_default(finding, driver) } else { finding }
        };
        told |= matches!(finding.status, Status::Fail | Status::Unknown);
        findings.push(finding.target(*driver));
    }
    if !told {
        findings.push(of_no_class(&provisioners));
    }
}

/// Nothing wrong with a driver that cannot make snapshots, but with being the default: most volumes are of that class.
fn of_default(finding: Finding, driver: &str) -> Finding {
    if finding.status != Status::Skip {
        return finding;
    }
    Finding::new(Status::Warn, format!("the default StorageClass does not support snapshots: {}", finding.message))
        .evidence(Evidence::cluster("StorageClass", "the default one", "provisioner", driver))
        .cause("Volumes whose claims name no class are of this one, and are missing in every snapshot.")
        .fix(
            Fix::text("Make a StorageClass whose driver supports snapshots the default, or use file-system backups for these volumes.")
                .command(kubectl("get storageclasses,volumesnapshotclasses")),
        )
}

fn of_no_class(provisioners: &BTreeSet<&str>) -> Finding {
    let drivers = list(provisioners.iter().copied());
    let (message, value) = if provisioners.is_empty() {
        ("there is no StorageClass, so there are no volumes to take snapshots of".to_owned(), "none".to_owned())
    } else {
        (format!("no StorageClass supports snapshots (provisioners: {drivers})"), drivers)
    };
    Finding::new(Status::Fail, message)
        .evidence(Evidence::cluster("StorageClass", "all", "provisioner", value))
        .cause("None has an installed CSI driver with a VolumeSnapshotClass.")
        .fix(
            Fix::text("Install a CSI driver that supports snapshots, with a StorageClass and a VolumeSnapshotClass.")
                .command(kubectl("get storageclasses,volumesnapshotclasses,csidrivers")),
        )
}

fn without(facts: &Facts, driver: &str, matters: bool) -> Finding {
    let known = known_driver(driver);
    if is_in_tree(driver) {
        return Finding::new(Status::Skip, format!("{driver} is not a CSI driver: its volumes cannot be snapshotted"));
    }
    if known.is_some_and(|known| known.snapshots == Some(false)) {
        return Finding::new(
            Status::Skip,
            format!("{driver} does not support snapshots: use file-system backups for its volumes"),
        );
    }
    if is_surely_unregistered(facts, driver) {
        return Finding::new(Status::Skip, format!("{driver} is not an installed CSI driver"));
    }
    let sidecar = sidecar_of(facts, driver);
    let says_yes = known.is_some_and(|known| known.snapshots == Some(true));
    match &sidecar {
        Presence::Present { .. } => {}
        Presence::Absent { .. } if !matters => {
            let message =
                format!("snapshots are not set up for {driver}: it has neither a class nor a csi-snapshotter");
            return Finding::new(Status::Skip, message);
        }
        Presence::Absent { .. } | Presence::Unknown { .. } if says_yes => {}
        Presence::Unknown { why } if facts.pods.seen().is_none() => {
            let message = format!("{driver} has no VolumeSnapshotClass; whether it supports snapshots: {why}");
            return Finding::new(Status::Unknown, message);
        }
        Presence::Absent { .. } | Presence::Unknown { .. } => {
            let message = format!("{driver} has no VolumeSnapshotClass, and nothing shows that it supports snapshots");
            return Finding::new(Status::Skip, message);
        }
    }
    let status = if matters { Status::Fail } else { Status::Warn };
    let finding = Finding::new(status, format!("{driver} supports snapshots, but has no VolumeSnapshotClass"))
        .evidence(Evidence::cluster("CSIDriver", driver, "VolumeSnapshotClasses with this driver", "none"))
        .fix(make_one(driver, known));
    if let Some((class, theirs)) = look_alike(facts, driver) {
        return finding
            .evidence(Evidence::cluster("VolumeSnapshotClass", class, "driver", theirs))
            .cause(format!("VolumeSnapshotClass {class} is for {theirs}, which may be a misspelling of {driver}."));
    }
    finding.cause(match sidecar {
        Presence::Absent { because, .. } => {
            format!("Snapshots are not enabled for this driver: it has no csi-snapshotter either ({because}).")
        }
        Presence::Present { .. } | Presence::Unknown { .. } => {
            "A snapshot needs a class with the driver of its volume; no installer has created one.".to_owned()
        }
    })
}

/// A class whose driver is the same but for one or two letters.
fn look_alike<'a>(facts: &'a Facts, driver: &str) -> Option<(&'a str, &'a str)> {
    let classes = facts.volume_snapshot_classes.seen().into_iter().flatten();
    classes
        .filter(|class| !is_registered(facts, &class.driver))
        .find(|class| crate::text::nearest::distance(&class.driver, driver) <= 2)
        .map(|class| (class.metadata.name.as_str(), class.driver.as_str()))
}

fn make_one(driver: &str, known: Option<KnownDriver>) -> Fix {
    let notes = known.map(|known| known.notes).filter(|notes| notes.contains("parameter"));
    let text = "Create one with this manifest; \"Delete\" removes the snapshot in the storage together with its VolumeSnapshot.";
    let fix = match notes {
        Some(notes) => Fix::text(format!("{text} The driver may want parameters: {notes}.")),
        None => Fix::text(text),
    };
    if !is_object_name(driver) {
        return fix;
    }
    fix.manifest(format!(
        "apiVersion: snapshot.storage.k8s.io/v1\n\
         kind: VolumeSnapshotClass\n\
         metadata:\n\
         \u{20}\u{20}name: {driver}\n\
         \u{20}\u{20}annotations:\n\
         \u{20}\u{20}\u{20}\u{20}snapshot.storage.kubernetes.io/is-default-class: \"true\"\n\
         driver: {driver}\n\
         deletionPolicy: Delete\n"
    ))
}
