//! Velero's server: its version, and what it was started with.

use crate::knowledge::control_plane::arguments::value;
use crate::knowledge::version::Version;
use crate::model::facts::Facts;
use crate::model::kubernetes::{Container, Workload};

/// A Deployment of Velero's server.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// The container of the server.
    pub container: &'a Container,
}

/// All servers that are visible: products that bring Velero along have one each.
#[must_use]
pub fn servers(facts: &Facts) -> Vec<Server<'_>> {
    facts.workloads.seen().into_iter().flatten().filter_map(server).collect()
}

fn server(workload: &Workload) -> Option<Server<'_>> {
    let is_server = |container: &&Container| {
        is_velero(&container.image) && container.command.iter().chain(&container.args).any(|word| word == "server")
    };
    let container = workload.spec.template.spec.containers.iter().find(is_server)?;
    (workload.kind == "Deployment").then_some(Server { workload, container })
}

/// Parts of the names of images that hold Velero's server: upstream's, those of distributions, and mirrors.
const IMAGES: [&str; 4] = ["velero/velero", "oadp-velero", "/velero:", "velero-rhel"];

fn is_velero(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    IMAGES.iter().any(|part| image.contains(part))
}

impl Server<'_> {
    /// Its version, if its image's tag says it.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let (name, tag) = self.container.image.rsplit_once(':')?;
        let is_upstream = name.ends_with("velero/velero") || name.ends_with("/velero") || name == "velero";
        is_upstream.then(|| Version::parse(tag))?
    }

    /// `namespace/name`.
    #[must_use]
    pub fn place(&self) -> String {
        let metadata = &self.workload.metadata;
        format!("{}/{}", metadata.namespace.as_deref().unwrap_or_default(), metadata.name)
    }

    /// Its feature flags.
    #[must_use]
    pub fn features(&self) -> Vec<String> {
        let features = value(self.container, "features").unwrap_or_default();
        features.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
    }

    /// The init container that copies the CSI plugin, if there is one.
    #[must_use]
    pub fn csi_plugin(&self) -> Option<&Container> {
        let spec = &self.workload.spec.template.spec;
        spec.init_containers.iter().find(|container| container.image.contains("velero-plugin-for-csi"))
    }
}
