//! Which driver a sidecar container belongs to. Nothing in the API says so; the signs are taken in falling order of
//! certainty, and a sign that fits several drivers is none.

use std::collections::BTreeSet;

use crate::knowledge::control_plane::containers::{is_controller_part, is_csi_snapshotter};
use crate::knowledge::control_plane::leases::SNAPSHOTTER_LEASE;
use crate::knowledge::control_plane::node_plugins::{FLAGS, VARIABLES};
use crate::knowledge::control_plane::running::{Running, running};
use crate::knowledge::control_plane::signs::Signs;
use crate::model::facts::Facts;
use crate::model::interest::Interest;
use crate::model::kubernetes::Container;

/// What is read of pods here, and so kept of them: sidecars and node plugins, and what names their driver by convention.
pub const INTEREST: Interest = Interest {
    words: &["csi", "snapshotter"],
    host_paths: &["/plugins/", "/plugins_registry"],
    variables: VARIABLES,
    flags: FLAGS,
};

/// A sidecar and its driver.
#[derive(Debug, Clone)]
pub struct Sidecar<'a> {
    /// The workload that runs it.
    pub running: Running<'a>,
    /// Its driver, and what says so; `None` if nothing does. A pod with several drivers has several.
    pub drivers: Vec<String>,
    /// What says so.
    pub by: Option<Sign>,
}

impl Sidecar<'_> {
    /// What findings about it are about: its workload and its container, since several may stand in a pod.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}/{}", self.running.place(), self.running.container.name)
    }

    /// Whether it serves a driver.
    #[must_use]
    pub fn serves(&self, driver: &str) -> bool {
        self.drivers.iter().any(|name| name == driver)
    }
}

/// A sign that a sidecar belongs to a driver, the most certain first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Its pod holds the lease of the driver's csi-snapshotter.
    SnapshotterLease,
    /// Its pod holds the lease of another sidecar of the driver.
    OtherLease,
    /// An argument or a variable of its pod names the driver.
    Argument,
    /// Its pod mounts the folder of the driver's socket.
    Socket,
    /// The driver beside it is the one that the driver's node plugin runs.
    NodePlugin,
    /// It looks for the socket that the node plugin of the same image sets by the same flag as the driver's.
    Endpoint,
    /// The driver beside it has an image that is known.
    Image,
    /// It shares a label or a Helm release with the `CSIDriver` or the node plugin.
    Label,
    /// The driver is the only one whose node pods are in its namespace, and no other may have its controller there.
    Namespace,
    /// The cluster has no other driver.
    OnlyDriver,
}

/// The sidecars of a kind, each with its driver.
pub fn sidecars(facts: &Facts, matches: fn(&Container) -> bool) -> Vec<Sidecar<'_>> {
    let all = running(facts, matches);
    if all.is_empty() {
        return Vec::new();
    }
    let signs = Signs::of(facts);
    all.into_iter().map(|running| sidecar(&signs, running)).collect()
}

fn sidecar<'a>(signs: &Signs<'_>, running: Running<'a>) -> Sidecar<'a> {
    const OTHERS: &[&str] = &["", "external-resizer-", "external-attacher-leader-"];
    let found: [(Sign, BTreeSet<String>); 10] = [
        (Sign::SnapshotterLease, signs.by_lease(&running, &[SNAPSHOTTER_LEASE])),
        (Sign::OtherLease, signs.by_lease(&running, OTHERS)),
        (Sign::Argument, signs.by_argument(&running)),
        (Sign::Socket, signs.by_socket(&running)),
        (Sign::NodePlugin, signs.by_node_plugin(&running)),
        (Sign::Endpoint, signs.by_endpoint(&running)),
        (Sign::Image, signs.by_image(&running)),
        (Sign::Label, signs.by_label(&running)),
        (Sign::Namespace, signs.by_namespace(&running)),
        (Sign::OnlyDriver, signs.registered.clone()),
    ];
    // A lease is held for one driver each, so several are true together; other signs must be unambiguous.
    let certain = |sign: Sign| matches!(sign, Sign::SnapshotterLease | Sign::OtherLease);
    let mut found = found.into_iter().filter(|(_, drivers)| !drivers.is_empty());
    let found = found.find(|(sign, drivers)| drivers.len() == 1 || certain(*sign));
    let (by, drivers) = found.map_or((None, BTreeSet::new()), |(sign, drivers)| (Some(sign), drivers));
    Sidecar { running, drivers: drivers.into_iter().collect(), by }
}

/// A visible workload that is part of a driver's controller.
pub fn controller_part_of<'a>(facts: &'a Facts, driver: &str) -> Option<Running<'a>> {
    sidecar_in_sight(facts, driver, is_controller_part)
}

/// The first visible sidecar of a kind that serves a driver.
pub fn sidecar_in_sight<'a>(facts: &'a Facts, driver: &str, matches: fn(&Container) -> bool) -> Option<Running<'a>> {
    sidecars(facts, matches).into_iter().find(|sidecar| sidecar.serves(driver)).map(|sidecar| sidecar.running)
}

/// The sidecars of a kind that certainly serve a driver; none if another one may serve it, too, and so do its work.
pub(crate) fn surely_of<'a>(facts: &'a Facts, driver: &str, matches: fn(&Container) -> bool) -> Vec<Running<'a>> {
    let all = sidecars(facts, matches);
    if all.iter().any(|sidecar| sidecar.drivers.is_empty()) {
        return Vec::new();
    }
    all.into_iter().filter(|sidecar| sidecar.serves(driver)).map(|sidecar| sidecar.running).collect()
}

/// Whether nothing is in sight of a driver that was installed: it has registered with no node, and neither a sidecar that is or
/// may be its own nor its node plugin is there.
#[must_use]
pub(super) fn is_nowhere_in_sight(facts: &Facts, driver: &str) -> bool {
    let Some(nodes) = facts.csi_nodes.seen().filter(|nodes| !nodes.is_empty()) else {
        return false;
    };
    let is_on_a_node = nodes.iter().any(|node| node.has(driver));
    if is_on_a_node || facts.pods.seen().is_none() || facts.workloads.seen().is_none() {
        return false;
    }
    let signs = Signs::of(facts);
    let is_sidecar = |container: &Container| is_controller_part(container) || is_csi_snapshotter(container);
    let mut sidecars = running(facts, is_sidecar).into_iter().map(|running| sidecar(&signs, running));
    !signs.has_node_plugin(driver) && !sidecars.any(|sidecar| sidecar.drivers.is_empty() || sidecar.serves(driver))
}
