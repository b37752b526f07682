//! Whether the `StorageClasses` of claims exist.

use std::collections::BTreeMap;

use crate::knowledge::volumes::many::in_words;
use crate::knowledge::volumes::volume::{Claimed, PROVISIONED_BY, claimed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR502",
    slug: "storage-classes-of-claims-exist",
    title: "The StorageClasses of the claims exist",
    group: Group::Volumes,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::PersistentVolumeClaims, Need::PersistentVolumes, Need::StorageClasses],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many claims are shown of a class.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(all) = claimed(facts) else { return };
    let mut gone: BTreeMap<&str, Vec<&Claimed<'_>>> = BTreeMap::new();
    for one in &all {
        // A volume that somebody made by hand may name any class.
        let provisioned = one.volume.is_some_and(|volume| volume.metadata.annotations.contains_key(PROVISIONED_BY));
        if let Some(name) = one.class_name().filter(|_| provisioned && one.class.is_none()) {
            gone.entry(name).or_default().push(one);
        }
    }
    if gone.is_empty() {
        findings.pass(if all.is_empty() { "there are no claims" } else { "all exist" });
    }
    for (name, members) in gone {
        let mut finding = Finding::new(
            Status::Warn,
            format!("StorageClass {name} does not exist, and is that of {}", in_words(&members)),
        )
        .target(name);
        for one in members.iter().take(SHOWN) {
            finding = finding.evidence(one.evidence("spec.storageClassName", name));
        }
        findings.push(
            finding
                .cause("Backup products read the driver from the StorageClass: Velero fails with \"error getting storage class\", Kasten K10 finds no VolumeSnapshotClass. A restore has no class to provision with.")
                .fix(
                    Fix::text("Create the StorageClass again, with the provisioner and parameters that it had.")
                        .command(kubectl("get storageclasses")),
                ),
        );
    }
}
