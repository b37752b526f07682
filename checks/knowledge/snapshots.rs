//! `VolumeSnapshots` that exist, joined with their contents and drivers.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::kubernetes::{Metadata, VolumeSnapshotContent};
use crate::model::quantity::Quantity;
use crate::model::volumes::VolumeSnapshot;

/// The checks that tell why no csi-snapshotter of a driver works; their targets are drivers.
pub(crate) const NO_SIDECAR_WORKS: [&str; 4] = ["SR121", "SR122", "SR123", "SR126"];

/// A `VolumeSnapshot` with what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Existing<'a> {
    /// The snapshot.
    pub snapshot: &'a VolumeSnapshot,
    /// Its content, if it is bound to one that could be read.
    pub content: Option<&'a VolumeSnapshotContent>,
    /// Its driver: by its content, or by its class.
    pub driver: Option<&'a str>,
}

/// Whether a restoreSize is none that a restore can use: zero, or less than half of the source. The source may have grown since:
/// half of it is no rounding and no usual growth. Drivers whose snapshots know no size write 0; others write the bytes that are
/// used.
#[must_use]
pub const fn is_no_size(size: Quantity, source: Option<Quantity>) -> bool {
    match source {
        Some(source) => size.0 == 0 || size.0 < source.0 / 2,
        None => size.0 == 0,
    }
}

/// All `VolumeSnapshots`; `None` if they could not be read.
#[must_use]
pub fn existing(facts: &Facts) -> Option<Vec<Existing<'_>>> {
    let snapshots = facts.volume_snapshots.seen()?;
    let contents: HashMap<&str, &VolumeSnapshotContent> = contents(facts).map(|one| (name(one), one)).collect();
    let classes: HashMap<&str, &str> = facts
        .volume_snapshot_classes
        .seen()
        .into_iter()
        .flatten()
        .map(|class| (class.metadata.name.as_str(), class.driver.as_str()))
        .collect();
    let mut all = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        let bound = snapshot.status.bound_volume_snapshot_content_name.as_deref();
        let content = bound.and_then(|name| contents.get(name).copied());
        let class = snapshot.spec.volume_snapshot_class_name.as_deref();
        let by_class = || class.and_then(|class| classes.get(class).copied());
        let driver = content.map(|content| content.spec.driver.as_str()).or_else(by_class);
        all.push(Existing { snapshot, content, driver });
    }
    Some(all)
}

/// All `VolumeSnapshotContents` that could be read.
pub(crate) fn contents(facts: &Facts) -> impl Iterator<Item = &VolumeSnapshotContent> {
    facts.volume_snapshot_contents.seen().into_iter().flatten()
}

fn name(content: &VolumeSnapshotContent) -> &str {
    &content.metadata.name
}

/// How long ago something was, by the time of the facts; nothing if the clocks differ.
pub(crate) fn age(facts: &Facts, since: Option<Timestamp>) -> SignedDuration {
    since.map_or(SignedDuration::ZERO, |since| facts.collected_at.duration_since(since).max(SignedDuration::ZERO))
}

/// `5 min`, `3 h`, `12 days`.
pub(crate) fn in_words(age: SignedDuration) -> String {
    match age.as_hours() {
        0 => format!("{} min", age.as_mins()),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} days", hours / 24),
    }
}

/// Evidence from a `VolumeSnapshot`.
pub(crate) fn seen(metadata: &Metadata, path: &str, value: impl Into<String>) -> Evidence {
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    Evidence::namespaced("VolumeSnapshot", namespace, &metadata.name, path, value)
}

/// Evidence from a `VolumeSnapshotContent`.
pub(crate) fn seen_content(metadata: &Metadata, path: &str, value: impl Into<String>) -> Evidence {
    Evidence::cluster("VolumeSnapshotContent", &metadata.name, path, value)
}
