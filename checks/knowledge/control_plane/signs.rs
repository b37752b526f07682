//! The signs by which a sidecar belongs to a driver.

use std::collections::BTreeSet;

use crate::knowledge::control_plane::containers::{image_name, image_repository, is_helper};
use crate::knowledge::control_plane::leases::sanitised;
use crate::knowledge::control_plane::node_plugins::{self, NodePlugin, node_plugins};
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::control_plane::sockets::{address, same_path, socket_flags};
use crate::knowledge::drivers::registered::registered_drivers;
use crate::knowledge::drivers::table::driver_of_image;
use crate::model::facts::Facts;
use crate::model::kubernetes::{Container, CsiDriver, Lease, Metadata};

/// What tells whose a sidecar is.
pub(super) struct Signs<'a> {
    facts: &'a Facts,
    /// The drivers that are registered.
    pub(super) registered: BTreeSet<String>,
    /// Every driver that anything in the cluster names.
    known: BTreeSet<String>,
    node_plugins: Vec<NodePlugin<'a>>,
}

impl<'a> Signs<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let registered = registered_drivers(facts);
        let mut known = registered.clone();
        known.extend(facts.storage_classes.seen().into_iter().flatten().map(|class| class.provisioner.clone()));
        known.extend(facts.volume_snapshot_classes.seen().into_iter().flatten().map(|class| class.driver.clone()));
        let node_plugins = node_plugins(facts, &known);
        Self { facts, registered, known, node_plugins }
    }

    /// Its pods hold leases with these prefixes and the driver's name.
    pub(super) fn by_lease(&self, running: &Running<'_>, prefixes: &[&str]) -> BTreeSet<String> {
        let leases = self.facts.leases.seen().into_iter().flatten();
        let held: Vec<&Lease> = leases.filter(|lease| holds(running, lease)).collect();
        let is_held = |driver: &&String| {
            let sanitised = sanitised(driver);
            held.iter()
                .any(|lease| prefixes.iter().any(|prefix| lease.metadata.name.strip_prefix(prefix) == Some(&sanitised)))
        };
        self.known.iter().filter(is_held).cloned().collect()
    }

    /// An argument or a variable of its pod names the driver.
    pub(super) fn by_argument(&self, running: &Running<'_>) -> BTreeSet<String> {
        node_plugins::named_drivers(running.spec, &self.known)
    }

    /// Its pod mounts the folder of the driver's socket.
    pub(super) fn by_socket(&self, running: &Running<'_>) -> BTreeSet<String> {
        let paths = running.spec.volumes.iter().filter_map(|volume| volume.host_path.as_ref());
        let folders = paths.filter_map(|path| path.path.split("/plugins/").nth(1)?.split('/').next());
        folders.filter(|folder| self.known.contains(*folder)).map(str::to_owned).collect()
    }

    /// The driver beside it is the one that the driver's node plugin runs. Drivers of one maker share images of helpers, so
    /// each image may only narrow down what another tells.
    pub(super) fn by_node_plugin(&self, running: &Running<'_>) -> BTreeSet<String> {
        let of_image = |container: &Container| -> BTreeSet<String> {
            let image = image_repository(&container.image);
            let same = self.node_plugins.iter().filter(|plugin| plugin.images.contains(image));
            same.flat_map(|plugin| plugin.drivers.iter().cloned()).collect()
        };
        let sets = own(running).map(of_image).filter(|drivers| !drivers.is_empty());
        sets.reduce(|one, other| one.intersection(&other).cloned().collect()).unwrap_or_default()
    }

    /// It looks for the socket that the driver beside it sets by the flag by which the node plugin of the same image sets this
    /// driver's. Several drivers may run in one process.
    pub(super) fn by_endpoint(&self, running: &Running<'_>) -> BTreeSet<String> {
        let Some(address) = address(running.container) else {
            return BTreeSet::new();
        };
        let given = own(running).flat_map(|container| {
            let image = image_repository(&container.image);
            socket_flags(container).into_iter().map(move |(flag, value)| (image, flag, value))
        });
        let given: Vec<(&str, &str, String)> = given.filter(|(.., value)| same_path(value, &address)).collect();
        let flags = self.node_plugins.iter().flat_map(|plugin| &plugin.flags);
        let same = flags.filter(|(image, flag, _)| given.iter().any(|(own, by, _)| own == image && by == flag));
        same.map(|(.., driver)| driver.clone()).collect()
    }

    /// The driver beside it has an image that is known.
    pub(super) fn by_image(&self, running: &Running<'_>) -> BTreeSet<String> {
        let drivers = own(running).filter_map(|container| driver_of_image(image_name(&container.image)));
        drivers.filter(|driver| self.known.contains(*driver)).map(str::to_owned).collect()
    }

    /// It shares labels or a Helm release with the `CSIDriver`, or with the driver's node plugin.
    pub(super) fn by_label(&self, running: &Running<'_>) -> BTreeSet<String> {
        let drivers = self.facts.csi_drivers.seen().into_iter().flatten();
        let shares = drivers.filter(|driver| running.metadata.iter().any(|metadata| is_of(metadata, driver)));
        let mut found: BTreeSet<String> = shares.map(|driver| driver.metadata.name.clone()).collect();
        if found.is_empty() {
            let beside = self.beside(running);
            let shares = beside.filter(|plugin| running.metadata.iter().any(|own| are_one(own, plugin.metadata)));
            found = shares.flat_map(|plugin| plugin.drivers.iter().cloned()).collect();
        }
        found
    }

    /// Its namespace has the node plugin of this driver and of no other, and every driver's node plugin is known: none may
    /// have its controller here and its node plugin elsewhere.
    pub(super) fn by_namespace(&self, running: &Running<'_>) -> BTreeSet<String> {
        let located = |driver: &String| self.node_plugins.iter().any(|plugin| plugin.drivers.contains(driver));
        if self.node_plugins.iter().any(|plugin| plugin.drivers.is_empty()) || !self.registered.iter().all(located) {
            return BTreeSet::new();
        }
        self.beside(running).flat_map(|plugin| plugin.drivers.iter().cloned()).collect()
    }

    /// Whether a node plugin is there that is, or may be, the driver's.
    pub(super) fn has_node_plugin(&self, driver: &str) -> bool {
        self.node_plugins.iter().any(|plugin| plugin.drivers.is_empty() || plugin.drivers.contains(driver))
    }

    /// The node plugins in a sidecar's namespace.
    fn beside(&self, running: &Running<'_>) -> impl Iterator<Item = &NodePlugin<'a>> {
        self.node_plugins.iter().filter(|plugin| plugin.metadata.namespace.as_deref() == Some(&running.namespace))
    }
}

