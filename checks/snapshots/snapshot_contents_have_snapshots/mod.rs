//! Whether the `VolumeSnapshot` of each `VolumeSnapshotContent` exists.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;

use crate::knowledge::snapshots::{age, contents, seen_content};
use crate::knowledge::volumes::many::size;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotContent;
use crate::model::need::Need;
use crate::text::names::fix_with;
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR523",
    slug: "snapshot-contents-have-snapshots",
    title: "Each VolumeSnapshotContent has its VolumeSnapshot",
    group: Group::Snapshots,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshots, Need::VolumeSnapshotContents],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// The two lists are not read at one moment: a content that is younger may belong to a snapshot that came between them.
const LISTS: SignedDuration = SignedDuration::from_mins(5);
/// So many are shown of a driver's.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(snapshots) = facts.volume_snapshots.seen() else { return };
    let uids: HashMap<(&str, &str), &str> = snapshots
        .iter()
        .map(|snapshot| {
            let metadata = &snapshot.metadata;
            ((metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_str()), metadata.uid.as_str())
        })
        .collect();
    let mut orphans: BTreeMap<(&str, &str), Vec<&VolumeSnapshotContent>> = BTreeMap::new();
    let mut total = 0;
    for content in contents(facts) {
        total += 1;
        let of = &content.spec.volume_snapshot_ref;
        // Without a UID it was created for a VolumeSnapshot that is still to come.
        let is_old =
            age(facts, content.metadata.creation_timestamp) >= LISTS || content.metadata.creation_timestamp.is_none();
        let was_bound = !of.uid.is_empty() && content.metadata.deletion_timestamp.is_none() && is_old;
        let is_there = uids.get(&(of.namespace.as_str(), of.name.as_str())).is_some_and(|uid| *uid == of.uid);
        if was_bound && !is_there {
            let key = (content.spec.driver.as_str(), content.spec.deletion_policy.as_str());
            orphans.entry(key).or_default().push(content);
        }
    }
    if orphans.is_empty() {
        findings.pass(match total {
            0 => "there are no VolumeSnapshotContents".to_owned(),
            total => format!("{}, each with its VolumeSnapshot", plural(total, "VolumeSnapshotContent")),
        });
    }
    for ((driver, policy), members) in orphans {
        findings.push(told(driver, policy, &members));
    }
}

fn told(driver: &str, policy: &str, members: &[&VolumeSnapshotContent]) -> Finding {
    let sizes = members.iter().filter_map(|content| content.status.restore_size);
    let bytes = sizes.fold(0_u64, |sum, bytes| sum.saturating_add(u64::try_from(bytes).unwrap_or_default()));
    let sizes = if bytes > 0 { format!("; their restoreSizes add up to {}", size(bytes)) } else { String::new() };
    let message = format!(
        "{} of {driver} with policy {policy} {} lost the VolumeSnapshot{sizes}",
        plural(members.len(), "VolumeSnapshotContent"),
        if members.len() == 1 { "has" } else { "have" }
    );
    let mut finding =
        Finding::new(Status::Warn, message).target(format!("{driver} {policy}")).drivers(&[driver.to_owned()]);
    for content in members.iter().take(SHOWN) {
        let of = &content.spec.volume_snapshot_ref;
        finding = finding.evidence(seen_content(
            &content.metadata,
            "spec.volumeSnapshotRef",
            format!("{}/{} {}, which does not exist", of.namespace, of.name, of.uid),
        ));
    }
    let (cause, advice) = if policy == "Retain" {
        (
            "Policy Retain keeps the content and the snapshot in the storage when the VolumeSnapshot is deleted.",
            "Keep those that are somebody's backup. To remove one with its snapshot in the storage, set its deletionPolicy to Delete, then delete it.",
        )
    } else {
        (
            "The VolumeSnapshot went without its content: the content's policy was changed from Retain just before, a finalizer was removed by hand, or a copy of etcd was restored.",
            "Delete those that nobody needs: policy Delete removes the snapshot in the storage as well.",
        )
    };
    let fix = Fix::text(advice);
    let names = members.first().map(|content| content.metadata.name.as_str());
    let fix = match names {
        Some(name) => fix_with(fix, [name], |[name]| kubectl("get volumesnapshotcontent").word(name).words("-o yaml")),
        None => fix,
    };
    finding.cause(cause).fix(fix)
}
