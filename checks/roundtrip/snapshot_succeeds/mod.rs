//! The driver makes the snapshot.

use crate::model::check::{Check, Group, How, Severity};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR307",
    slug: "snapshot-succeeds",
    title: "The driver makes the snapshot",
    group: Group::Roundtrip,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};
