//! Kubernetes' rule for the default `VolumeSnapshotClass`, as the snapshot-controller applies it: of the classes whose
//! driver is the volume's, exactly one must be marked. Nothing like "the newest wins" of `StorageClasses` exists.

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
    let defaults: Vec<_> = classes_of(classes, driver)
        .into_iter()
        .filter(|class| is_default(class))
        .collect();
    match defaults.as_slice() {
        [] => Choice::None,
        [class] => Choice::One(class),
        _ => Choice::Several(defaults),
    }
}

/// The classes of a driver, in the order of their names.
#[must_use]
pub fn classes_of<'a>(
    classes: &'a [VolumeSnapshotClass],
    driver: &str,
) -> Vec<&'a VolumeSnapshotClass> {
    let mut own: Vec<_> = classes
        .iter()
        .filter(|class| class.driver == driver)
        .collect();
    own.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    own
}

/// Whether a class is marked as its driver's default.
#[must_use]
pub fn is_default(class: &VolumeSnapshotClass) -> bool {
    class
        .metadata
        .annotations
        .get(DEFAULT_SNAPSHOT_CLASS)
        .is_some_and(|value| value == "true")
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
        let made = b
            .metadata
            .creation_timestamp
            .cmp(&a.metadata.creation_timestamp);
        made.then_with(|| a.metadata.name.cmp(&b.metadata.name))
    })
}
