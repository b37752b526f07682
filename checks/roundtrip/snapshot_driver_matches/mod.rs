//! The `VolumeSnapshotClass` is for the volume's driver.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check = check(
    "SR306",
    "snapshot-driver-matches",
    "The VolumeSnapshotClass is for the volume's driver",
    include_str!("doc.md"),
);

use crate::knowledge::classes::choose::classes_of;
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Fix};
use crate::moment::{Advice, Explanation, Moment, Subject};

/// The content is of another driver than the volume.
pub(crate) fn other_driver(moment: &Moment<'_>) -> Option<Explanation> {
    moment.waiting_snapshot()?;
    let content = moment.volume_snapshot_content()?;
    let (used, driver) = (content.spec.driver.as_str(), moment.subject.driver.as_deref()?);
    if used.is_empty() || used == driver {
        return None;
    }
    let named = moment.subject.snapshot_class.as_deref();
    let class = named.or(content.spec.volume_snapshot_class_name.as_deref()).unwrap_or_default();
    let evidence = Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, "spec.driver", used);
    Some(explain(moment.facts, moment.subject, class, used, driver, evidence))
}

/// What a class that is named will come to, before anything is created: nobody could delete the snapshot's content any more.
#[must_use]
pub fn foreseen(facts: &Facts, subject: &Subject) -> Option<Explanation> {
    let (name, driver) = (subject.snapshot_class.as_deref()?, subject.driver.as_deref()?);
    let class = facts.volume_snapshot_classes.seen()?.iter().find(|class| class.metadata.name == name)?;
    // An in-tree provisioner may stand for a CSI driver of another name.
    if class.driver == driver || driver.starts_with("kubernetes.io/") {
        return None;
    }
    let evidence = Evidence::cluster("VolumeSnapshotClass", name, "driver", class.driver.as_str());
    Some(explain(facts, subject, name, &class.driver, driver, evidence))
}

fn explain(facts: &Facts, subject: &Subject, class: &str, used: &str, driver: &str, evidence: Evidence) -> Explanation {
    let classes = facts.volume_snapshot_classes.seen().map(Vec::as_slice).unwrap_or_default();
    let message = format!("VolumeSnapshotClass {class} uses driver {used}, but the volume belongs to driver {driver}");
    let explanation = Explanation::fail(&CHECK, &message)
        .about(subject)
        .evidence([evidence, Evidence::cluster("StorageClass", &subject.storage_class, "provisioner", driver)])
        .cause("the snapshot-controller does not compare a named class with the volume; the driver of the class gets a volume that is not its own");
    match classes_of(classes, driver).first() {
        Some(right) => explanation
            .fix(Fix::text(format!("Use a VolumeSnapshotClass of driver {driver}.")))
            .advise(Advice::SnapshotClass(Some(right.metadata.name.clone()))),
        None => explanation.fix(
            Fix::text(format!("Create a VolumeSnapshotClass whose driver is {driver}: there is none."))
                .command(kubectl("get volumesnapshotclasses")),
        ),
    }
}
