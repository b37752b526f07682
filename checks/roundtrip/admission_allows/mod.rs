//! The cluster admits the objects of the round trip.

use crate::model::check::{Check, Group, How, Severity};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR311",
    slug: "admission-allows",
    title: "The cluster admits the objects of the round trip",
    group: Group::Roundtrip,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};
