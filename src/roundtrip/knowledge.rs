//! What the round trip has to know about a cluster from facts. The one place where it asks: the catalogue's own
//! functions are to stand behind these signatures.

use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::{Container, Pod, VolumeSnapshotClass, Workload};

const DEFAULT_CLASS: &str = "snapshot.storage.kubernetes.io/is-default-class";
const CONTROLLERS: [&str; 4] =
    ["snapshot-controller", "volume-snapshot-controller", "csi-snapshot-controller", "rke2-snapshot-controller"];
const SIDECARS: [&str; 2] = ["csi-snapshotter", "external-snapshotter"];

/// Whether something runs, as far as facts tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is there.
    Present,
    /// It is not: everything that could show it was seen, and nothing like this cluster hides it.
    Absent,
    /// It cannot be told.
    Unsure,
}

/// Kubernetes' rule: the one class of exactly this driver whose annotation is exactly `true`.
pub(super) fn default_snapshot_class<'a>(
    classes: &'a [VolumeSnapshotClass],
    driver: &str,
) -> Option<&'a VolumeSnapshotClass> {
    let default = |class: &&VolumeSnapshotClass| {
        class.driver == driver && class.metadata.annotations.get(DEFAULT_CLASS).is_some_and(|value| value == "true")
    };
    let mut defaults = classes.iter().filter(default);
    match (defaults.next(), defaults.next()) {
        (Some(class), None) => Some(class),
        _ => None,
    }
}

/// The names of the classes of a driver.
pub(super) fn classes_of(facts: &Facts, driver: &str) -> Vec<String> {
    let classes = facts.volume_snapshot_classes.seen().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> =
        classes.iter().filter(|class| class.driver == driver).map(|class| class.metadata.name.clone()).collect();
    names.sort_unstable();
    names
}

/// Whether a driver is registered with the cluster at all.
pub(super) fn driver(facts: &Facts, driver: &str) -> Presence {
    let (drivers, nodes) = (facts.csi_drivers.seen(), facts.csi_nodes.seen());
    let registered = drivers.is_some_and(|drivers| drivers.iter().any(|seen| seen.metadata.name == driver));
    let on_a_node =
        nodes.is_some_and(|nodes| nodes.iter().any(|node| node.spec.drivers.iter().any(|seen| seen.name == driver)));
    match (registered || on_a_node, drivers, nodes) {
        (true, _, _) => Presence::Present,
        (false, Some(_), Some(_)) => Presence::Absent,
        _ => Presence::Unsure,
    }
}

/// Whether a snapshot-controller is installed.
pub(super) fn controller(facts: &Facts) -> Presence {
    if containers(facts).any(is_controller) {
        return Presence::Present;
    }
    let lease = facts.leases.seen().is_some_and(|leases| {
        leases.iter().any(|lease| lease.metadata.name == "snapshot-controller-leader" && is_fresh(facts, lease))
    });
    if lease {
        return Presence::Present;
    }
    let seen = facts.pods.seen().is_some() && facts.workloads.seen().is_some();
    if seen && !may_hide(facts, None) { Presence::Absent } else { Presence::Unsure }
}

/// Whether a csi-snapshotter of a driver is installed.
pub(super) fn sidecar(facts: &Facts, driver: &str) -> Presence {
    let lease_name = format!("external-snapshotter-leader-{}", sanitised(driver));
    let lease = facts
        .leases
        .seen()
        .is_some_and(|leases| leases.iter().any(|lease| lease.metadata.name == lease_name && is_fresh(facts, lease)));
    if lease {
        return Presence::Present;
    }
    let others: Vec<String> = facts
        .csi_drivers
        .seen()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|seen| seen.metadata.name.clone())
        .filter(|name| name != driver)
        .collect();
    let mut unclear = false;
    for pod in pod_specs(facts) {
        if !pod.iter().any(is_sidecar) {
            continue;
        }
        let words: Vec<&str> = pod.iter().flat_map(words).collect();
        if words.iter().any(|word| word.contains(driver)) {
            return Presence::Present;
        }
        // A pod that names another driver of this cluster works for that one; any other may be this driver's.
        unclear |= !others.iter().any(|other| words.iter().any(|word| word.contains(other.as_str())));
    }
    let seen = facts.pods.seen().is_some() && facts.workloads.seen().is_some();
    if seen && !unclear && !may_hide(facts, Some(driver)) { Presence::Absent } else { Presence::Unsure }
}

