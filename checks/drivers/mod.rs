//! CSI drivers and their nodes.

pub mod csi_driver_on_nodes;
pub mod csi_driver_registered;
pub mod driver_release;
pub mod driver_switches;
pub mod snapshot_class_quirks;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &csi_driver_registered::CHECK,
    &driver_release::CHECK,
    &driver_switches::CHECK,
    &csi_driver_on_nodes::CHECK,
    &snapshot_class_quirks::CHECK,
];
