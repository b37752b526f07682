//! Whether a snapshot-controller is there.

use crate::controller::find::{Presence, snapshot_controllers};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::Command;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::running::Running;
use crate::upstream;
use crate::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR111",
    slug: "snapshot-controller-installed",
    title: "A snapshot-controller is installed",
    group: Group::Controller,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: &[
        Need::Workloads,
        Need::Leases,
        Need::ServerVersion,
        Need::CsiDrivers,
        Need::CsiNodes,
        Need::StorageClasses,
        Need::VolumeSnapshotContents,
    ],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    match snapshot_controllers(facts) {
        Presence::Present { installations, proof } if installations.is_empty() => findings.push(
            Finding::new(
                Status::Pass,
                format!("it is out of sight, but {} {} proves it", proof.kind, proof.name),
            )
            .evidence(proof),
        ),
        Presence::Present { installations, .. } => {
            let places: Vec<String> = installations.iter().map(Running::place).collect();
            findings.pass(list(places.iter().map(String::as_str)));
        }
        Presence::Unknown { why } => findings.unknown(format!("no snapshot-controller is visible: {why}")),
        Presence::Absent { because, evidence } => findings.push(
            Finding::new(Status::Fail, format!("there is no snapshot-controller: {because}"))
                .evidence(evidence.unwrap_or_else(|| Evidence::cluster("Pods", "all namespaces", "spec.containers", "no snapshot-controller")))
                .cause("Without it a VolumeSnapshot stays without status and events for ever. It does not come with Kubernetes.")
                .fix(install(facts)),
        ),
    }
}

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
