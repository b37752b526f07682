//! Whether the marks by which backup products pick a `VolumeSnapshotClass` do what whoever set them meant.

use std::collections::BTreeSet;

use crate::knowledge::classes::choose::classes_of;
use crate::knowledge::classes::marks::{Mark, Place};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::{Command, kubectl};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::model::need::Need;
use crate::text::names::fix_with;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR215",
    slug: "backup-product-marks",
    title: "VolumeSnapshotClasses are marked as backup products want",
    group: Group::Classes,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshotClasses, Need::StorageClasses],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.volume_snapshot_classes.seen() else {
        return;
    };
    let mut is_marked = false;
    for mark in Mark::all() {
        let found: Vec<Finding> = look(facts, classes, &mark);
        is_marked |= !found.is_empty();
        for finding in found {
            findings.push(finding);
        }
    }
    if !is_marked {
        findings.skip("no VolumeSnapshotClass is marked for a backup product");
    }
}

/// What is to be said of a product's marks; nothing if there are none.
fn look(facts: &Facts, classes: &[VolumeSnapshotClass], mark: &Mark) -> Vec<Finding> {
    let misplaced = classes.iter().filter_map(|class| misplaced(class, mark));
    let without_effect = classes.iter().filter_map(|class| other_value(class, mark));
    let marked: Vec<&VolumeSnapshotClass> = classes.iter().filter(|class| mark.counts(class)).collect();
    let drivers: BTreeSet<&str> = marked.iter().map(|class| class.driver.as_str()).collect();
    let of_drivers = drivers.into_iter().map(|driver| of_driver(facts, &classes_of(classes, driver), mark, driver));
    misplaced.chain(without_effect).chain(of_drivers).collect()
}

/// The key stands where the product does not look.
fn misplaced(class: &VolumeSnapshotClass, mark: &Mark) -> Option<Finding> {
    let (product, key, right, wrong) = (mark.product, mark.key, mark.place, mark.place.other());
    let value = wrong.value(&class.metadata, key)?;
    let name = class.metadata.name.as_str();
    let message = format!(
        "VolumeSnapshotClass {name} has {product}'s mark as {} {}, where it has no effect",
        article(wrong),
        wrong.word()
    );
    let fix = fix_with(Fix::text(format!("Set it as {} {}.", article(right), right.word())), [name], |[name]| {
        set(right, name, key)
    });
    Some(
        Finding::new(Status::Warn, message)
            .target(format!("{product}: {name}"))
            .evidence(shown(class, wrong, key, value))
            .cause(format!("{product} looks for it among the {}s.", right.word()))
            .fix(fix_with(fix, [name], |[name]| wrong.remove(name, key))),
    )
}

/// A value that does not do what it says.
fn other_value(class: &VolumeSnapshotClass, mark: &Mark) -> Option<Finding> {
    let (product, key, place) = (mark.product, mark.key, mark.place);
    let value = place.value(&class.metadata, key).filter(|value| *value != "true")?;
    let name = class.metadata.name.as_str();
    let (says, fix) = if mark.reads_value {
        (
            "does not count",
            fix_with(Fix::text("Set it to \"true\", or remove it."), [name], |[name]| set(place, name, key)),
        )
    } else if value.eq_ignore_ascii_case("false") {
        (
            "counts all the same",
            fix_with(Fix::text("Remove it if the class is not to be taken."), [name], |[name]| place.remove(name, key)),
        )
    } else {
        return None;
    };
    let why =
        if mark.reads_value { "takes the value \"true\" only" } else { "looks at the key only, not at its value" };
    Some(
        Finding::new(
            Status::Warn,
            format!("{product}'s mark of VolumeSnapshotClass {name} is not \"true\" and {says}"),
        )
        .target(format!("{product}: {name}, value"))
        .evidence(shown(class, place, key, value))
        .cause(format!("{product} {why}."))
        .fix(fix),
    )
}

/// The classes of a driver of which at least one is marked.
fn of_driver(facts: &Facts, own: &[&VolumeSnapshotClass], mark: &Mark, driver: &str) -> Finding {
    let (product, key, place) = (mark.product, mark.key, mark.place);
    let marked: Vec<&&VolumeSnapshotClass> = own.iter().filter(|class| mark.counts(class)).collect();
    let names: Vec<&str> = marked.iter().map(|class| class.metadata.name.as_str()).collect();
    let target = format!("{product}: {driver}");
    let evidence = |finding: Finding| {
        marked.iter().take(5).fold(finding, |finding, class| {
            let value = place.value(&class.metadata, key).unwrap_or_default();
            finding.evidence(shown(class, place, key, value))
        })
    };
    if names.len() > 1 {
        let message =
            format!("{product} finds {} marked classes of {driver}: {}", names.len(), list(names.iter().copied()));
        let fix = names.iter().skip(1).take(5).fold(Fix::text("Leave the mark on one."), |fix, name| {
            fix_with(fix, [*name], |[name]| place.remove(name, key))
        });
        return evidence(Finding::new(Status::Warn, message))
            .target(target)
            .cause("It takes the one that comes first in a list, whose order nobody decides.")
            .fix(fix);
    }
    let mut provisioners = facts.storage_classes.seen().into_iter().flatten().map(|class| class.provisioner.as_str());
    if !provisioners.any(|provisioner| provisioner == driver) {
        let message = format!(
            "VolumeSnapshotClass {} is marked for {product}, but no StorageClass has its driver {driver}",
            list(names)
        );
        return evidence(Finding::new(Status::Warn, message))
            .target(target)
            .cause(format!("{product} compares the driver with the provisioner of a volume's StorageClass, so it never takes this class."))
            .fix(Fix::text("Mark the class of the driver whose volumes are backed up.").command(kubectl("get storageclasses,volumesnapshotclasses")));
    }
    Finding::new(Status::Pass, format!("{product} takes {} for {driver}", list(names))).target(target)
}

fn shown(class: &VolumeSnapshotClass, place: Place, key: &str, value: &str) -> Evidence {
    let path = format!("metadata.{}s[{key}]", place.word());
    Evidence::cluster("VolumeSnapshotClass", &class.metadata.name, &path, value)
}

const fn article(place: Place) -> &'static str {
    match place {
        Place::Label => "a",
        Place::Annotation => "an",
    }
}

fn set(place: Place, name: &str, key: &str) -> Command {
    place.verb().words("--overwrite volumesnapshotclass").word(name).word(format!("{key}=true"))
}
