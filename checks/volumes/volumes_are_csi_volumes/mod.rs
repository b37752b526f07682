//! Whether claims have volumes of CSI drivers: no others can be snapshotted.

use std::collections::BTreeMap;

use crate::knowledge::volumes::many::in_words;
use crate::knowledge::volumes::volume::{Claimed, MIGRATED_TO, claimed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::snapready;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR504",
    slug: "volumes-are-csi-volumes",
    title: "The claims have volumes of CSI drivers",
    group: Group::Volumes,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::PersistentVolumeClaims, Need::PersistentVolumes],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many volumes are shown of a kind.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(all) = claimed(facts) else { return };
    let mut kinds: BTreeMap<&str, Vec<&Claimed<'_>>> = BTreeMap::new();
    for one in &all {
        if let Some(kind) = one.volume.and_then(|volume| volume.spec.in_tree()) {
            kinds.entry(kind).or_default().push(one);
        }
    }
    if kinds.is_empty() {
        findings.pass(if all.is_empty() { "there are no claims" } else { "all have" });
    }
    for (kind, members) in kinds {
        let word = if members.len() == 1 { "has a volume" } else { "have volumes" };
        let mut finding = Finding::new(
            Status::Warn,
            format!("{} {word} of kind {kind}, which cannot be snapshotted", in_words(&members)),
        )
        .target(kind);
        let volumes = || members.iter().filter_map(|one| one.volume);
        let migrated = volumes().find_map(|volume| volume.metadata.annotations.get(MIGRATED_TO));
        for volume in volumes().take(SHOWN) {
            let driver = volume.metadata.annotations.get(MIGRATED_TO);
            let value = driver.map_or_else(|| kind.to_owned(), |driver| format!("{kind}, migrated to {driver}"));
            finding = finding.evidence(Evidence::cluster("PersistentVolume", &volume.metadata.name, "spec", value));
        }
        let cause = match migrated {
            Some(driver) => format!(
                "They were provisioned in-tree, and {driver} does their work since. The snapshot-controller refuses them all the same: \"cannot find CSI PersistentVolumeSource\"."
            ),
            None => {
                "The snapshot-controller takes snapshots of CSI volumes alone; backups by snapshot leave these out."
                    .to_owned()
            }
        };
        let fix = Fix::text(
            "Copy the data to claims of a CSI driver, or back these up as files, or through the cloud's own snapshots.",
        );
        findings.push(finding.cause(cause).fix(fix.command(snapready("coverage"))));
    }
}
