//! What the round trip reports under ids of its own. It is carried out by the program; here is what is known about each
//! fault: a folder holds the rules that report under its id. [`crate::diagnosis`] asks them.

pub mod admission_allows;
pub mod data_intact;
pub mod device_denied;
pub mod everything_removed;
pub mod pod_starts;
pub mod provisioning_succeeds;
pub mod restore_succeeds;
pub mod round_trip;
pub mod snapshot_class_usable;
pub mod snapshot_controller_works;
pub mod snapshot_driver_matches;
pub mod snapshot_sidecar_works;
pub mod snapshot_succeeds;
pub mod write_succeeds;

use crate::model::check::{Check, Group, How, Severity};

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &round_trip::CHECK,
    &data_intact::CHECK,
    &snapshot_controller_works::CHECK,
    &snapshot_sidecar_works::CHECK,
    &snapshot_class_usable::CHECK,
    &snapshot_driver_matches::CHECK,
    &snapshot_succeeds::CHECK,
    &provisioning_succeeds::CHECK,
    &restore_succeeds::CHECK,
    &pod_starts::CHECK,
    &admission_allows::CHECK,
    &everything_removed::CHECK,
    &write_succeeds::CHECK,
];

/// A check that only a round trip carries out.
const fn check(id: &'static str, slug: &'static str, title: &'static str, doc: &'static str) -> Check {
    Check {
        id,
        slug,
        title,
        group: Group::Roundtrip,
        severity: Severity::Error,
        since: "0.1.0",
        needs: &[],
        uses: &[],
        doc,
        how: How::RoundTrip,
    }
}
