//! The `VolumeSnapshotClass` can be used.

use crate::model::check::{Check, Group, How, Severity};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR305",
    slug: "snapshot-class-usable",
    title: "The VolumeSnapshotClass can be used",
    group: Group::Roundtrip,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};
