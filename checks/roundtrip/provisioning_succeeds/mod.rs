//! The driver makes the source volume.

use crate::model::check::Check;
use crate::roundtrip::{check, restore_succeeds};

/// See `doc.md`.
pub const CHECK: Check =
    check("SR308", "provisioning-succeeds", "The driver makes the source volume", include_str!("doc.md"));

// A restore is a provisioning with a source, by the same component: these rules report under SR309 during a restore.
mod classes;
mod refused;
mod silent;

pub use classes::foreseen;
pub(crate) use refused::{driver_refuses, failures, lost, missing_right, refused_for_good};
pub(crate) use silent::{no_driver, no_provisioner, provisioner_out_of_service, provisioner_silenced};

use crate::model::round_trip::StepId;
use crate::moment::{Explanation, Moment};

/// The check that a claim which is not bound is about.
pub(crate) fn check_of(moment: &Moment<'_>) -> &'static Check {
    if moment.step == StepId::Provision { &CHECK } else { &restore_succeeds::CHECK }
}

fn not_bound(moment: &Moment<'_>, claim: &str, why: &str) -> Explanation {
    let what = if moment.step == StepId::Provision { "is not provisioned" } else { "is not restored" };
    Explanation::fail(check_of(moment), &format!("claim {claim} {what}: {why}")).about(moment.subject)
}
