//! Which driver a sidecar container belongs to. Nothing in the API says so; the signs are taken in falling order of
//! certainty, and a sign that fits several drivers is none.

use std::collections::BTreeSet;

use crate::knowledge::control_plane::containers::{image_name, is_controller_part};
use crate::knowledge::control_plane::leases::{SNAPSHOTTER_LEASE, sanitised};
use crate::knowledge::control_plane::running::{Running, running};
use crate::knowledge::drivers::registered::registered_drivers;
use crate::knowledge::drivers::table::driver_of_image;
use crate::model::facts::Facts;
use crate::model::interest::Interest;
use crate::model::kubernetes::{Container, Lease};

/// What is read of pods here, and so kept of them: sidecars and node plugins, and what names their driver by convention.
pub const INTEREST: Interest = Interest {
    words: &["csi", "snapshotter"],
    host_paths: &["/plugins/", "/plugins_registry"],
    variables: &["DRIVER_NAME", "CSI_DRIVER_NAME", "PROVISIONER_NAME", "CSI_DRIVERNAME"],
    flags: &["--driver-name", "--drivername", "--driverName", "--driver", "--provisioner", "--name", "--drivernames"],
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
    /// It shares a label or a Helm release with the `CSIDriver`.
    Label,
    /// The driver is the only one whose node pods are in its namespace.
    Namespace,
    /// An image of its pod is the driver's.
    Image,
    /// The cluster has no other driver.
    OnlyDriver,
}

/// The sidecars of a kind, each with its driver.
pub fn sidecars(facts: &Facts, matches: fn(&Container) -> bool) -> Vec<Sidecar<'_>> {
    let known = named_drivers(facts);
    let registered = registered_drivers(facts);
    let sidecars = running(facts, matches).into_iter().map(|running| {
        let signs: [(Sign, BTreeSet<String>); 8] = [
            (Sign::SnapshotterLease, by_lease(facts, &running, &known, &[SNAPSHOTTER_LEASE])),
            (
                Sign::OtherLease,
                by_lease(facts, &running, &known, &["", "external-resizer-", "external-attacher-leader-"]),
            ),
            (Sign::Argument, by_argument(&running, &known)),
            (Sign::Socket, by_socket(&running, &known)),
            (Sign::Label, by_label(facts, &running)),
            (Sign::Namespace, by_namespace(facts, &running, &known)),
            (Sign::Image, by_image(&running, &known)),
            (Sign::OnlyDriver, registered.clone()),
        ];
        // A lease is held for one driver each, so several are true together; other signs must be unambiguous.
        let certain = |sign: Sign| matches!(sign, Sign::SnapshotterLease | Sign::OtherLease);
        let found =
            signs.into_iter().find(|(sign, drivers)| drivers.len() == 1 || (certain(*sign) && !drivers.is_empty()));
        let (by, drivers) = found.map_or((None, BTreeSet::new()), |(sign, drivers)| (Some(sign), drivers));
        Sidecar { running, drivers: drivers.into_iter().collect(), by }
    });
    sidecars.collect()
}

/// A visible workload that is part of a driver's controller.
pub fn controller_part_of<'a>(facts: &'a Facts, driver: &str) -> Option<Running<'a>> {
    sidecar_in_sight(facts, driver, is_controller_part)
}

/// The first visible sidecar of a kind that serves a driver.
pub fn sidecar_in_sight<'a>(facts: &'a Facts, driver: &str, matches: fn(&Container) -> bool) -> Option<Running<'a>> {
    sidecars(facts, matches).into_iter().find(|sidecar| sidecar.serves(driver)).map(|sidecar| sidecar.running)
}

/// Every driver that anything in the cluster names.
fn named_drivers(facts: &Facts) -> BTreeSet<String> {
    let mut drivers = registered_drivers(facts);
    drivers.extend(facts.storage_classes.seen().into_iter().flatten().map(|class| class.provisioner.clone()));
    drivers.extend(facts.volume_snapshot_classes.seen().into_iter().flatten().map(|class| class.driver.clone()));
    drivers
}

