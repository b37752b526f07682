//! The driver makes a volume from the snapshot. The rules are those of [`crate::roundtrip::provisioning_succeeds`]: the same component
//! provisions, with a source.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check =
    check("SR309", "restore-succeeds", "The driver makes a volume from the snapshot", include_str!("doc.md"));
