//! Whether the drivers of the `StorageClasses` are installed.

use std::collections::BTreeSet;

use crate::knowledge::classes::choose::default_storage_class;
use crate::knowledge::drivers::object::without_object;
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

fn look(facts: &Facts, driver: &str, classes: &[&str], is_default: bool) -> Finding {
    if is_in_tree(driver) {
        return Finding::new(Status::Skip, format!("{driver} is not a CSI driver: its volumes cannot be snapshotted"));
    }
    if let Some(finding) = without_object(facts, driver) {
        return finding;
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
