//! Velero's server: its version, and what it was started with.

use jiff::SignedDuration;

use crate::knowledge::control_plane::arguments::{is_on, value};
use crate::knowledge::version::Version;
use crate::model::facts::Facts;
use crate::model::finding::Status;
use crate::model::kubernetes::{Container, PodSpec, Workload};
use crate::model::products::ProductObject;
use crate::products::objects::objects;
use crate::products::product::{Patience, is_of};
use crate::products::velero::{PRODUCT, SCHEDULE};

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

    /// How long it waits for what goes on after a backup's objects are written (`--item-operation-timeout`, 4 hours if it is not
    /// given).
    fn operation_timeout(&self) -> SignedDuration {
        let given = value(self.container, "item-operation-timeout").and_then(|text| text.parse().ok());
        given.unwrap_or(SignedDuration::from_hours(4))
    }

    /// The init container that copies the CSI plugin, if there is one.
    #[must_use]
    pub fn csi_plugin(&self) -> Option<&Container> {
        let spec = &self.workload.spec.template.spec;
        spec.init_containers.iter().find(|container| container.image.contains("velero-plugin-for-csi"))
    }
}

/// The first release in which a backup goes on while the storage makes a snapshot ready.
const GOES_ON: Version = Version::new(1, 12, 0);

/// How long the servers wait for a snapshot to become ready, by the shortest of them: `csiSnapshotTimeout` where data is moved and
/// before 1.12, else the time of an item's operation (`pkg/exposer/csi_snapshot.go`, `pkg/backup/actions/csi`). A server or
/// Schedules that cannot be read may move data.
pub(in crate::products) fn patience(facts: &Facts) -> Patience {
    let moves = |server: &Server<'_>| moves_data(facts, server).unwrap_or(true);
    let of = |server: &Server<'_>| {
        if server.version().is_some_and(|version| version >= GOES_ON) && !moves(server) {
            let set_by = "--item-operation-timeout of the server, or itemOperationTimeout of the backup";
            Patience { limit: server.operation_timeout(), set_by }
        } else {
            Patience { limit: server.snapshot_timeout(), set_by: SNAPSHOT_TIMEOUT }
        }
    };
    let new = Patience { limit: SignedDuration::from_mins(10), set_by: SNAPSHOT_TIMEOUT };
    servers(facts).iter().map(of).min_by_key(|patience| patience.limit).unwrap_or(new)
}

/// Whether a server moves the data of snapshots; `None` if its Schedules could not be read.
fn moves_data(facts: &Facts, server: &Server<'_>) -> Option<bool> {
    let by_schedule = |schedules: &[ProductObject]| {
        let here = |one: &&ProductObject| one.metadata.namespace.as_deref() == Some(server.namespace());
        schedules.iter().filter(here).any(|one| one.is_on("spec.template.snapshotMoveData"))
    };
    if is_on(server.container, "default-snapshot-move-data") {
        return Some(true);
    }
    match objects(facts, &PRODUCT, &SCHEDULE) {
        Ok(schedules) => Some(by_schedule(schedules)),
        Err(finding) if finding.status == Status::Unknown => None,
        Err(_) => Some(false),
    }
}

/// How long a node-agent waits for the volume that is made from a snapshot whose data is to be moved (`pkg/cmd/cli/nodeagent`); 30
/// minutes if it is not given. `None` where no data is known to be moved: a restore by CSI alone is not waited for so.
pub(in crate::products) fn restore_patience(facts: &Facts) -> Option<Patience> {
    let servers = servers(facts);
    let movers = servers.iter().filter(|server| moves_data(facts, server) == Some(true));
    let limits = movers.map(|server| {
        let given = agents(facts, server.namespace()).into_iter().filter_map(|agent| {
            let containers = agent.spec.template.spec.containers.iter();
            containers.filter_map(|container| value(container, "data-mover-prepare-timeout")?.parse().ok()).min()
        });
        given.min().unwrap_or(SignedDuration::from_mins(30))
    });
    limits.min().map(|limit| Patience { limit, set_by: "--data-mover-prepare-timeout of the node-agent" })
}

/// The `DaemonSets` of a namespace that are Velero's: `restic` until 1.9, then `node-agent`, and `node-agent-windows` beside it.
#[must_use]
pub fn agents<'a>(facts: &'a Facts, namespace: &str) -> Vec<&'a Workload> {
    let is_agent = |workload: &&Workload| {
        workload.kind == "DaemonSet"
            && workload.metadata.namespace.as_deref() == Some(namespace)
            && (workload.metadata.name == "restic" || workload.metadata.name.starts_with("node-agent"))
    };
    facts.workloads.seen().into_iter().flatten().filter(is_agent).collect()
}

const SNAPSHOT_TIMEOUT: &str = "--csi-snapshot-timeout of the server, or csiSnapshotTimeout of the backup";
