//! How to install what is missing: a snapshot-controller, or a driver.

use crate::knowledge::control_plane::bundled::bundled;
use crate::knowledge::upstream;
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::Fix;

/// How to install one.
#[must_use]
pub fn install(facts: &Facts) -> Fix {
    if let Some(bundled) = bundled(facts).first() {
        return bundled.install();
    }
    Fix::text(
        "Install one snapshot-controller, of the release that the CRDs have; ask the distribution for its own first.",
    )
    .command(upstream::apply(upstream::CONTROLLER, upstream::NEWEST))
}

/// What to do about a driver that runs nowhere.
pub(crate) fn fix_driver() -> Fix {
    Fix::text("Look at what installed the driver: the log of its operator, or its chart's release.")
        .command(kubectl("get deployments,statefulsets,daemonsets --all-namespaces"))
}
