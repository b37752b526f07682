//! Kubernetes' rule for the default `VolumeSnapshotClass`, as the snapshot-controller applies it: of the classes whose
//! driver is the volume's, exactly one must be marked. Nothing like "the newest wins" of `StorageClasses` exists.

use std::collections::BTreeSet;

use crate::model::finding::Findings;
use crate::model::kubernetes::{StorageClass, VolumeSnapshotClass};

/// Marks the default class of its driver; only the value `true`, spelled so, counts.
pub const DEFAULT_SNAPSHOT_CLASS: &str = "snapshot.storage.kubernetes.io/is-default-class";

/// Marks the default `StorageClass`.
pub const DEFAULT_STORAGE_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// What the rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<'a> {
    /// One default.
    One(&'a VolumeSnapshotClass),
    /// No default: a snapshot that names no class fails with "cannot find default snapshot class".
    None,
    /// Several: a snapshot that names no class fails with "N default snapshot classes were found".
    Several(Vec<&'a VolumeSnapshotClass>),
}

/// The class of a snapshot that names none, for a volume of this driver.
#[must_use]
pub fn choose_snapshot_class<'a>(classes: &'a [VolumeSnapshotClass], driver: &str) -> Choice<'a> {
    let defaults: Vec<_> = classes_of(classes, driver).into_iter().filter(|class| is_default(class)).collect();
    match defaults.as_slice() {
        [] => Choice::None,
        [class] => Choice::One(class),
        _ => Choice::Several(defaults),
    }
}

/// Which classes a round trip names for the volumes of a driver unless it is told which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToTry<'a> {
    /// The default; where a snapshot that names no class fails, each class that could be meant: those that are marked, or else all.
    pub classes: Vec<&'a VolumeSnapshotClass>,
    /// Of several, those that retain: their snapshots would stay in the storage, and nobody asked for them.
    pub left_out: Vec<&'a VolumeSnapshotClass>,
}

/// Which classes a round trip names for the volumes of a driver unless it is told which.
#[must_use]
pub fn classes_to_try<'a>(classes: &'a [VolumeSnapshotClass], driver: &str) -> ToTry<'a> {
    let meant = match choose_snapshot_class(classes, driver) {
        Choice::One(class) => vec![class],
        Choice::Several(defaults) => defaults,
        Choice::None => classes_of(classes, driver),
    };
    let (retain, others): (Vec<_>, Vec<_>) = meant.into_iter().partition(|class| class.deletion_policy == "Retain");
    if others.is_empty() {
        ToTry { classes: retain, left_out: others }
    } else {
        ToTry { classes: others, left_out: retain }
    }
}

/// The drivers of all classes, each once. Without any, says that there is nothing to look at.
pub(crate) fn drivers_of<'a>(classes: &'a [VolumeSnapshotClass], findings: &mut Findings) -> BTreeSet<&'a str> {
    if classes.is_empty() {
        findings.skip("there is no VolumeSnapshotClass");
    }
    classes.iter().map(|class| class.driver.as_str()).collect()
}

/// The classes of a driver, in the order of their names.
#[must_use]
pub fn classes_of<'a>(classes: &'a [VolumeSnapshotClass], driver: &str) -> Vec<&'a VolumeSnapshotClass> {
    let mut own: Vec<_> = classes.iter().filter(|class| class.driver == driver).collect();
    own.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    own
}

/// Whether a class is marked as its driver's default.
#[must_use]
pub fn is_default(class: &VolumeSnapshotClass) -> bool {
    class.metadata.annotations.get(DEFAULT_SNAPSHOT_CLASS).is_some_and(|value| value == "true")
}

