//! Kubernetes distributions that run parts of the control plane where the API does not show them.

use std::fmt;

use crate::knowledge::control_plane::containers::is_controller_part;
use crate::knowledge::control_plane::running::running;
use crate::knowledge::control_plane::sidecars::controller_part_of;
use crate::knowledge::drivers::registered::is_registered;
use crate::model::facts::Facts;

/// A distribution whose snapshot-controller and CSI controllers may be out of sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Azure Kubernetes Service.
    Aks,
    /// Google Kubernetes Engine.
    Gke,
    /// EKS Auto Mode: of the driver that is part of it nothing is visible, but no snapshot-controller is part of it.
    EksAutoMode,
    /// `OpenShift` with its control plane hosted in another cluster.
    HyperShift,
    /// `DigitalOcean` Kubernetes.
    Doks,
    /// Alibaba Cloud Container Service.
    Ack,
    /// Tencent Kubernetes Engine.
    Tke,
    /// Oracle Container Engine.
    Oke,
    /// A cluster of Gardener, whose control plane runs in another cluster.
    Gardener,
    /// Not known by name: the drivers of its `StorageClasses` work, but no controller of theirs is visible.
    Hosted,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aks => "Azure Kubernetes Service (AKS)",
            Self::Gke => "Google Kubernetes Engine (GKE)",
            Self::EksAutoMode => "Amazon EKS Auto Mode",
            Self::HyperShift => "OpenShift with a hosted control plane (HyperShift)",
            Self::Doks => "DigitalOcean Kubernetes (DOKS)",
            Self::Ack => "Alibaba Cloud Container Service (ACK)",
            Self::Tke => "Tencent Kubernetes Engine (TKE)",
            Self::Oke => "Oracle Container Engine (OKE)",
            Self::Gardener => "Gardener",
            Self::Hosted => "a hosted control plane",
        })
    }
}

/// The driver that is part of EKS Auto Mode.
const EKS_AUTO_MODE: &str = "ebs.csi.eks.amazonaws.com";

impl Distribution {
    /// Whether the snapshot-controller may be out of sight.
    #[must_use]
    pub(super) fn may_hide_snapshot_controller(self) -> bool {
        self != Self::EksAutoMode
    }

    /// Whether a driver's controller may be out of sight. Only its own in EKS Auto Mode: all others are installed by
    /// somebody, as in any EKS.
    #[must_use]
    pub(super) fn may_hide_controller_of(self, driver: &str) -> bool {
        self != Self::EksAutoMode || driver == EKS_AUTO_MODE
    }
}

/// The distribution, if this cluster is one that may hide its controllers: there, that no pod is seen proves nothing.
#[must_use]
pub fn may_be_hidden(facts: &Facts) -> Option<Distribution> {
    let version = facts.server_version.seen().map_or("", |version| version.git_version.as_str());
    if version.contains("-gke.") {
        return Some(Distribution::Gke);
    }
    if version.contains("-aliyun") {
        return Some(Distribution::Ack);
    }
    if version.contains("-tke.") {
        return Some(Distribution::Tke);
    }
    if is_openshift(version) {
        return Some(Distribution::HyperShift);
    }
    // Gardener's resource manager marks what it installs in a cluster.
    let mut drivers = facts.csi_drivers.seen().into_iter().flatten();
    if drivers.any(|driver| driver.metadata.annotations.contains_key("resources.gardener.cloud/origin")) {
        return Some(Distribution::Gardener);
    }
    // These number their Kubernetes as upstream does. Their own driver tells them: registered, but without any
    // controller of it to be seen. Where somebody installed that driver, its controller is visible.
    let by_driver = [
        (EKS_AUTO_MODE, Distribution::EksAutoMode),
        ("disk.csi.azure.com", Distribution::Aks),
        ("pd.csi.storage.gke.io", Distribution::Gke),
        ("dobs.csi.digitalocean.com", Distribution::Doks),
        ("blockvolume.csi.oraclecloud.com", Distribution::Oke),
    ];
    let hidden = |driver: &str| is_registered(facts, driver) && controller_part_of(facts, driver).is_none();
    let by_name = by_driver.into_iter().find(|(driver, _)| hidden(driver)).map(|(_, distribution)| distribution);
    by_name.or_else(|| {
        let mut provisioners = facts.storage_classes.seen().into_iter().flatten().map(|class| &class.provisioner);
        let no_controller = running(facts, is_controller_part).is_empty();
        (no_controller && provisioners.any(|driver| is_registered(facts, driver))).then_some(Distribution::Hosted)
    })
}

/// Whether the cluster assigns each pod a user from a range of its namespace and refuses every other, as `OpenShift` and
/// its kin do by their `SecurityContextConstraints`. If these could not be asked for, the version tells.
#[must_use]
pub fn assigns_users(facts: &Facts) -> bool {
    match facts.security_context_constraints.seen() {
        Some(served) => *served,
        None => facts.server_version.seen().is_some_and(|version| is_openshift(&version.git_version)),
    }
}

/// `OpenShift` builds Kubernetes as `v1.27.6+f67aeb3`; others append words (`+k3s1`, `+rke2r1`, `+IKS`). Where its
/// control plane is not hosted, its controllers are visible and nobody asks.
pub(super) fn is_openshift(version: &str) -> bool {
    version
        .split_once('+')
        .is_some_and(|(_, build)| (7..=12).contains(&build.len()) && build.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
