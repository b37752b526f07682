//! Whether one class of each driver is marked as the default.

use crate::knowledge::classes::choose::{
    Choice, DEFAULT_SNAPSHOT_CLASS, DEFAULT_STORAGE_CLASS, ToTry, choose_snapshot_class, classes_of, classes_to_try,
    drivers_of,
};
use crate::knowledge::volumes::volume::claimed;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::{Command, kubectl};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::model::need::Need;
use crate::text::names::fix_with;
use crate::text::words::{list, plural};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR212",
    slug: "default-snapshot-class",
    title: "Each driver has one default VolumeSnapshotClass",
    group: Group::Classes,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::VolumeSnapshotClasses],
    uses: &[Need::PersistentVolumeClaims, Need::PersistentVolumes],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.volume_snapshot_classes.seen() else {
        return;
    };
    for driver in drivers_of(classes, findings) {
        let finding = look(classes, driver).target(driver);
        findings.push(if finding.status == Status::Warn {
            let more = [claims_of(facts, driver).map(hit), Some(named_by_round_trip(classes, driver))];
            let add = |cause, more| format!("{cause} {more}");
            Finding { cause: finding.cause.map(|cause| more.into_iter().flatten().fold(cause, add)), ..finding }
        } else {
            finding
        });
    }
}

/// How many claims have volumes of a driver; `None` if they were not read.
fn claims_of(facts: &Facts, driver: &str) -> Option<usize> {
    Some(claimed(facts)?.iter().filter(|claim| claim.driver() == Some(driver)).count())
}

/// Why a round trip passes all the same, and which classes it does not try.
fn named_by_round_trip(classes: &[VolumeSnapshotClass], driver: &str) -> String {
    let names = |classes: &[&VolumeSnapshotClass]| list(classes.iter().map(|class| class.metadata.name.as_str()));
    let ToTry { classes, left_out } = classes_to_try(classes, driver);
    let sentence = format!("A round trip of snapready names the class itself: {}", names(&classes));
    match left_out.as_slice() {
        [] => format!("{sentence}."),
        left => {
            format!(
                "{sentence}; not {}, as deletionPolicy Retain would leave its snapshot in the storage.",
                names(left)
            )
        }
    }
}

/// Whom it hits.
fn hit(claims: usize) -> String {
    match claims {
        0 => "No claim has a volume of this driver yet.".to_owned(),
        claims => {
            format!("{} {} a volume of this driver.", plural(claims, "claim"), if claims == 1 { "has" } else { "have" })
        }
    }
}

fn look(classes: &[VolumeSnapshotClass], driver: &str) -> Finding {
    match choose_snapshot_class(classes, driver) {
        Choice::One(class) => Finding::new(Status::Pass, format!("{driver}: {}", class.metadata.name)),
        Choice::Several(defaults) => {
            let names: Vec<&str> = defaults.iter().map(|class| class.metadata.name.as_str()).collect();
            let finding = Finding::new(
                Status::Warn,
                format!(
                    "{driver} has {} marked as default: {}",
                    plural(names.len(), "VolumeSnapshotClass"),
                    list(names.iter().copied())
                ),
            )
            .cause(format!(
                "A snapshot that names no class fails with \"{} default snapshot classes were found\".",
                names.len()
            ));
            let fix = Fix::text("Take the mark from all but one.");
            let fix = names.iter().skip(1).take(5).fold(fix, |fix, name| unmark(fix, name, DEFAULT_SNAPSHOT_CLASS));
            names
                .iter()
                .fold(finding, |finding, name| finding.evidence(mark(name, DEFAULT_SNAPSHOT_CLASS, "true")))
                .fix(fix)
        }
        Choice::None => none(&classes_of(classes, driver), driver),
    }
}

/// No default: whoever names no class is hit, above all if somebody meant to have one.
fn none(own: &[&VolumeSnapshotClass], driver: &str) -> Finding {
    let meant = own.iter().find_map(|class| {
        let annotations = &class.metadata.annotations;
        let misspelt =
            annotations.get(DEFAULT_SNAPSHOT_CLASS).filter(|value| !["true", "false"].contains(&value.as_str()));
        let wrong_key = annotations.get(DEFAULT_STORAGE_CLASS).filter(|value| *value == "true");
        let name = class.metadata.name.as_str();
        misspelt
            .map(|value| (name, DEFAULT_SNAPSHOT_CLASS, value, "Only the value \"true\", spelled so, counts."))
            .or_else(|| {
                wrong_key
                    .map(|value| (name, DEFAULT_STORAGE_CLASS, value, "This annotation counts on StorageClasses only."))
            })
    });
    if let Some((name, key, value, why)) = meant {
        let message =
            format!("VolumeSnapshotClass {name} is marked as default of {driver}, but the mark does not count");
        return Finding::new(Status::Warn, message)
            .evidence(mark(name, key, value))
            .cause(format!("{why} A snapshot that names no class fails with \"cannot find default snapshot class\"."))
            .fix(fix_with(Fix::text("Set the annotation."), [name], set_default));
    }
    let names: Vec<&str> = own.iter().map(|class| class.metadata.name.as_str()).collect();
    let message = format!("{driver} has no default VolumeSnapshotClass ({})", list(names.iter().copied()));
    let fix = match *names.as_slice() {
        [name] => fix_with(
            Fix::text("Make its class the default, or name the class in every VolumeSnapshot."),
            [name],
            set_default,
        ),
        _ => Fix::text("Make one of its classes the default, or name the class in every VolumeSnapshot.")
            .command(kubectl("get volumesnapshotclasses")),
    };
    let finding = Finding::new(Status::Warn, message)
        .cause("A VolumeSnapshot that names no class fails with \"cannot find default snapshot class\": those of manifests and tools that leave the class to the cluster. Tools that choose a class themselves, as Velero does, are not affected.")
        .fix(fix);
    names
        .iter()
        .take(5)
        .fold(finding, |finding, name| finding.evidence(mark(name, DEFAULT_SNAPSHOT_CLASS, "not \"true\"")))
}

fn set_default([name]: [&str; 1]) -> Command {
    kubectl("annotate --overwrite volumesnapshotclass").word(name).word(format!("{DEFAULT_SNAPSHOT_CLASS}=true"))
}

fn mark(name: &str, key: &str, value: &str) -> Evidence {
    Evidence::cluster("VolumeSnapshotClass", name, &format!("metadata.annotations[{key}]"), value)
}

fn unmark(fix: Fix, name: &str, key: &str) -> Fix {
    fix_with(fix, [name], |[name]| kubectl("annotate volumesnapshotclass").word(name).word(format!("{key}-")))
}
