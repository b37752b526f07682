//! Whether the drivers of the `StorageClasses` are installed.

use std::collections::BTreeSet;

use crate::knowledge::classes::choose::default_storage_class;
use crate::knowledge::control_plane::containers::is_csi_attacher;
use crate::knowledge::control_plane::sidecars::{Sidecar, controller_part_of, sidecars};
use crate::knowledge::drivers::registered::{is_in_tree, is_registered};
use crate::knowledge::drivers::table::known_driver;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR201",
    slug: "csi-driver-registered",
    title: "The CSI drivers of the StorageClasses are installed",
    group: Group::Drivers,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::StorageClasses, Need::CsiDrivers, Need::CsiNodes],
    uses: &[Need::Pods, Need::Workloads, Need::Leases, Need::VolumeSnapshotClasses],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.storage_classes.seen() else {
        return;
    };
    if classes.is_empty() {
        findings.skip("there is no StorageClass");
    }
    let provisioners: BTreeSet<&str> = classes.iter().map(|class| class.provisioner.as_str()).collect();
    for driver in provisioners {
        let names: Vec<&str> = classes
            .iter()
            .filter(|class| class.provisioner == driver)
            .map(|class| class.metadata.name.as_str())
            .collect();
        let is_default = default_storage_class(classes).is_some_and(|class| class.provisioner == driver);
        findings.push(look(facts, driver, &names, is_default).target(driver));
    }
}

/// Nodes have registered the driver, and its `CSIDriver` is gone. Kubernetes then takes its volumes for such that have to be
/// attached (`pkg/volume/csi/csi_plugin.go`, `skipAttach`), which only a csi-attacher does.
fn without_object(facts: &Facts, driver: &str) -> Finding {
    let attachers = sidecars(facts, is_csi_attacher);
    let may_be_its_own = |sidecar: &&Sidecar<'_>| sidecar.drivers.is_empty() || sidecar.serves(driver);
    let attacher = attachers.iter().find(may_be_its_own);
    let controller = controller_part_of(facts, driver);
    let message = format!("nodes have registered {driver}, but its CSIDriver object is gone");
    let finding = match (attacher, controller) {
        (Some(attacher), _) => Finding::new(Status::Warn, message)
            .evidence(attacher.running.evidence("spec.template.spec.containers", &attacher.running.container.image))
            .cause("Its csi-attacher attaches volumes all the same, but what the object says of pods, permissions and capacity is lost."),
        (None, Some(part)) => Finding::new(Status::Fail, message)
            .evidence(part.evidence("spec.template.spec.containers", "no csi-attacher"))
            .cause("Without the object Kubernetes waits until its volumes are attached, and the driver has no csi-attacher that would do it: no pod that uses its volumes starts."),
        (None, None) => Finding::new(Status::Unknown, message)
            .cause("Without the object Kubernetes waits until its volumes are attached. Whether a csi-attacher does that cannot be seen."),
    };
    finding.evidence(Evidence::cluster("CSIDriver", driver, "metadata.name", "does not exist")).fix(
        Fix::text("Create it again through what installed the driver.").command(kubectl("get csidrivers,csinodes")),
    )
}

fn look(facts: &Facts, driver: &str, classes: &[&str], is_default: bool) -> Finding {
    if is_in_tree(driver) {
        return Finding::new(Status::Skip, format!("{driver} is not a CSI driver: its volumes cannot be snapshotted"));
    }
    let objects = facts.csi_drivers.seen().into_iter().flatten();
    if is_registered(facts, driver) && !objects.into_iter().any(|known| known.metadata.name == driver) {
        return without_object(facts, driver);
    }
    if is_registered(facts, driver) {
        return Finding::new(Status::Pass, format!("{driver} is installed"));
    }
    let known = known_driver(driver);
    if known.is_some_and(|known| !known.is_csi) {
        return Finding::new(Status::Skip, format!("{driver} is not a CSI driver: its volumes cannot be snapshotted"));
    }
    let Some(known) = known else {
        return Finding::new(
            Status::Skip,
            format!("{driver} has not registered as a CSI driver, so it is none, or it is not installed"),
        );
    };
    let status = if is_default { Status::Fail } else { Status::Warn };
    let finding =
        Finding::new(status, format!("{driver} ({}) is not installed, but StorageClasses use it", known.product))
            .cause("There is no CSIDriver of this name, and no node has registered it.")
            .fix(
                Fix::text("Install the driver, or delete the StorageClasses.")
                    .command(kubectl("get csidrivers,csinodes")),
            );
    classes.iter().take(5).fold(finding, |finding, class| {
        finding.evidence(Evidence::cluster("StorageClass", class, "provisioner", driver))
    })
}
