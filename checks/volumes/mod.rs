//! Claims and volumes.

pub mod claims_can_be_snapshotted;
pub mod storage_classes_of_claims_exist;
pub mod volume_driver_is_provisioner;
pub mod volumes_are_csi_volumes;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &claims_can_be_snapshotted::CHECK,
    &storage_classes_of_claims_exist::CHECK,
    &volume_driver_is_provisioner::CHECK,
    &volumes_are_csi_volumes::CHECK,
];
