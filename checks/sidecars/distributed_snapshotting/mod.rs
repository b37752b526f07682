//! Whether a snapshot-controller hands snapshots to the sidecars of the nodes, where each node has one of its own.

use crate::knowledge::control_plane::arguments::is_on;
use crate::knowledge::control_plane::commands::edit;
use crate::knowledge::control_plane::containers::{is_csi_snapshotter, is_snapshot_controller};
use crate::knowledge::control_plane::running::{Running, running};
use crate::knowledge::control_plane::sidecars::sidecars;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::sidecars::SIGNS;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR126",
    slug: "distributed-snapshotting",
    title: "The snapshot-controller hands snapshots to sidecars that run per node",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods],
    uses: SIGNS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// external-snapshotter 5.0 and later.
const HANDS_OUT: &str = "enable-distributed-snapshotting";

fn run(facts: &Facts, findings: &mut Findings) {
    let all = sidecars(facts, is_csi_snapshotter);
    let per_node: Vec<_> = all.iter().filter(|sidecar| is_on(sidecar.running.container, "node-deployment")).collect();
    if per_node.is_empty() {
        findings.skip("no csi-snapshotter runs per node");
        return;
    }
    let controllers = running(facts, is_snapshot_controller);
    for sidecar in per_node {
        let target = sidecar.drivers.first().cloned().unwrap_or_else(|| sidecar.running.place());
        let finding = match controllers.iter().find(|controller| is_on(controller.container, HANDS_OUT)) {
            Some(controller) => Finding::new(Status::Pass, format!("{} hands them out", controller.place())),
            None => not_handed_out(&sidecar.running, controllers.first()),
        };
        findings.push(finding.target(target).drivers(&sidecar.drivers).strands());
    }
}

fn not_handed_out(sidecar: &Running<'_>, controller: Option<&Running<'_>>) -> Finding {
    let arguments = "spec.template.spec.containers[].args";
    let place = sidecar.place();
    let seen = sidecar.evidence(arguments, sidecar.container.args.join(" "));
    let Some(controller) = controller else {
        let message = format!(
            "the csi-snapshotter of {place} runs per node; no snapshot-controller is visible that would show whether it has --{HANDS_OUT}"
        );
        return Finding::new(Status::Unknown, message).evidence(seen);
    };
    let fix = Fix::text(format!(
        "Add --{HANDS_OUT}=true to the arguments of {}, and get, list and watch on nodes to its ClusterRole.",
        controller.place()
    ));
    Finding::new(
        Status::Fail,
        format!("the csi-snapshotter of {place} runs per node, and {} does not hand snapshots to nodes", controller.place()),
    )
    .evidence(seen)
    .evidence(controller.evidence(arguments, controller.container.args.join(" ")))
    .cause(format!(
        "With --node-deployment a csi-snapshotter works only on contents with its node's label, which the controller sets only with --{HANDS_OUT}: no snapshot is ever made."
    ))
    .fix(fix.commands(edit(controller)))
}
