//! What the caller may do.

pub mod round_trip_access;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[&round_trip_access::CHECK];