fn by_lease(facts: &Facts, running: &Running<'_>, known: &BTreeSet<String>, prefixes: &[&str]) -> BTreeSet<String> {
    let leases = facts.leases.seen().into_iter().flatten();
    let held: Vec<&Lease> = leases.filter(|lease| holds(running, lease)).collect();
    let is_held = |driver: &&String| {
        let sanitised = sanitised(driver);
        held.iter()
            .any(|lease| prefixes.iter().any(|prefix| lease.metadata.name.strip_prefix(prefix) == Some(&sanitised)))
    };
    known.iter().filter(is_held).cloned().collect()
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

fn by_argument(running: &Running<'_>, known: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for container in &running.spec.containers {
        let variables =
            container.env.iter().filter_map(|variable| Some((variable.name.as_str(), variable.value.as_deref()?)));
        let variables: Vec<(&str, &str)> = variables.collect();
        let mut values: Vec<String> = Vec::new();
        let words: Vec<&str> = container.command.iter().chain(&container.args).map(String::as_str).collect();
        for (index, word) in words.iter().enumerate() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (*word, words.get(index + 1).copied()),
            };
            if INTEREST.reads(flag) {
                values.extend(value.map(|value| resolved(value, &variables)));
            }
        }
        values.extend(
            variables
                .iter()
                .filter(|(name, _)| INTEREST.variables.contains(name))
                .map(|(_, value)| (*value).to_owned()),
        );
        found.extend(values.into_iter().filter(|value| known.contains(value)));
    }
    found
}

/// A value with `$(NAME)` replaced, as the kubelet does.
fn resolved(value: &str, variables: &[(&str, &str)]) -> String {
    variables.iter().fold(value.to_owned(), |value, (name, content)| value.replace(&format!("$({name})"), content))
}

fn by_socket(running: &Running<'_>, known: &BTreeSet<String>) -> BTreeSet<String> {
    let paths = running.spec.volumes.iter().filter_map(|volume| volume.host_path.as_ref());
    let folders = paths.filter_map(|path| path.path.split("/plugins/").nth(1)?.split('/').next());
    folders.filter(|folder| known.contains(*folder)).map(str::to_owned).collect()
}

fn by_label(facts: &Facts, running: &Running<'_>) -> BTreeSet<String> {
    const LABELS: [&str; 2] = ["app.kubernetes.io/instance", "app.kubernetes.io/part-of"];
    const RELEASE: &str = "meta.helm.sh/release-name";
    let labels: BTreeSet<(&str, &str)> = running
        .metadata
        .iter()
        .flat_map(|metadata| {
            let labels = LABELS.iter().filter_map(|key| Some((*key, metadata.labels.get(*key)?.as_str())));
            labels.chain(metadata.annotations.get(RELEASE).map(|release| (RELEASE, release.as_str())))
        })
        .collect();
    let drivers = facts.csi_drivers.seen().into_iter().flatten();
    let shares = drivers.filter(|driver| {
        labels.iter().any(|(key, value)| {
            let theirs = if *key == RELEASE { &driver.metadata.annotations } else { &driver.metadata.labels };
            *value == driver.metadata.name || theirs.get(*key).is_some_and(|theirs| theirs == value)
        })
    });
    shares.map(|driver| driver.metadata.name.clone()).collect()
}

/// The drivers whose node pods are in the workload's namespace, from the node-driver-registrar's argument.
fn by_namespace(facts: &Facts, running: &Running<'_>, known: &BTreeSet<String>) -> BTreeSet<String> {
    const FLAG: &str = "--kubelet-registration-path";
    let pods = facts.pods.seen().into_iter().flatten().map(|pod| (&pod.metadata, &pod.spec));
    let workloads = facts.workloads.seen().into_iter().flatten();
    let specs = pods.chain(workloads.map(|workload| (&workload.metadata, &workload.spec.template.spec)));
    let here = specs.filter(|(metadata, _)| metadata.namespace.as_deref() == Some(&running.namespace));
    here.flat_map(|(_, spec)| &spec.containers)
        .flat_map(|container| container.args.iter().chain(&container.command))
        .filter_map(|argument| {
            argument.strip_prefix(FLAG)?.strip_prefix('=')?.split("/plugins/").nth(1)?.split('/').next()
        })
        .filter(|driver| known.contains(*driver))
        .map(str::to_owned)
        .collect()
}

fn by_image(running: &Running<'_>, known: &BTreeSet<String>) -> BTreeSet<String> {
    let images = running.spec.containers.iter().filter_map(|container| driver_of_image(image_name(&container.image)));
    images.filter(|driver| known.contains(*driver)).map(str::to_owned).collect()
}
