//! Backup products.

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[];
