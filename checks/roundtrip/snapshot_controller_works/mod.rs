//! The snapshot-controller works on snapshots.

use crate::model::check::{Check, Group, How, Severity};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR303",
    slug: "snapshot-controller-works",
    title: "The snapshot-controller works on snapshots",
    group: Group::Roundtrip,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};