/// The default `StorageClass`: of several, the one made last, and of these the first by name (Kubernetes 1.26 and later).
#[must_use]
pub fn default_storage_class(classes: &[StorageClass]) -> Option<&StorageClass> {
    let defaults = classes.iter().filter(|class| {
        let annotations = &class.metadata.annotations;
        let marked = |key: &str| annotations.get(key).is_some_and(|value| value == "true");
        marked(DEFAULT_STORAGE_CLASS) || marked("storageclass.beta.kubernetes.io/is-default-class")
    });
    defaults.min_by(|a, b| {
        let made = b.metadata.creation_timestamp.cmp(&a.metadata.creation_timestamp);
        made.then_with(|| a.metadata.name.cmp(&b.metadata.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kubernetes::Metadata;

    fn snapshot_class(name: &str, driver: &str, mark: &str) -> VolumeSnapshotClass {
        let annotations = [(DEFAULT_SNAPSHOT_CLASS.to_owned(), mark.to_owned())].into();
        VolumeSnapshotClass {
            metadata: Metadata { name: name.to_owned(), annotations, ..Metadata::default() },
            driver: driver.to_owned(),
            ..VolumeSnapshotClass::default()
        }
    }

    #[test]
    fn only_marked_classes_of_the_driver_are_candidates() {
        let classes =
            [snapshot_class("b", "x", "true"), snapshot_class("a", "y", "true"), snapshot_class("c", "x", "True")];
        assert_eq!(choose_snapshot_class(&classes, "x"), Choice::One(&classes[0]));
        assert_eq!(choose_snapshot_class(&classes, "X"), Choice::None);
        let classes = [snapshot_class("b", "x", "true"), snapshot_class("a", "x", "true")];
        assert_eq!(choose_snapshot_class(&classes, "x"), Choice::Several(vec![&classes[1], &classes[0]]));
    }

    #[test]
    fn a_round_trip_names_the_default_or_each_class_that_could_be_meant() {
        let retaining = |class| VolumeSnapshotClass { deletion_policy: "Retain".to_owned(), ..class };
        let tried = |classes: &[VolumeSnapshotClass]| -> Vec<String> {
            classes_to_try(classes, "x").classes.into_iter().map(|class| class.metadata.name.clone()).collect()
        };
        let class = snapshot_class;
        let other = class("o", "y", "true");
        assert_eq!(tried(std::slice::from_ref(&other)), [""; 0]);
        assert_eq!(tried(&[class("b", "x", "true"), class("a", "x", ""), other.clone()]), ["b"]);
        assert_eq!(tried(&[class("a", "x", ""), other.clone()]), ["a"]);
        assert_eq!(tried(&[class("b", "x", ""), class("a", "x", "false"), other]), ["a", "b"]);
        assert_eq!(tried(&[class("b", "x", "true"), class("a", "x", ""), class("c", "x", "true")]), ["b", "c"]);
        // One that retains is tried where there is no other choice.
        assert_eq!(tried(&[retaining(class("a", "x", "")), class("b", "x", "")]), ["b"]);
        assert_eq!(tried(&[retaining(class("a", "x", "true")), class("b", "x", "true"), class("c", "x", "")]), ["b"]);
        assert_eq!(tried(&[retaining(class("a", "x", "true")), class("b", "x", "")]), ["a"]);
        assert_eq!(tried(&[retaining(class("a", "x", "")), retaining(class("b", "x", ""))]), ["a", "b"]);
    }

    #[test]
    fn of_several_default_storage_classes_the_newest_counts_and_then_the_name() {
        let class = |name: &str, key: &str, made: &str| StorageClass {
            metadata: Metadata {
                name: name.to_owned(),
                annotations: [(key.to_owned(), "true".to_owned())].into(),
                creation_timestamp: Some(made.parse().unwrap()),
                ..Metadata::default()
            },
            ..StorageClass::default()
        };
        let name = |classes: &[StorageClass]| default_storage_class(classes).map(|class| class.metadata.name.clone());
        let old = class("a", DEFAULT_STORAGE_CLASS, "2025-01-01T00:00:00Z");
        let new = class("c", DEFAULT_STORAGE_CLASS, "2026-01-01T00:00:00Z");
        let as_new = class("b", "storageclass.beta.kubernetes.io/is-default-class", "2026-01-01T00:00:00Z");
        let none = class("d", "example.org/other", "2026-02-01T00:00:00Z");
        assert_eq!(name(&[old.clone(), new.clone(), none.clone()]).as_deref(), Some("c"));
        assert_eq!(name(&[old, new, as_new]).as_deref(), Some("b"));
        assert_eq!(name(&[none]), None);
    }
}
