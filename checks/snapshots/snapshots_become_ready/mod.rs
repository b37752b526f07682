//! Whether `VolumeSnapshots` that exist have become ready, and what those wait for that have not.

mod wait;

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::knowledge::snapshots::{Existing, age, existing, in_words};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::snapshots::snapshots_become_ready::wait::{Known, Wait};
use crate::text::names::fix_with;
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR521",
    slug: "snapshots-become-ready",
    title: "No VolumeSnapshot has been waiting to become ready",
    group: Group::Snapshots,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshots],
    uses: &[Need::VolumeSnapshotContents, Need::VolumeSnapshotClasses, Need::PersistentVolumeClaims],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// Velero's `csiSnapshotTimeout`: what takes longer fails its backup.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// So many are shown of those that wait for one thing.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(all) = existing(facts) else { return };
    if all.is_empty() {
        findings.pass("there are no VolumeSnapshots");
        return;
    }
    let waits = |one: &&Existing<'_>| {
        one.snapshot.status.ready_to_use != Some(true) && one.snapshot.metadata.deletion_timestamp.is_none()
    };
    let (late, young): (Vec<&Existing<'_>>, Vec<&Existing<'_>>) =
        all.iter().filter(waits).partition(|one| age(facts, one.snapshot.metadata.creation_timestamp) >= PATIENCE);
    if late.is_empty() {
        let number = plural(all.len(), "VolumeSnapshot");
        findings.pass(match young.len() {
            0 => format!("{number}, none waits"),
            young => format!("{number}; {young} not ready yet, for less than 10 min"),
        });
        return;
    }
    let known = Known::of(facts);
    let mut groups: BTreeMap<(String, Wait), Vec<&Existing<'_>>> = BTreeMap::new();
    for one in late {
        let driver = one.driver.unwrap_or("no driver").to_owned();
        groups.entry((driver, Wait::of(&known, one))).or_default().push(one);
    }
    for ((driver, wait), members) in &groups {
        findings.push(told(facts, driver, *wait, members));
    }
}

fn told(facts: &Facts, driver: &str, wait: Wait, members: &[&Existing<'_>]) -> Finding {
    let ages = members.iter().map(|one| age(facts, one.snapshot.metadata.creation_timestamp));
    let longest = in_words(ages.max().unwrap_or_default());
    let number = plural(members.len(), "VolumeSnapshot");
    let verb = if members.len() == 1 { "is" } else { "are" };
    let message = format!("{number} of {driver} {verb} not ready after {longest}: {}", wait.what());
    let mut finding =
        Finding::new(Status::Warn, message).target(format!("{driver}: {}", wait.word())).drivers(&[driver.to_owned()]);
    for one in members.iter().take(SHOWN) {
        finding = finding.evidence(wait.evidence(one));
    }
    for (check, target) in wait.told_by(driver) {
        finding = finding.follows_from(check, target);
    }
    let (cause, advice) = wait.cause_and_advice(members);
    let fix = Fix::text(advice);
    let fix = match members.first() {
        Some(one) => {
            let metadata = &one.snapshot.metadata;
            let names = [metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_str()];
            fix_with(fix, names, |[namespace, name]| {
                kubectl("-n").word(namespace).words("describe volumesnapshot").word(name)
            })
        }
        None => fix,
    };
    finding.cause(cause).fix(fix)
}
