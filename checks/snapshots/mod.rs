//! `VolumeSnapshots` and `VolumeSnapshotContents` that exist.

pub mod snapshot_contents_have_snapshots;
pub mod snapshot_deletions_end;
pub mod snapshot_restore_sizes;
pub mod snapshots_become_ready;
pub mod snapshots_kept_by_gitops;
pub mod snapshots_per_volume;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &snapshots_become_ready::CHECK,
    &snapshot_deletions_end::CHECK,
    &snapshot_contents_have_snapshots::CHECK,
    &snapshots_per_volume::CHECK,
    &snapshot_restore_sizes::CHECK,
    &snapshots_kept_by_gitops::CHECK,
];