/// The containers beside a sidecar that may be its driver.
fn own<'a>(running: &Running<'a>) -> impl Iterator<Item = &'a Container> {
    running.spec.containers.iter().filter(|container| !is_helper(container))
}

/// Whether one of the workload's pods holds a lease: under its own name, or its node's if it uses the node's network.
fn holds(running: &Running<'_>, lease: &Lease) -> bool {
    let Some(holder) = lease.spec.holder_identity.as_deref() else {
        return false;
    };
    let namespace = lease.metadata.namespace.as_deref();
    running.pods.iter().any(|pod| {
        let name = if pod.spec.host_network == Some(true) {
            pod.spec.node_name.as_deref()
        } else {
            Some(pod.metadata.name.as_str())
        };
        namespace == pod.metadata.namespace.as_deref()
            && name.is_some_and(|name| holder == name || holder == sanitised(name))
    })
}

const INSTANCE: &str = "app.kubernetes.io/instance";
const RELEASE: &str = "meta.helm.sh/release-name";

/// Whether labels of a workload or its Helm release are those of a `CSIDriver`, or name it.
fn is_of(metadata: &Metadata, driver: &CsiDriver) -> bool {
    let labels = [INSTANCE, "app.kubernetes.io/part-of"].into_iter().any(|key| {
        metadata.labels.get(key).is_some_and(|value| {
            *value == driver.metadata.name || driver.metadata.labels.get(key).is_some_and(|theirs| theirs == value)
        })
    });
    let release = metadata.annotations.get(RELEASE);
    labels || release.is_some_and(|release| driver.metadata.annotations.get(RELEASE) == Some(release))
}

/// Whether two workloads of one namespace are of one installation: they share its name, and no label tells them apart.
fn are_one(one: &Metadata, other: &Metadata) -> bool {
    let instance = |metadata: &Metadata| metadata.labels.get(INSTANCE).cloned();
    let name = |metadata: &Metadata| metadata.labels.get("app.kubernetes.io/name").cloned();
    let release = |metadata: &Metadata| metadata.annotations.get(RELEASE).cloned();
    let signs = [instance, name, release].map(|sign| (sign(one), sign(other)));
    signs.iter().any(|(one, other)| one.is_some() && one == other)
        && signs.iter().all(|(one, other)| one.is_none() || other.is_none() || one == other)
}
