//! The snapshot-controller.

pub mod snapshot_controller_installed;
pub mod snapshot_controller_leads;
pub mod snapshot_controller_ready;
pub mod snapshot_controller_rights;
pub mod snapshot_controller_throughput;
pub mod snapshot_controller_unique;
pub mod snapshot_controller_version;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &snapshot_controller_rights::CHECK,
    &snapshot_controller_leads::CHECK,
    &snapshot_controller_installed::CHECK,
    &snapshot_controller_ready::CHECK,
    &snapshot_controller_unique::CHECK,
    &snapshot_controller_throughput::CHECK,
    &snapshot_controller_version::CHECK,
];
