//! Which drivers a cluster knows.

use std::collections::BTreeSet;

use crate::model::facts::Facts;

/// The drivers that have a `CSIDriver` or have registered with a node.
#[must_use]
pub fn registered_drivers(facts: &Facts) -> BTreeSet<String> {
    let objects = facts.csi_drivers.seen().into_iter().flatten().map(|driver| driver.metadata.name.clone());
    let nodes = facts.csi_nodes.seen().into_iter().flatten();
    objects.chain(nodes.flat_map(|node| node.spec.drivers.iter().map(|driver| driver.name.clone()))).collect()
}

/// Whether a driver has a `CSIDriver` or has registered with a node.
#[must_use]
pub fn is_registered(facts: &Facts, driver: &str) -> bool {
    let object = facts.csi_drivers.seen().into_iter().flatten().any(|known| known.metadata.name == driver);
    object || facts.csi_nodes.seen().into_iter().flatten().any(|node| node.has(driver))
}

/// Whether it is certain that a driver is not installed: both places that would name it were seen, and neither does.
#[must_use]
pub fn is_surely_unregistered(facts: &Facts, driver: &str) -> bool {
    facts.csi_drivers.seen().is_some() && facts.csi_nodes.seen().is_some() && !is_registered(facts, driver)
}

/// In the place of a provisioner: nobody makes volumes of the class (kubernetes.io/docs/concepts/storage/storage-classes, Local).
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Whether a provisioner is one of Kubernetes' own old ones. Volumes of those have no CSI source, even when a CSI
/// driver does their work by now, and the snapshot-controller refuses them.
#[must_use]
pub fn is_in_tree(provisioner: &str) -> bool {
    provisioner.starts_with("kubernetes.io/")
}
