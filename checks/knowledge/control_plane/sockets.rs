//! Where a sidecar looks for its driver's socket, and where the driver beside it puts it. Containers of a pod share files only
//! through its volumes.

use crate::knowledge::control_plane::arguments::{names, values};
use crate::knowledge::control_plane::containers::{image_name, is_controller_part, is_csi_snapshotter};
use crate::knowledge::control_plane::running::Running;
use crate::model::interest::Interest;
use crate::model::kubernetes::{Container, PodSpec};

/// What is read of pods for it, and so kept of them: the path of the socket.
pub const INTEREST: Interest = Interest { words: &[], host_paths: &[], variables: ENDPOINT_VARIABLES, flags: FLAGS };

const FLAGS: &[&str] = &["--csi-address", "--endpoint", "--csi-endpoint", "--csi_endpoint", "--csiEndpoint"];
const ENDPOINTS: [&str; 4] = ["endpoint", "csi-endpoint", "csi_endpoint", "csiEndpoint"];
const ENDPOINT_VARIABLES: &[&str] = &["CSI_ENDPOINT"];

/// A file on a volume of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The volume's name.
    pub(crate) volume: String,
    /// The path on the volume.
    path: String,
}

/// What is known of a sidecar's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Socket {
    /// The driver may put it there.
    Shared(Place),
    /// It lies in a folder of the node, where another pod may put it.
    OnNode(Place),
    /// No volume is mounted at its path, so nobody can put it there.
    NoVolume,
    /// No container that may be the driver mounts its volume.
    NobodyElse(Place),
    /// The driver beside it listens at another path.
    Elsewhere {
        /// The driver's container.
        driver: String,
        /// The path that it listens at, as it is written there.
        endpoint: String,
    },
    /// Nothing that is seen tells.
    Unknown,
}

/// The path at which a sidecar looks for its driver.
pub(crate) fn address(sidecar: &Container) -> Option<String> {
    // csi-lib-utils standardflags, and the sidecars' `main` functions before.
    let given = values(sidecar, |flag| flag == "csi-address").pop().unwrap_or_else(|| "/run/csi/socket".to_owned());
    path(&given)
}

/// Where a sidecar's socket lies.
pub(crate) fn socket(running: &Running<'_>) -> Socket {
    let spec = running.spec;
    // Facts of an earlier version have no mounts. A sidecar among the init containers, which are not read, may be the driver.
    let are_mounts_known = spec.containers.iter().any(|container| !container.volume_mounts.is_empty());
    let mut init = running.pods.iter().flat_map(|pod| &pod.status.init_container_statuses);
    if !are_mounts_known || init.any(|status| status.state.running.is_some()) {
        return Socket::Unknown;
    }
    let Some(address) = address(running.container) else {
        return Socket::Unknown;
    };
    let Some(own) = place(running.container, &address) else {
        return Socket::NoVolume;
    };
    let drivers: Vec<&Container> = spec.containers.iter().filter(|container| may_be_driver(container)).collect();
    let shares = |container: &&&Container| container.volume_mounts.iter().any(|mount| mount.name == own.volume);
    let sharing: Vec<&Container> = drivers.iter().filter(shares).copied().collect();
    let listening: Vec<(&Container, Vec<String>)> =
        sharing.iter().map(|container| (*container, endpoints(container))).collect();
    if listening.iter().any(|(container, at)| at.iter().any(|at| place(container, at).as_ref() == Some(&own))) {
        return Socket::Shared(own);
    }
    if is_on_node(spec, &own.volume) {
        return Socket::OnNode(own);
    }
    if sharing.is_empty() {
        return Socket::NobodyElse(own);
    }
    // One whose endpoint is not written may listen there.
    match listening.first() {
        Some((container, at))
            if listening.iter().all(|(container, at)| !at.is_empty() && says_where_it_listens(container)) =>
        {
            Socket::Elsewhere { driver: container.name.clone(), endpoint: at.join(", ") }
        }
        _ => Socket::Shared(own),
    }
}

