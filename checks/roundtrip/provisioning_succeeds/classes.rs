//! `StorageClasses` of which no volume can come.

use super::CHECK;
use crate::knowledge::classes::choose::classes_of;
use crate::knowledge::drivers::registered::NO_PROVISIONER;
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Fix};
use crate::moment::{Advice, Explanation, Subject};
use crate::text::words::list;

/// At most so many classes are proposed.
const PROPOSED: usize = 5;

/// A class that has no provisioner: a volume that somebody made by hand may be bound, but none is ever restored into it.
#[must_use]
pub fn foreseen(facts: &Facts, subject: &Subject) -> Option<Explanation> {
    if subject.driver.as_deref() != Some(NO_PROVISIONER) {
        return None;
    }
    let class = &subject.storage_class;
    let message = format!("not started: nothing makes volumes of StorageClass {class}, nor restores snapshots into it");
    let others = with_snapshot_class(facts);
    let text = if others.is_empty() {
        "Use a StorageClass of a CSI driver that supports snapshots: no other one here has a VolumeSnapshotClass."
            .to_owned()
    } else {
        format!("Use a StorageClass whose driver has a VolumeSnapshotClass: {}.", list(others))
    };
    Some(
        Explanation::fail(&CHECK, &message)
            .about(subject)
            .evidence([Evidence::cluster("StorageClass", class, "provisioner", NO_PROVISIONER)])
            .cause("the class is for volumes that are made by hand: its provisioner is none")
            .fix(Fix::text(text).command(kubectl("get storageclasses,volumesnapshotclasses")))
            .advise(Advice::StorageClass),
    )
}

fn with_snapshot_class(facts: &Facts) -> Vec<&str> {
    let snapshot_classes = facts.volume_snapshot_classes.seen().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<&str> = facts
        .storage_classes
        .seen()
        .into_iter()
        .flatten()
        .filter(|class| !classes_of(snapshot_classes, &class.provisioner).is_empty())
        .map(|class| class.metadata.name.as_str())
        .collect();
    names.sort_unstable();
    names.truncate(PROPOSED);
    names
}
