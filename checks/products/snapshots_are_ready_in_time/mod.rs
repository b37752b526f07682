//! Whether the snapshots that exist became ready before the backup product would have given up.

use jiff::SignedDuration;

use crate::knowledge::snapshots::{Existing, existing, seen};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::products::asked;
use crate::products::product::{Patience, Product};
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR619",
    slug: "snapshots-are-ready-in-time",
    title: "Snapshots become ready before the backup product gives up",
    group: Group::Products,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshots],
    uses: &[Need::VolumeSnapshotContents, Need::VolumeSnapshotClasses, Need::Workloads, Need::ProductObjects],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many are shown.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(all) = existing(facts) else { return };
    let mut measured: Vec<(&Existing<'_>, SignedDuration)> =
        all.iter().filter_map(|one| Some((one, took(one)?))).collect();
    measured.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    let mut any = false;
    for product in asked(facts) {
        if let Some(patience) = product.patience {
            any = true;
            findings.push(judge(product, patience(facts), &measured).target(product.word));
        }
    }
    if !any {
        findings.skip("no product that was asked about is known to give up on a snapshot");
    }
}

/// How long a snapshot took to become ready: from its creation to the last time that its status was written. One that was made from
/// a content that was there before, or failed on the way, tells nothing.
fn took(one: &Existing<'_>) -> Option<SignedDuration> {
    let snapshot = one.snapshot;
    let counts = snapshot.status.ready_to_use == Some(true)
        && snapshot.status.error.is_none()
        && snapshot.spec.source.persistent_volume_claim_name.is_some();
    let (created, written) = (snapshot.metadata.creation_timestamp?, snapshot.metadata.status_written?);
    counts.then(|| written.duration_since(created).max(SignedDuration::ZERO))
}

fn judge(product: &Product, patience: Patience, measured: &[(&Existing<'_>, SignedDuration)]) -> Finding {
    let Patience { limit, set_by } = patience;
    let name = product.name;
    let Some((_, slowest)) = measured.first() else {
        return Finding::new(
            Status::Skip,
            format!("no VolumeSnapshot shows how long one takes; {name} gives up after {limit:#}"),
        );
    };
    let late = measured.iter().take_while(|(_, took)| *took > limit).count();
    let number = plural(measured.len(), "VolumeSnapshot");
    if late == 0 {
        let message = format!("the slowest of {number} was ready after {slowest:#}; {name} gives up after {limit:#}");
        return Finding::new(Status::Pass, message);
    }
    let finding = Finding::new(
        Status::Warn,
        format!("{late} of {number} took up to {slowest:#} to become ready; {name} gives up after {limit:#}"),
    );
    let shown = measured.iter().take(late.min(SHOWN)).map(|(one, took)| {
        let driver = one.driver.unwrap_or("unknown driver");
        seen(&one.snapshot.metadata, "metadata.creationTimestamp to status", format!("{took:#} ({driver})"))
    });
    shown
        .fold(finding, Finding::evidence)
        .cause("A large volume, and a storage that uploads a snapshot before it is ready, take their time: the backup fails although the snapshot becomes ready later.")
        .fix(Fix::text(format!("The limit is set by {set_by}. Raise it, or back up less at the same time.")).command(kubectl("get volumesnapshots -A")))
}
