//! How many claims can be snapshotted, and what could be mended so that more can.

use std::collections::BTreeMap;

use crate::knowledge::volumes::coverage::{Coverage, Mend, Snapshot};
use crate::knowledge::volumes::many::{bytes, in_words, size};
use crate::knowledge::volumes::volume::{Claimed, claimed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::snapready;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR501",
    slug: "claims-can-be-snapshotted",
    title: "Claims whose storage can make snapshots can be snapshotted",
    group: Group::Volumes,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::PersistentVolumeClaims, Need::PersistentVolumes, Need::SnapshotApis],
    uses: &[
        Need::StorageClasses,
        Need::VolumeSnapshotClasses,
        Need::VolumeSnapshotContents,
        Need::CsiDrivers,
        Need::CsiNodes,
        Need::Pods,
        Need::Workloads,
        Need::Leases,
        Need::ServerVersion,
    ],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many claims are shown of those that share a reason.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(all) = claimed(facts) else { return };
    if all.is_empty() {
        findings.pass("there are no claims");
        return;
    }
    let mut coverage = Coverage::new(facts);
    let mut covered: Vec<&Claimed<'_>> = Vec::new();
    let mut mendable: BTreeMap<(String, Mend, String), Vec<&Claimed<'_>>> = BTreeMap::new();
    let mut unknown: BTreeMap<(String, String), Vec<&Claimed<'_>>> = BTreeMap::new();
    for one in &all {
        let without = if one.volume.is_some() { "no driver" } else { "no volume" };
        let driver = one.driver().unwrap_or(without).to_owned();
        match coverage.of(one).0 {
            Snapshot::Yes { .. } => covered.push(one),
            Snapshot::No { why, mend: Some(mend) } => mendable.entry((driver, mend, why)).or_default().push(one),
            Snapshot::No { mend: None, .. } => {}
            Snapshot::Unknown { why } => unknown.entry((driver, why)).or_default().push(one),
        }
    }
    for ((driver, mend, why), members) in &mendable {
        findings.push(cannot(driver, *mend, why, members));
    }
    for ((driver, why), members) in &unknown {
        let finding = Finding::new(Status::Unknown, format!("{}: {why}", in_words(members)));
        let finding = finding.target(format!("{driver}, unknown")).drivers(&[driver.to_owned()]);
        findings.push(finding.follows_from("SR121", Some(driver)));
    }
    if mendable.is_empty() && unknown.is_empty() {
        let number = covered.len();
        findings.pass(format!(
            "{} of {} claims ({} of {}); snapready coverage lists them",
            number,
            all.len(),
            size(bytes(covered)),
            size(bytes(&all))
        ));
    }
}

fn cannot(driver: &str, mend: Mend, why: &str, members: &[&Claimed<'_>]) -> Finding {
    let message = format!("{} cannot be snapshotted: {why}", in_words(members));
    let mut finding = Finding::new(Status::Warn, message).target(driver);
    for one in members.iter().take(SHOWN) {
        let volume = one.claim.spec.volume_name.as_deref().unwrap_or_default();
        finding = finding.evidence(one.evidence("spec.volumeName", volume));
    }
    // What another check tells of the same fault, and of no other: a driver may have several.
    let finding = match mend {
        Mend::Api => finding.follows_from("SR102", None).follows_from("SR104", None),
        Mend::Driver => finding.follows_from("SR201", Some(driver)),
        Mend::Sidecar => finding.follows_from("SR121", Some(driver)),
        Mend::Class => finding.follows_from("SR211", Some(driver)),
        Mend::Volume => {
            return finding
                .cause("The PersistentVolume was deleted while the claim was bound to it.")
                .fix(
                    Fix::text("Restore the claim from a backup; if the storage still has the data, create the PersistentVolume again.")
                        .command(snapready("coverage")),
                );
        }
    };
    finding
        .cause("Backups by snapshot leave them out, or fail; the storage itself could make them.")
        .fix(Fix::text("Mend what is named; until then back them up as files.").command(snapready("coverage")))
}
