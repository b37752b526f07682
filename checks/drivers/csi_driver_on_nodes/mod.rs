//! Whether the drivers have registered with nodes, so that pods can use their volumes.

use std::collections::BTreeSet;

use crate::knowledge::control_plane::install::fix_driver;
use crate::knowledge::control_plane::presence::runs_nowhere;
use crate::knowledge::drivers::registered::is_in_tree;
use crate::knowledge::nodes::takes_any_pod;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::CsiNode;
use crate::model::need::Need;
use crate::text::names::fix_with;
use crate::text::words::{list, plural};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR202",
    slug: "csi-driver-on-nodes",
    title: "The CSI drivers of the StorageClasses run on nodes",
    group: Group::Drivers,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::StorageClasses, Need::CsiDrivers, Need::CsiNodes],
    uses: &[Need::Nodes, Need::Pods, Need::Workloads, Need::Leases, Need::VolumeSnapshotClasses],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let (Some(classes), Some(drivers), Some(nodes)) =
        (facts.storage_classes.seen(), facts.csi_drivers.seen(), facts.csi_nodes.seen())
    else {
        return;
    };
    if nodes.is_empty() {
        findings.unknown("the cluster has no CSINode: it has no nodes, or their kubelets do not report drivers");
        return;
    }
    let provisioners: BTreeSet<&str> = classes.iter().map(|class| class.provisioner.as_str()).collect();
    let mut looked = false;
    for driver in provisioners.into_iter().filter(|driver| !is_in_tree(driver)) {
        let here = nodes.iter().filter(|node| node.has(driver)).count();
        let has_object = drivers.iter().any(|known| known.metadata.name == driver);
        if here > 0 {
            looked = true;
            let message = format!("{driver} has registered with {here} of {}", plural(nodes.len(), "node"));
            let lacking = open_nodes_without(facts, nodes, driver);
            let finding = if lacking.is_empty() {
                Finding::new(Status::Pass, message)
            } else {
                not_everywhere(&message, &lacking)
            };
            findings.push(finding.target(driver));
        } else if has_object {
            looked = true;
            let is_nowhere = runs_nowhere(facts, driver);
            let cause = if is_nowhere {
                "No pod of the driver is visible, neither of its controller nor of its node plugin: its operator or chart did not deploy them. No pod can use its volumes."
            } else {
                "The driver's node pods do not run, or do not get through to the kubelet. No pod can use its volumes."
            };
            let daemon_sets =
                || Fix::text("Look at the driver's DaemonSet.").command(kubectl("get daemonsets --all-namespaces"));
            let fix = if is_nowhere { fix_driver() } else { daemon_sets() };
            findings.push(
                Finding::new(Status::Fail, format!("{driver} has registered with no node"))
                    .target(driver)
                    .evidence(Evidence::cluster("CSIDriver", driver, "metadata.name", driver))
                    .evidence(Evidence::cluster(
                        "CSINode",
                        "all",
                        "spec.drivers",
                        format!("not among the drivers of {}", plural(nodes.len(), "node")),
                    ))
                    .cause(cause)
                    .fix(fix.command(kubectl("get csinodes"))),
            );
        }
    }
    if !looked {
        findings.skip("no StorageClass uses an installed CSI driver");
    }
}

/// The nodes that take any pod, and that a driver has not registered with. Where its volumes are placed by labels, the
/// scheduler keeps pods away from nodes without the driver, which have none of them.
fn open_nodes_without<'a>(facts: &'a Facts, registered: &[CsiNode], driver: &str) -> Vec<&'a str> {
    let has_topology = registered
        .iter()
        .flat_map(|node| &node.spec.drivers)
        .any(|known| known.name == driver && !known.topology_keys.is_empty());
    if has_topology {
        return Vec::new();
    }
    let has_it = |name: &str| {
        let mut same = registered.iter().filter(|node| node.metadata.name == name);
        same.any(|node| node.has(driver))
    };
    let nodes = facts.nodes.seen().into_iter().flatten().filter(|node| takes_any_pod(node));
    nodes.map(|node| node.metadata.name.as_str()).filter(|name| !has_it(name)).collect()
}

fn not_everywhere(message: &str, lacking: &[&str]) -> Finding {
    let finding = Finding::new(Status::Warn, format!("{message}; not with {}", list(lacking.iter().copied())));
    let fix =
        Fix::text("Look at the driver's DaemonSet: which nodes it selects and tolerates, and its pods on these nodes.");
    let fix = match lacking.first() {
        Some(first) => fix_with(fix, [*first], |[node]| {
            kubectl("get pods --all-namespaces -o wide --field-selector").word(format!("spec.nodeName={node}"))
        }),
        None => fix,
    };
    lacking
        .iter()
        .take(5)
        .fold(finding, |finding, node| finding.evidence(Evidence::cluster("CSINode", node, "spec.drivers", "not among them")))
        .cause("These nodes take any pod, and the scheduler does not know that the driver is missing there: a pod with one of its volumes waits in ContainerCreating.")
        .fix(fix)
}
