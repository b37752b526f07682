//! `StorageClasses` and `VolumeSnapshotClasses`.

pub mod backup_product_marks;
pub mod default_snapshot_class;
pub mod snapshot_class_driver_known;
pub mod snapshot_class_secrets_exist;
pub mod storage_class_has_snapshot_class;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &storage_class_has_snapshot_class::CHECK,
    &default_snapshot_class::CHECK,
    &snapshot_class_driver_known::CHECK,
    &snapshot_class_secrets_exist::CHECK,
    &backup_product_marks::CHECK,
];
