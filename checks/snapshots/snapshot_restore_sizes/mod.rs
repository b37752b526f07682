//! Whether snapshots that are ready say how large a volume they can be restored to.

use std::collections::{BTreeMap, HashMap};

use crate::knowledge::snapshots::{Existing, existing, is_no_size, seen};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::Metadata;
use crate::model::need::Need;
use crate::model::quantity::Quantity;
use crate::model::volumes::PersistentVolumeClaim;
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR525",
    slug: "snapshot-restore-sizes",
    title: "Ready snapshots say how large their restored volume is",
    group: Group::Snapshots,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshots],
    uses: &[Need::VolumeSnapshotContents, Need::VolumeSnapshotClasses, Need::PersistentVolumeClaims],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many are shown of a driver's.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(all) = existing(facts) else { return };
    let claims: HashMap<(Option<&str>, &str), &PersistentVolumeClaim> = facts
        .persistent_volume_claims
        .seen()
        .into_iter()
        .flatten()
        .map(|claim| ((claim.metadata.namespace.as_deref(), claim.metadata.name.as_str()), claim))
        .collect();
    let mut small: BTreeMap<&str, Vec<(&Existing<'_>, String)>> = BTreeMap::new();
    let mut ready = 0;
    for one in all.iter().filter(|one| one.snapshot.status.ready_to_use == Some(true)) {
        ready += 1;
        let source = one.snapshot.spec.source.persistent_volume_claim_name.as_deref();
        let claim = source.and_then(|name| claims.get(&(one.snapshot.metadata.namespace.as_deref(), name)).copied());
        if let Some(what) = too_small(one, claim) {
            small.entry(one.driver.unwrap_or("no driver")).or_default().push((one, what));
        }
    }
    if small.is_empty() {
        findings.pass(match ready {
            0 => "there are no ready VolumeSnapshots".to_owned(),
            ready => plural(ready, "ready VolumeSnapshot"),
        });
    }
    for (driver, members) in small {
        let verb = if members.len() == 1 { "has" } else { "have" };
        let number = plural(members.len(), "ready VolumeSnapshot");
        let message = format!("{number} of {driver} {verb} no restoreSize that a restore can use");
        let mut finding = Finding::new(Status::Warn, message).target(driver);
        for (one, what) in members.iter().take(SHOWN) {
            finding = finding.evidence(seen(&one.snapshot.metadata, "status.restoreSize", what.as_str()));
        }
        findings.push(
            finding
                .cause("The driver does not say how large the volume was, or the volume has grown to more than twice that size since. A tool that asks for a restored claim of that size gets one that is too small, or an error.")
                .fix(
                    Fix::text("Restore with at least the source's size, and update the driver.")
                        .command(kubectl("get volumesnapshots -A")),
                ),
        );
    }
}

/// What is wrong with its restoreSize: absent, zero, or much less than the source. Drivers whose snapshots know no size leave it
/// out or write 0; others write the bytes that are used.
fn too_small(one: &Existing<'_>, claim: Option<&PersistentVolumeClaim>) -> Option<String> {
    let Some(text) = one.snapshot.status.restore_size.as_deref() else { return Some("absent".to_owned()) };
    let size = text.parse::<Quantity>().ok()?;
    // A claim that was made after the snapshot is another one of the same name.
    let made = |metadata: &Metadata| metadata.creation_timestamp;
    let is_younger = |claim: &&PersistentVolumeClaim| {
        made(&claim.metadata).zip(made(&one.snapshot.metadata)).is_some_and(|(claim, snapshot)| claim > snapshot)
    };
    let claim = claim.filter(|claim| !is_younger(claim));
    let source = claim.and_then(|claim| claim.status.capacity.storage.as_deref()?.parse::<Quantity>().ok());
    is_no_size(size, source).then(|| match (claim, source) {
        (Some(claim), Some(_)) => {
            let capacity = claim.status.capacity.storage.as_deref().unwrap_or_default();
            format!("{text}; its source {} has {capacity}", claim.metadata.name)
        }
        _ => text.to_owned(),
    })
}
