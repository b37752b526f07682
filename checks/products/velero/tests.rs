//! Tests of Velero's rule.

use super::*;
use crate::knowledge::classes::choose::DEFAULT_SNAPSHOT_CLASS;
use crate::model::kubernetes::{StorageClass, VolumeSnapshotClass};

fn class(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> VolumeSnapshotClass {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut class = VolumeSnapshotClass { driver: "ebs.csi.aws.com".to_owned(), ..VolumeSnapshotClass::default() };
    class.metadata.name = name.to_owned();
    class.metadata.labels = map(labels);
    class.metadata.annotations = map(annotations);
    class
}

fn takes(version: (u32, u32), classes: &[VolumeSnapshotClass]) -> String {
    let storage = StorageClass { provisioner: "ebs.csi.aws.com".to_owned(), ..StorageClass::default() };
    let question = Question { storage: &storage, classes, facts: &Facts::default() };
    match of(Version::new(version.0, version.1, 0), &question) {
        Outcome::Takes { class, .. } => class,
        Outcome::Ambiguous { class, .. } => format!("{class}?"),
        other => format!("{other:?}").split(' ').next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn velero_chooses_as_its_releases_do() {
    let (plain, other) = (class("a", &[], &[]), class("b", &[], &[]));
    let off = class("c", &[(KEY, "false")], &[]);
    let default = class("d", &[], &[(DEFAULT_SNAPSHOT_CLASS, "false")]);
    let both = [plain.clone(), other];
    for (version, classes, wanted) in [
        ((1, 13), &[plain.clone()][..], "Nothing"),
        ((1, 14), &[plain.clone()][..], "a"),
        ((1, 18), &both[..], "Nothing"),
        ((1, 12), &[plain.clone(), off.clone()][..], "c"),
        ((1, 16), &[plain.clone(), default.clone()][..], "Nothing"),
        ((1, 17), &[plain.clone(), default][..], "d"),
        ((1, 18), &[off, class("z", &[(KEY, "true")], &[])][..], "c?"),
        ((1, 18), &[][..], "Nothing"),
    ] {
        assert_eq!(takes(version, classes), wanted, "{version:?} {classes:?}");
    }
}
