//! How to install what is missing: a snapshot-controller, or a driver.

use crate::knowledge::upstream;
use crate::model::command::{Command, kubectl};
use crate::model::facts::Facts;
use crate::model::finding::Fix;

/// How to install one.
#[must_use]
pub fn install(facts: &Facts) -> Fix {
    let version = facts.server_version.seen().map_or("", |version| version.git_version.as_str());
    if version.contains("-eks-") {
        return Fix::text("Install the EKS add-on snapshot-controller; it brings the CRDs as well.").command(
            Command::new("aws")
                .words("eks create-addon --addon-name snapshot-controller --cluster-name")
                .shell("\"$CLUSTER\""),
        );
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
