//! What a container is, told from its image, its name and its arguments.

use crate::model::interest::Interest;
use crate::model::kubernetes::Container;

/// What is read of pods to find the snapshot-controller, and so kept of them.
pub const INTEREST: Interest = Interest { words: &["snapshot"], host_paths: &[], variables: &[], flags: &[] };

/// Whether a container is a snapshot-controller. `OpenShift`'s images are digests of one repository, so the names count
/// as much as the images.
#[must_use]
pub fn is_snapshot_controller(container: &Container) -> bool {
    const NAMES: [&str; 4] =
        ["snapshot-controller", "volume-snapshot-controller", "csi-snapshot-controller", "rke2-snapshot-controller"];
    let image = image_name(&container.image);
    // OpenShift's operator runs another binary; its name contains the controller's.
    let is_operator = image.contains("operator") || container.name.contains("operator");
    !is_operator
        && !works_elsewhere(container)
        && (image.contains("snapshot-controller") || NAMES.contains(&container.name.as_str()))
}

/// Whether a container is a csi-snapshotter.
#[must_use]
pub fn is_csi_snapshotter(container: &Container) -> bool {
    is_sidecar(container, &["csi-snapshotter", "external-snapshotter"])
}

/// Whether a container is a csi-provisioner.
#[must_use]
pub fn is_csi_provisioner(container: &Container) -> bool {
    is_sidecar(container, &["csi-provisioner", "external-provisioner"])
}

/// Whether a container is part of a driver's controller: of what makes, attaches and resizes its volumes.
#[must_use]
pub fn is_controller_part(container: &Container) -> bool {
    is_csi_provisioner(container)
        || is_csi_attacher(container)
        || is_sidecar(container, &["csi-resizer", "external-resizer"])
}

/// Whether a container is a csi-attacher.
#[must_use]
pub fn is_csi_attacher(container: &Container) -> bool {
    is_sidecar(container, &["csi-attacher", "external-attacher"])
}

fn is_sidecar(container: &Container, names: &[&str]) -> bool {
    let image = image_name(&container.image);
    !works_elsewhere(container) && names.iter().any(|name| image.contains(name) || container.name == *name)
}

/// Whether a container works on another cluster, as in the clusters that host control planes: one that works on its own
/// takes its pod's service account and no kubeconfig.
pub(crate) fn works_elsewhere(container: &Container) -> bool {
    let mut words = container.command.iter().chain(&container.args);
    words.any(|word| word.trim_start_matches('-').starts_with("kubeconfig"))
}

/// Whether a container stands beside a driver and is none: a sidecar of Kubernetes' or a proxy for metrics.
#[must_use]
pub fn is_helper(container: &Container) -> bool {
    const HELPERS: [&str; 7] =
        ["liveness", "registrar", "health-monitor", "proxy", "metrics", "csi-addons", "snapshot-metadata"];
    let image = image_name(&container.image);
    is_csi_snapshotter(container)
        || is_controller_part(container)
        || is_snapshot_controller(container)
        || HELPERS.iter().any(|name| container.name.contains(name) || image.contains(name))
}

/// An image without tag and digest: `registry.k8s.io/sig-storage/snapshot-controller`.
#[must_use]
pub fn image_repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    // A colon before the last slash belongs to the registry's port.
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// The last path element of an image, without tag and digest: `snapshot-controller`.
#[must_use]
pub fn image_name(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split(':').next().unwrap_or(name)
}
