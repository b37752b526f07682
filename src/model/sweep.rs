//! How long snapshot and restore take with volumes of several sizes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapready_checks::knowledge::growth::{Growth, Point, growth};
use snapready_checks::model::finding::Status;
use snapready_checks::model::round_trip::{StepId, VolumeMode};

use crate::model::report::{RoundTrip, is_plain_mode, plain_mode};

/// What round trips that differ in nothing but their size have shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// The `StorageClass`.
    pub storage_class: String,
    /// The `VolumeSnapshotClass`, if one could be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_class: Option<String>,
    /// The volume mode.
    pub volume_mode: VolumeMode,
    /// The mode of the round trips; absent for `plain`.
    #[serde(default = "plain_mode", skip_serializing_if = "is_plain_mode")]
    pub mode: String,
    /// What was measured, the smallest size first.
    pub sizes: Vec<SweptSize>,
    /// How the time until the snapshot is ready depends on the size.
    pub snapshot: Growth,
    /// How the time until the restored volume is mounted depends on the size.
    pub restore: Growth,
}

/// One size of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SweptSize {
    /// The size that was asked for, in bytes.
    pub size_bytes: u64,
    /// The size that the storage gave the volume, in bytes, if it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_bytes: Option<u64>,
    /// How long it took until the snapshot was ready, in milliseconds; absent if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_ms: Option<u64>,
    /// How long it took until the restored volume was mounted, in milliseconds; absent if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_ms: Option<u64>,
}

impl SweptSize {
    /// The size of the volume, as far as it is known.
    #[must_use]
    pub fn volume_bytes(&self) -> u64 {
        self.capacity_bytes.unwrap_or(self.size_bytes)
    }
}

impl Sweep {
    /// How long the snapshots took.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Point> {
        points(&self.sizes, |size| size.snapshot_ms)
    }

    /// How long the restores took.
    #[must_use]
    pub fn restores(&self) -> Vec<Point> {
        points(&self.sizes, |size| size.restore_ms)
    }
}

fn points(sizes: &[SweptSize], took: impl Fn(&SweptSize) -> Option<u64>) -> Vec<Point> {
    let point = |size: &SweptSize| Some(Point { bytes: size.volume_bytes(), milliseconds: took(size)? });
    sizes.iter().filter_map(point).collect()
}

/// What the round trips of a run have shown about sizes, in the order of the round trips; nothing if it tried one.
#[must_use]
pub fn sweeps(trips: &[RoundTrip]) -> Vec<Sweep> {
    let mut sweeps: Vec<Sweep> = Vec::new();
    for trip in trips {
        let Some(size_bytes) = trip.size_bytes else { continue };
        let size = SweptSize {
            size_bytes,
            capacity_bytes: trip.capacity_bytes,
            snapshot_ms: trip.took(StepId::Snapshot),
            restore_ms: trip.took(StepId::Restore),
        };
        let same = |sweep: &&mut Sweep| {
            (&sweep.storage_class, &sweep.snapshot_class, sweep.volume_mode, &sweep.mode)
                == (&trip.storage_class, &trip.snapshot_class, trip.volume_mode, &trip.mode)
        };
        match sweeps.iter_mut().find(same) {
            Some(sweep) => sweep.sizes.push(size),
            None => sweeps.push(Sweep {
                storage_class: trip.storage_class.clone(),
                snapshot_class: trip.snapshot_class.clone(),
                volume_mode: trip.volume_mode,
                mode: trip.mode.clone(),
                sizes: vec![size],
                snapshot: growth(&[]),
                restore: growth(&[]),
            }),
        }
    }
    for sweep in &mut sweeps {
        sweep.sizes.sort_by_key(|size| size.size_bytes);
        sweep.snapshot = growth(&sweep.snapshots());
        sweep.restore = growth(&sweep.restores());
    }
    sweeps
}

impl RoundTrip {
    /// How long a step took, in milliseconds, if it passed.
    #[must_use]
    pub fn took(&self, step: StepId) -> Option<u64> {
        self.steps.iter().find(|one| one.id == step && one.status == Status::Pass)?.duration_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Step;

    fn trip(storage_class: &str, gib: Option<u64>, snapshot_ms: u64, restore: (Status, u64)) -> RoundTrip {
        let step =
            |id, status, took| Step { id, status, message: String::new(), started_at: None, duration_ms: Some(took) };
        RoundTrip {
            storage_class: storage_class.to_owned(),
            snapshot_class: None,
            volume_mode: VolumeMode::Block,
            mode: plain_mode(),
            size_bytes: gib.map(|gib| gib << 30),
            capacity_bytes: None,
            driver: None,
            namespace: String::new(),
            pod_user: None,
            status: Status::Pass,
            data: None,
            diagnosis: None,
            steps: vec![step(StepId::Snapshot, Status::Pass, snapshot_ms), step(StepId::Restore, restore.0, restore.1)],
            objects: Vec::new(),
            source: None,
            contents: None,
        }
    }

    #[test]
    fn round_trips_that_differ_in_their_size_alone_are_put_side_by_side() {
        let trips = [
            trip("a", Some(10), 900, (Status::Pass, 90_000)),
            trip("b", Some(10), 900, (Status::Fail, 90_000)),
            trip("a", Some(1), 900, (Status::Pass, 9_000)),
            trip("b", Some(1), 900, (Status::Pass, 9_000)),
        ];
        let sweeps = sweeps(&trips);
        let [a, b] = sweeps.as_slice() else { panic!("{sweeps:?}") };
        assert_eq!((&*a.storage_class, a.sizes[0].size_bytes, a.sizes[1].size_bytes), ("a", 1 << 30, 10 << 30));
        assert_eq!(a.restore, Growth::Grows { milliseconds_per_gib: 9_000 });
        assert_eq!(a.snapshot, Growth::Constant { at_most_milliseconds_per_gib: 334 });
        // What failed took no time that counts.
        assert_eq!(b.sizes[1].restore_ms, None);
        assert!(matches!(b.restore, Growth::Unknown { .. }), "{b:?}");
        assert_eq!(super::sweeps(&[trip("a", None, 900, (Status::Pass, 900))]), []);
    }

    #[test]
    fn the_size_that_counts_is_the_one_that_the_volume_has() {
        let got = |gib, got: u64, took| RoundTrip {
            capacity_bytes: Some(got << 30),
            ..trip("a", Some(gib), 900, (Status::Pass, took))
        };
        let told = |trips: &[RoundTrip]| sweeps(trips).remove(0).restore;
        assert!(matches!(told(&[got(1, 10, 1_000), got(10, 10, 90_000)]), Growth::Unknown { .. }));
        assert_eq!(told(&[got(1, 10, 1_000), got(10, 100, 91_000)]), Growth::Grows { milliseconds_per_gib: 1_000 });
    }
}
