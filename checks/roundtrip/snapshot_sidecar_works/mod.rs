//! The driver's csi-snapshotter works on snapshots.

use crate::model::check::{Check, Group, How, Severity};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR304",
    slug: "snapshot-sidecar-works",
    title: "The driver's csi-snapshotter works on snapshots",
    group: Group::Roundtrip,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};
