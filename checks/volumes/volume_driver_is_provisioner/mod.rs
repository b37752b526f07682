//! Whether volumes are of the driver that their `StorageClass` names.

use std::collections::BTreeMap;

use crate::knowledge::volumes::many::in_words;
use crate::knowledge::volumes::volume::{Claimed, claimed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR503",
    slug: "volume-driver-is-provisioner",
    title: "Volumes are of the driver that their StorageClass names",
    group: Group::Volumes,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::PersistentVolumeClaims, Need::PersistentVolumes, Need::StorageClasses],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many volumes are shown of a class.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(all) = claimed(facts) else { return };
    let mut other: BTreeMap<(&str, &str, &str), Vec<&Claimed<'_>>> = BTreeMap::new();
    for one in &all {
        let (Some(class), Some(driver)) = (one.class, one.driver()) else { continue };
        if class.provisioner != driver {
            other.entry((&class.metadata.name, &class.provisioner, driver)).or_default().push(one);
        }
    }
    if other.is_empty() {
        findings.pass(if all.is_empty() { "there are no claims" } else { "all are" });
    }
    for ((class, provisioner, driver), members) in other {
        let mut finding = Finding::new(
            Status::Warn,
            format!(
                "{} of StorageClass {class} are volumes of {driver}, but its provisioner is {provisioner}",
                in_words(&members)
            ),
        )
        .target(format!("{class} {driver}"))
        .evidence(Evidence::cluster("StorageClass", class, "provisioner", provisioner));
        for volume in members.iter().filter_map(|one| one.volume).take(SHOWN) {
            finding = finding.evidence(Evidence::cluster(
                "PersistentVolume",
                &volume.metadata.name,
                "spec.csi.driver",
                driver,
            ));
        }
        findings.push(
            finding
                .cause("Kubernetes chooses the VolumeSnapshotClass by the volume's driver, but Velero, Kasten K10 and Trilio by the provisioner of the StorageClass: they find none, or one of another driver.")
                .fix(
                    Fix::text("Give these claims a StorageClass of their driver; for Velero, name the VolumeSnapshotClass in an annotation of the claim.")
                        .command(kubectl("get storageclasses,volumesnapshotclasses")),
                ),
        );
    }
}
