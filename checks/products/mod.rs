//! Backup products. Their checks are asked only if a product is named with `--for`.

pub mod product_finds_a_class;
pub mod velero_takes_csi_snapshots;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[&product_finds_a_class::CHECK, &velero_takes_csi_snapshots::CHECK];
