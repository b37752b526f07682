//! Whether a volume has as many snapshots as its storage takes.

use std::collections::BTreeMap;

use wildmatch::WildMatch;

use crate::knowledge::snapshots::{contents, seen_content};
use crate::knowledge::tables::rows;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotContent;
use crate::model::need::Need;
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR524",
    slug: "snapshots-per-volume",
    title: "No volume has as many snapshots as its storage takes",
    group: Group::Snapshots,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshotContents],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many volumes are shown of a driver's.
const SHOWN: usize = 3;

/// How many snapshots of a volume a storage takes (`data/snapshot-limits.tsv`).
struct Limit {
    number: usize,
    what: &'static str,
}

fn limit(driver: &str) -> Option<Limit> {
    rows(include_str!("../../data/snapshot-limits.tsv")).find_map(|row| match *row {
        [pattern, number, what, _source] if WildMatch::new(pattern).matches(driver) => {
            Some(Limit { number: number.parse().ok()?, what })
        }
        _ => None,
    })
}

fn run(facts: &Facts, findings: &mut Findings) {
    let mut drivers: BTreeMap<&str, BTreeMap<&str, Vec<&VolumeSnapshotContent>>> = BTreeMap::new();
    // One without a handle is an attempt: the storage has no snapshot of it.
    for content in contents(facts).filter(|content| content.status.snapshot_handle.is_some()) {
        if let Some(volume) = content.spec.source.volume_handle.as_deref() {
            drivers.entry(&content.spec.driver).or_default().entry(volume).or_default().push(content);
        }
    }
    let mut any = false;
    for (driver, volumes) in &drivers {
        let Some(limit) = limit(driver) else { continue };
        let full: Vec<_> = volumes.values().filter(|snapshots| snapshots.len() >= limit.number).collect();
        if !full.is_empty() {
            any = true;
            findings.push(told(driver, &limit, &full));
        }
    }
    if !any {
        let most = drivers.values().flat_map(BTreeMap::values).map(Vec::len).max().unwrap_or_default();
        findings.pass(match most {
            0 => "no volume has a snapshot".to_owned(),
            most => format!("at most {} of one volume", plural(most, "snapshot")),
        });
    }
}

fn told(driver: &str, limit: &Limit, volumes: &[&Vec<&VolumeSnapshotContent>]) -> Finding {
    let verb = if volumes.len() == 1 { "has" } else { "have" };
    let number = plural(volumes.len(), "volume");
    let message = format!("{number} of {driver} {verb} {} snapshots or more: {}", limit.number, limit.what);
    let mut finding = Finding::new(Status::Warn, message).target(driver);
    for snapshots in volumes.iter().take(SHOWN) {
        if let Some(first) = snapshots.first() {
            let volume = first.spec.source.volume_handle.as_deref().unwrap_or_default();
            let value = format!("{volume}, as {} others", snapshots.len() - 1);
            finding = finding.evidence(seen_content(&first.metadata, "spec.source.volumeHandle", value));
        }
    }
    finding.cause("The storage limits how many snapshots of one volume there are at a time.").fix(
        Fix::text("Delete old snapshots, or keep fewer: shorten the retention of the backup schedule.")
            .command(kubectl("get volumesnapshotcontents --sort-by=.spec.source.volumeHandle")),
    )
}
