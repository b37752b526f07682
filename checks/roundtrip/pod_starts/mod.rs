//! The pods of the round trip start.

use crate::model::check::{Check, Group, How, Severity};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR310",
    slug: "pod-starts",
    title: "The pods of the round trip start",
    group: Group::Roundtrip,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};
