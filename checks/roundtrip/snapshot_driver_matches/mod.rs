//! The `VolumeSnapshotClass` is for the volume's driver.

use crate::model::check::{Check, Group, How, Severity};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR306",
    slug: "snapshot-driver-matches",
    title: "The VolumeSnapshotClass is for the volume's driver",
    group: Group::Roundtrip,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};