/// Whether this cluster may run controllers where nobody sees them. For a sidecar only its own driver counts.
fn may_hide(facts: &Facts, driver: Option<&str>) -> bool {
    /// Drivers whose controllers run on a provider's side in managed clusters.
    const DRIVERS: [&str; 10] = [
        "blockvolume.csi.oraclecloud.com",
        "disk.csi.azure.com",
        "diskplugin.csi.alibabacloud.com",
        "dobs.csi.digitalocean.com",
        "ebs.csi.eks.amazonaws.com",
        "file.csi.azure.com",
        "filestore.csi.storage.gke.io",
        "linodebs.csi.linode.com",
        "pd.csi.storage.gke.io",
        "vpc.block.csi.ibm.io",
    ];
    const VERSIONS: [&str; 5] = ["-gke", "-aliyun", "+IKS", "-aks", "-tke"];
    let managed = |version: &str| VERSIONS.iter().any(|mark| version.contains(mark));
    if facts.server_version.seen().is_some_and(|version| managed(&version.git_version)) {
        return true;
    }
    match (driver, facts.csi_drivers.seen()) {
        (Some(driver), _) => DRIVERS.contains(&driver),
        (None, Some(drivers)) => drivers.iter().any(|seen| DRIVERS.contains(&seen.metadata.name.as_str())),
        (None, None) => true,
    }
}

/// As csi-lib-utils makes a lease name of a driver name.
fn sanitised(driver: &str) -> String {
    let mut name: String =
        driver.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    if name.ends_with('-') {
        name.push('X');
    }
    name
}

/// A lease that nobody renews is left from before.
fn is_fresh(facts: &Facts, lease: &snapready_checks::model::kubernetes::Lease) -> bool {
    let Some(renewed) = lease.spec.renew_time else {
        return false;
    };
    let seconds = lease.spec.lease_duration_seconds.unwrap_or(15);
    facts.collected_at.as_second().saturating_sub(renewed.as_second()) <= seconds.saturating_mul(2)
}

fn pod_specs(facts: &Facts) -> impl Iterator<Item = &[Container]> {
    let pods = facts.pods.seen().map(Vec::as_slice).unwrap_or_default();
    let workloads = facts.workloads.seen().map(Vec::as_slice).unwrap_or_default();
    pods.iter()
        .map(|pod: &Pod| pod.spec.containers.as_slice())
        .chain(workloads.iter().map(|workload: &Workload| workload.spec.template.spec.containers.as_slice()))
}

fn containers(facts: &Facts) -> impl Iterator<Item = &Container> {
    pod_specs(facts).flatten()
}

/// The last element of an image's path, without tag and digest.
fn image_name(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split(['@', ':']).next().unwrap_or(name)
}

fn is_controller(container: &Container) -> bool {
    CONTROLLERS.contains(&container.name.as_str()) || image_name(&container.image).contains("snapshot-controller")
}

fn is_sidecar(container: &Container) -> bool {
    let image = image_name(&container.image);
    SIDECARS.contains(&container.name.as_str()) || SIDECARS.iter().any(|name| image.ends_with(name))
}

fn words(container: &Container) -> impl Iterator<Item = &str> {
    let env = container.env.iter().filter_map(|variable| variable.value.as_deref());
    container.args.iter().chain(&container.command).map(String::as_str).chain(env)
}
