//! What the round trip reports under ids of its own. It is carried out by the program; here is what is known about each.

pub mod admission_allows;
pub mod data_intact;
pub mod everything_removed;
pub mod pod_starts;
pub mod provisioning_succeeds;
pub mod restore_succeeds;
pub mod round_trip;
pub mod snapshot_class_usable;
pub mod snapshot_controller_works;
pub mod snapshot_driver_matches;
pub mod snapshot_sidecar_works;
pub mod snapshot_succeeds;
pub mod write_succeeds;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &round_trip::CHECK,
    &data_intact::CHECK,
    &snapshot_controller_works::CHECK,
    &snapshot_sidecar_works::CHECK,
    &snapshot_class_usable::CHECK,
    &snapshot_driver_matches::CHECK,
    &snapshot_succeeds::CHECK,
    &provisioning_succeeds::CHECK,
    &restore_succeeds::CHECK,
    &pod_starts::CHECK,
    &admission_allows::CHECK,
    &everything_removed::CHECK,
    &write_succeeds::CHECK,
];