/// All but upstream's sidecars, which only call: what proxies between them and the driver listens, too.
fn may_be_driver(container: &Container) -> bool {
    const CALLERS: [&str; 4] = ["liveness", "registrar", "health-monitor", "rbac-proxy"];
    let image = image_name(&container.image);
    let calls = CALLERS.iter().any(|word| container.name.contains(word) || image.contains(word));
    !calls && !is_csi_snapshotter(container) && !is_controller_part(container)
}

/// Whether it says by the usual flag or variable where it listens. Another flag may name a socket that has nothing to do with CSI.
fn says_where_it_listens(container: &Container) -> bool {
    !values(container, |flag| ENDPOINTS.contains(&flag)).is_empty()
        || container.env.iter().any(|variable| ENDPOINT_VARIABLES.contains(&variable.name.as_str()))
}

fn is_on_node(spec: &PodSpec, volume: &str) -> bool {
    spec.volumes.iter().any(|known| known.name == volume && known.host_path.is_some())
}

/// The paths at which a container says that it listens: a driver of several parts has a flag for each. One that is no path
/// makes all unknown, as it may be the one that counts.
fn endpoints(container: &Container) -> Vec<String> {
    let variables = container.env.iter().filter(|variable| ENDPOINT_VARIABLES.contains(&variable.name.as_str()));
    let variables = variables.filter_map(|variable| variable.value.clone());
    let flags = socket_flags(container).into_iter().map(|(_, value)| value);
    flags.chain(variables).map(|endpoint| path(&endpoint)).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The flags of a container that name a socket, with their values.
pub(super) fn socket_flags(container: &Container) -> Vec<(&str, String)> {
    let is_socket = |flag: &str, value: &str| {
        ENDPOINTS.contains(&flag)
            || value.starts_with("unix:")
            || value.rsplit_once('.').is_some_and(|(_, end)| end == "sock")
    };
    let flags = names(container)
        .into_iter()
        .flat_map(|flag| values(container, |name| name == flag).into_iter().map(move |value| (flag, value)));
    flags.filter(|(flag, value)| is_socket(flag, value)).collect()
}

/// Whether two texts name a socket at the same path. Some drivers write `unix://csi/csi.sock` where they mean `/csi/csi.sock`.
pub(super) fn same_path(one: &str, other: &str) -> bool {
    let loose = |text: &str| parts(text.strip_prefix("unix:").unwrap_or(text));
    !one.contains("$(") && loose(one) == loose(other)
}

/// The path of a socket: `/csi/csi.sock`, `unix:///csi/csi.sock`, `unix:/csi/csi.sock`.
fn path(endpoint: &str) -> Option<String> {
    let path = endpoint.strip_prefix("unix://").or_else(|| endpoint.strip_prefix("unix:")).unwrap_or(endpoint);
    let is_plain = path.starts_with('/') && !path.contains("$(") && !path.split('/').any(|part| part == "..");
    is_plain.then(|| format!("/{}", parts(path)))
}

/// A path without empty parts.
fn parts(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// Where a path of a container lies: on the volume that is mounted at the longest part of it.
fn place(container: &Container, path: &str) -> Option<Place> {
    let path = parts(path);
    let below = container.volume_mounts.iter().filter_map(|mount| {
        let at = parts(&mount.mount_path);
        let rest = path.strip_prefix(&at)?;
        let is_below = rest.is_empty() || rest.starts_with('/') || at.is_empty();
        is_below.then(|| (at.len(), mount, parts(rest)))
    });
    let (_, mount, rest) = below.max_by_key(|(length, ..)| *length)?;
    let path = parts(&format!("{}/{rest}", mount.sub_path.as_deref().unwrap_or_default()));
    Some(Place { volume: mount.name.clone(), path })
}
