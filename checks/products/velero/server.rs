//! Velero's server: its version, and what it was started with.

use jiff::SignedDuration;

use crate::knowledge::control_plane::arguments::value;
use crate::knowledge::version::Version;
use crate::model::facts::Facts;
use crate::model::kubernetes::{Container, PodSpec, Workload};
use crate::products::product::is_of;

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
        let mut words = container.command.iter().chain(&container.args);
        is_velero(container) && words.any(|word| word.split_ascii_whitespace().any(|part| part == "server"))
    };
    let container = workload.spec.template.spec.containers.iter().find(is_server)?;
    (workload.kind == "Deployment").then_some(Server { workload, container })
}

/// Parts of the paths of images that hold Velero's server: upstream's and mirrors, and those of distributions.
const IMAGES: [&str; 2] = ["velero", "oadp-velero"];

fn is_velero(container: &Container) -> bool {
    is_of(&container.image, &IMAGES) || container.name == "velero"
}

/// Whether a pod may be one of Velero's, whatever it does.
pub(super) fn may_be_velero(spec: &PodSpec) -> bool {
    spec.containers.iter().any(is_velero)
}

impl Server<'_> {
    /// Its version, if its image's tag says it: Velero's own, or one that a registry keeps.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let (name, tag) = self.container.image.rsplit_once(':')?;
        (name.rsplit('/').next() == Some("velero")).then(|| Version::parse(tag))?
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.workload.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// `namespace/name`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.namespace(), self.workload.metadata.name)
    }

    /// Its feature flags; `None` if a shell or a variable that is not visible says them.
    #[must_use]
    pub fn features(&self) -> Option<Vec<String>> {
        let features = match value(self.container, "features") {
            Some(features) => features,
            None if self.is_started_by_a_shell() => return None,
            None => String::new(),
        };
        if features.contains("$(") {
            return None;
        }
        Some(features.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect())
    }

    fn is_started_by_a_shell(&self) -> bool {
        self.container.command.iter().chain(&self.container.args).any(|word| word == "-c")
    }

    /// How long it waits for a CSI snapshot, where its backups do not say it (`--csi-snapshot-timeout`, 10 minutes if it is not given).
    #[must_use]
    pub fn snapshot_timeout(&self) -> SignedDuration {
        let given = value(self.container, "csi-snapshot-timeout").and_then(|text| text.parse().ok());
        given.unwrap_or(SignedDuration::from_mins(10))
    }

    /// The init container that copies the CSI plugin, if there is one.
    #[must_use]
    pub fn csi_plugin(&self) -> Option<&Container> {
        let spec = &self.workload.spec.template.spec;
        spec.init_containers.iter().find(|container| container.image.contains("velero-plugin-for-csi"))
    }
}
