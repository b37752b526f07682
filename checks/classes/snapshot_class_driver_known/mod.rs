//! Whether the drivers of the `VolumeSnapshotClasses` are installed, and have volumes.

use std::collections::BTreeSet;

use crate::knowledge::classes::choose::drivers_of;
use crate::knowledge::drivers::registered::{is_registered, registered_drivers};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::volumes::PersistentVolume;
use crate::text::names::fix_with;
use crate::text::nearest::distance;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR213",
    slug: "snapshot-class-driver-known",
    title: "The drivers of the VolumeSnapshotClasses are installed",
    group: Group::Classes,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::VolumeSnapshotClasses, Need::CsiDrivers, Need::CsiNodes],
    uses: &[Need::StorageClasses, Need::PersistentVolumes],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.volume_snapshot_classes.seen() else {
        return;
    };
    for driver in drivers_of(classes, findings) {
        let mut names: Vec<&str> =
            classes.iter().filter(|class| class.driver == driver).map(|class| class.metadata.name.as_str()).collect();
        names.sort_unstable();
        if is_registered(facts, driver) {
            let finding = if has_no_volumes(facts, driver) {
                without_volumes(facts, driver, &names)
            } else {
                Finding::new(Status::Pass, format!("{driver} is installed"))
            };
            findings.push(finding.target(driver));
            continue;
        }
        let known = registered_drivers(facts);
        let nearest = known.iter().find(|known| distance(known, driver) <= 2);
        let cause = match nearest {
            Some(nearest) => {
                format!("It may be a misspelling of {nearest}. The driver of a class cannot be changed later.")
            }
            None => "There is no CSIDriver of this name, and no node has registered it.".to_owned(),
        };
        let fix = Fix::text("Make the class anew with the right driver, or delete it, or install the driver.");
        let fix = names
            .iter()
            .take(5)
            .fold(fix, |fix, name| fix_with(fix, [name], |[name]| kubectl("delete volumesnapshotclass").word(name)));
        let finding = Finding::new(
            Status::Warn,
            format!(
                "no snapshot can be made with {}: the driver {driver} is not installed",
                list(names.iter().copied())
            ),
        )
        .target(driver)
        .cause(cause)
        .fix(fix);
        findings.push(names.iter().take(5).fold(finding, |finding, name| {
            finding.evidence(Evidence::cluster("VolumeSnapshotClass", name, "driver", driver))
        }));
    }
}

/// Whether no volume of a driver exists and no class makes one, as far as both can be seen. That there is no `StorageClass` at
/// all is told elsewhere.
fn has_no_volumes(facts: &Facts, driver: &str) -> bool {
    let (Some(classes), Some(volumes)) = (facts.storage_classes.seen(), facts.persistent_volumes.seen()) else {
        return false;
    };
    let is_of_it = |volume: &PersistentVolume| volume.spec.csi.as_ref().is_some_and(|csi| csi.driver == driver);
    !classes.is_empty() && !classes.iter().any(|class| class.provisioner == driver) && !volumes.iter().any(is_of_it)
}

fn without_volumes(facts: &Facts, driver: &str, names: &[&str]) -> Finding {
    let finding = Finding::new(
        Status::Warn,
        format!(
            "nothing uses {}: no StorageClass and no volume is of the driver {driver}",
            list(names.iter().copied())
        ),
    );
    let finding = names.iter().take(5).fold(finding, |finding, name| {
        finding.evidence(Evidence::cluster("VolumeSnapshotClass", name, "driver", driver))
    });
    let classes = facts.volume_snapshot_classes.seen().into_iter().flatten();
    let served: BTreeSet<&str> = classes.map(|class| class.driver.as_str()).collect();
    let provisioners = facts.storage_classes.seen().into_iter().flatten().map(|class| class.provisioner.as_str());
    let without: BTreeSet<&str> =
        provisioners.filter(|other| is_registered(facts, other) && !served.contains(other)).collect();
    let cause = if without.is_empty() {
        "A VolumeSnapshotClass takes snapshots of its own driver's volumes only.".to_owned()
    } else {
        format!(
            "A VolumeSnapshotClass takes snapshots of its own driver's volumes only; it may be meant for {}, which has none.",
            list(without.iter().copied())
        )
    };
    let fix = Fix::text(
        "Make a VolumeSnapshotClass with the driver of your StorageClasses; delete this one unless volumes of its driver are to come.",
    );
    finding.cause(cause).fix(fix.command(kubectl("get storageclasses,volumesnapshotclasses")))
}
