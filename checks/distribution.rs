//! Kubernetes distributions that run parts of the control plane where the API does not show them.

use std::fmt;

use crate::model::facts::Facts;
use crate::sidecars::mapping::{controller_part_of, is_registered};

/// A distribution whose snapshot-controller and CSI controllers may be out of sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Azure Kubernetes Service.
    Aks,
    /// Google Kubernetes Engine.
    Gke,
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
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aks => "Azure Kubernetes Service (AKS)",
            Self::Gke => "Google Kubernetes Engine (GKE)",
            Self::HyperShift => "OpenShift with a hosted control plane (HyperShift)",
            Self::Doks => "DigitalOcean Kubernetes (DOKS)",
            Self::Ack => "Alibaba Cloud Container Service (ACK)",
            Self::Tke => "Tencent Kubernetes Engine (TKE)",
            Self::Oke => "Oracle Container Engine (OKE)",
        })
    }
}

/// The distribution, if this cluster is one that may hide its controllers: there, that no pod is seen proves nothing.
pub fn may_be_hidden(facts: &Facts) -> Option<Distribution> {
    let version = facts
        .server_version
        .seen()
        .map_or("", |version| version.git_version.as_str());
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
    // These number their Kubernetes as upstream does. Their own driver tells them: registered, but without any
    // controller of it to be seen. Where somebody installed that driver, its controller is visible.
    let by_driver = [
        ("disk.csi.azure.com", Distribution::Aks),
        ("pd.csi.storage.gke.io", Distribution::Gke),
        ("dobs.csi.digitalocean.com", Distribution::Doks),
        ("blockvolume.csi.oraclecloud.com", Distribution::Oke),
    ];
    let hidden =
        |driver: &str| is_registered(facts, driver) && controller_part_of(facts, driver).is_none();
    by_driver
        .into_iter()
        .find(|(driver, _)| hidden(driver))
        .map(|(_, distribution)| distribution)
}

/// `OpenShift` builds Kubernetes as `v1.27.6+f67aeb3`; others append words (`+k3s1`, `+rke2r1`, `+IKS`). Where its
/// control plane is not hosted, its controllers are visible and nobody asks.
fn is_openshift(version: &str) -> bool {
    version.split_once('+').is_some_and(|(_, build)| {
        (7..=12).contains(&build.len()) && build.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
