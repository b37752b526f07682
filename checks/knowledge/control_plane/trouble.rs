//! Why the containers of a workload are not ready, as far as their pods tell.

use crate::knowledge::control_plane::arguments::is_on;
use crate::knowledge::control_plane::containers::is_csi_snapshotter;
use crate::knowledge::control_plane::flags::{UnknownFlag, unknown_flag};
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::tables::rows;
use crate::model::finding::Evidence;
use crate::model::kubernetes::{Container, ContainerStatus, ContainerTerminated, Pod};

/// Why a container is not ready.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// What kind of trouble it is: what helps depends on it.
    pub(crate) kind: TroubleKind,
    /// What shows it.
    pub(crate) evidence: Vec<Evidence>,
    /// What it means.
    pub(crate) cause: String,
}

/// A kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// The image cannot be pulled.
    Image,
    /// No node takes this pod.
    NotScheduled(String),
    /// No pod can be created.
    NotCreated,
    /// An init container fails.
    Init,
    /// The images are for nodes of another architecture.
    Architecture,
    /// It was started with a flag that its release does not have.
    Flag(UnknownFlag),
    /// Anything else.
    Other,
}

/// Why a container of the workload is not ready.
#[must_use]
pub(crate) fn trouble(running: &Running<'_>) -> Option<Trouble> {
    let of_status = running.statuses().filter(|(_, status)| !status.ready);
    let found = of_status.into_iter().find_map(|(pod, status)| {
        wrong_architecture(running, pod)
            .or_else(|| of_init_container(running, pod))
            .or_else(|| of_container(running, pod, status))
    });
    // A second replica may wait for a second node for ever.
    let idle = found.is_none() && running.ready == 0;
    if idle {
        running.pods.iter().find_map(|pod| not_scheduled(running, pod)).or_else(|| not_created(running))
    } else {
        found
    }
}

/// A quota, an admission policy or an account that is missing keeps the `ReplicaSet` from creating pods; its Deployment says so.
fn not_created(running: &Running<'_>) -> Option<Trouble> {
    let mut conditions = running.conditions.iter();
    let condition = conditions.find(|condition| condition.kind == "ReplicaFailure" && condition.status == "True")?;
    let message = condition.message.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    running.pods.is_empty().then(|| Trouble {
        kind: TroubleKind::NotCreated,
        evidence: vec![
            running
                .evidence("status.conditions[ReplicaFailure]", format!("{}: {}", condition.reason, condition.message)),
        ],
        cause: format!("its pods cannot be created: {message}"),
    })
}

/// What keeps an init container from ending, before which no other container starts.
fn of_init_container(running: &Running<'_>, pod: &Pod) -> Option<Trouble> {
    let status = pod.status.init_container_statuses.iter().find(|status| !status.ready)?;
    let (path, seen, kind) = match (&status.state.waiting, status.ended()) {
        (Some(waiting), _) if is_image_trouble(&waiting.reason) => {
            ("state.waiting", format!("{}: {}", waiting.reason, waiting.message), TroubleKind::Image)
        }
        (_, Some(ended)) if ended.exit_code != 0 => (
            "lastState.terminated",
            format!("exit code {}: {}", ended.exit_code, ended.message.trim()),
            TroubleKind::Init,
        ),
        _ => return None,
    };
    let place = format!("status.initContainerStatuses[{}].{path}", status.name);
    let what = if kind == TroubleKind::Image { "has an image that cannot be pulled" } else { "keeps failing" };
    Some(Trouble {
        kind,
        evidence: vec![Evidence::namespaced("Pod", &running.namespace, &pod.metadata.name, &place, seen)],
        cause: format!("it waits for init container {}, which {what}", status.name),
    })
}

/// Whether no container of the workload is ready, and none will be until somebody mends it: a pod that crashes may only be
/// starting.
pub(crate) fn is_lasting(running: &Running<'_>) -> bool {
    let lasts = |trouble: Trouble| !matches!(trouble.kind, TroubleKind::Other | TroubleKind::Init);
    running.ready == 0 && (running.wanted == 0 || trouble(running).is_some_and(lasts))
}

/// A pod without a node has no statuses of containers, and nothing has run that could have a log.
fn not_scheduled(running: &Running<'_>, pod: &Pod) -> Option<Trouble> {
    let mut conditions = pod.status.conditions.iter();
    let condition = conditions.find(|condition| condition.kind == "PodScheduled" && condition.status == "False")?;
    let evidence = Evidence::namespaced(
        "Pod",
        &running.namespace,
        &pod.metadata.name,
        "status.conditions[PodScheduled]",
        format!("{}: {}", condition.reason, condition.message),
    );
    let message = condition.message.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    Some(Trouble {
        kind: TroubleKind::NotScheduled(pod.metadata.name.clone()),
        evidence: vec![evidence],
        cause: format!("no node takes its pod: {message}"),
    })
}

fn of_container(running: &Running<'_>, pod: &Pod, status: &ContainerStatus) -> Option<Trouble> {
    let evidence = |path: &str, value: String| {
        let path = format!("status.containerStatuses[{}].{path}", status.name);
        vec![Evidence::namespaced("Pod", &running.namespace, &pod.metadata.name, &path, value)]
    };
    let ended = status.ended();
    let flag =
        ended.filter(|ended| ended.exit_code == 2).and_then(|ended| unknown_flag(running.container, &ended.message));
    match (status.state.waiting.as_ref(), ended, flag) {
        (Some(waiting), ..) if is_image_trouble(&waiting.reason) => Some(Trouble {
            kind: TroubleKind::Image,
            evidence: evidence("state.waiting", format!("{}: {}", waiting.reason, waiting.message)),
            cause: image(&running.container.image),
        }),
        (_, Some(ended), Some(flag)) => {
            let mut evidence = evidence("lastState.terminated", format!("exit code 2: {}", ended.message.trim()));
            evidence.push(running.evidence("spec.template.spec.containers[].args", running.container.args.join(" ")));
            let of = flag.of.as_deref().unwrap_or("its version");
            let cause = format!("it was started with --{}, a flag that {of} does not have", flag.name);
            Some(Trouble { kind: TroubleKind::Flag(flag), evidence, cause })
        }
        (_, Some(ended), None) => Some(Trouble {
            kind: TroubleKind::Other,
            evidence: evidence(
                "lastState.terminated",
                format!("exit code {}: {}", ended.exit_code, ended.message.trim()),
            ),
            cause: if ended.exit_code == 1 && asks_for_both(running.container) {
                "it has both --node-deployment and --leader-election, and ends because they exclude each other"
                    .to_owned()
            } else {
                meaning(ended.exit_code, &ended.message)
            },
        }),
        (Some(waiting), None, _) => Some(Trouble {
            kind: TroubleKind::Other,
            evidence: evidence("state.waiting", format!("{}: {}", waiting.reason, waiting.message)),
            cause: format!("the container is waiting: {}", waiting.reason),
        }),
        (None, None, _) => None,
    }
}

/// external-snapshotter cmd/csi-snapshotter/main.go: "Leader election cannot happen when node-deployment is set to true".
fn asks_for_both(container: &Container) -> bool {
    is_csi_snapshotter(container) && is_on(container, "node-deployment") && is_on(container, "leader-election")
}

/// Where every container of a pod exits, and none says why, it is most likely that the node cannot execute their images. The kernel's "exec format error" stands only in their logs. Most images are built for amd64, so there
/// it is something else.
fn wrong_architecture(running: &Running<'_>, pod: &Pod) -> Option<Trouble> {
    let statuses = &pod.status.container_statuses;
    let dies = |status: &ContainerStatus| {
        let silent =
            |ended: &ContainerTerminated| matches!(ended.exit_code, 1 | 255) && ended.message.trim().is_empty();
        let said = |ended: &ContainerTerminated| ended.message.contains("exec format error");
        !status.ready && status.ended().is_some_and(|ended| silent(ended) || said(ended))
    };
    let name = pod.spec.node_name.as_deref()?;
    let node = running.nodes.iter().find(|node| node.metadata.name == name)?;
    let architecture = &node.status.node_info.architecture;
    if architecture.is_empty() || architecture == "amd64" || statuses.len() < 2 || !statuses.iter().all(dies) {
        return None;
    }
    let ends = statuses.iter().filter_map(|status| Some(format!("{} {}", status.name, status.ended()?.exit_code)));
    let path = "status.containerStatuses[].lastState.terminated.exitCode";
    let ends = ends.collect::<Vec<_>>().join(", ");
    Some(Trouble {
        kind: TroubleKind::Architecture,
        evidence: vec![
            Evidence::namespaced("Pod", &running.namespace, &pod.metadata.name, path, ends),
            Evidence::cluster("Node", name, "status.nodeInfo.architecture", architecture),
        ],
        cause: format!(
            "all containers of the pod exit: their images are most likely not built for {architecture}, the architecture of its node"
        ),
    })
}

/// Whether a container waits for its image in vain.
pub(crate) fn is_image_trouble(reason: &str) -> bool {
    matches!(reason, "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull")
}

fn image(image: &str) -> String {
    let dead = dead_registry(image);
    dead.map_or_else(
        || "the image cannot be pulled".to_owned(),
        |dead| format!("the image cannot be pulled: {} {}", dead.prefix.trim_end_matches('/'), dead.what),
    )
}

/// A place for images that nobody should take them from any more.
pub(crate) struct DeadRegistry {
    prefix: &'static str,
    what: &'static str,
    /// Where the images are now.
    pub(crate) instead: &'static str,
}

/// The dead registry that an image comes from.
pub(crate) fn dead_registry(image: &str) -> Option<DeadRegistry> {
    rows(include_str!("../../data/dead-registries.tsv")).find_map(|row| match *row {
        [prefix, what, instead, _source] if image.starts_with(prefix) => Some(DeadRegistry { prefix, what, instead }),
        _ => None,
    })
}

/// Whether a container of the workload has ever run, as far as its pods tell.
pub(crate) fn may_have_run(running: &Running<'_>) -> bool {
    let has_run = |status: &ContainerStatus| {
        status.ready || status.restart_count > 0 || status.state.running.is_some() || status.ended().is_some()
    };
    running.pods.is_empty() || running.statuses().any(|(_, status)| has_run(status))
}

/// What the end of a snapshot-controller or a sidecar means (external-snapshotter's `main` functions). Their logs say
/// more, but reading logs is a right that snapready does not ask for.
pub(crate) fn meaning(exit_code: i64, message: &str) -> String {
    let said = rows(include_str!("../../data/last-words.tsv")).find_map(|row| match *row {
        [contains, and, meaning, _source] => (message.contains(contains) && message.contains(and)).then_some(meaning),
        _ => None,
    });
    let text = said.unwrap_or_else(|| match exit_code {
        // Go's flag package, and Go's runtime.
        2 if message.trim().is_empty() => {
            "it was started with a flag that its version does not have, or it crashed: its log says which"
        }
        2 => "it was started with a flag that its version does not have",
        1 => {
            "it exits by itself: CRDs or permissions are missing, or the driver does not answer or does not support snapshots"
        }
        137 => "it was killed, most likely for using too much memory",
        _ => "it keeps exiting",
    });
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of these is another thing to do.
    #[test]
    fn last_words_tell_causes_apart() {
        let list = |end: &str| {
            format!(
                "Failed to list v1 volumesnapshots with error={end}\nExiting due to failure to ensure CRDs exist during startup: timed out"
            )
        };
        for (code, message, cause) in [
            (1, "Lost connection to CSI driver, exiting".to_owned(), "driver's container"),
            (1, "CSI driver a.csi does not support ControllerCreateSnapshot".to_owned(), "does not support snapshots"),
            (1, "error waiting for CSI driver to be ready: deadline exceeded".to_owned(), "does not get ready"),
            (1, list("volumesnapshots.snapshot.storage.k8s.io is forbidden: User x cannot list"), "may not list"),
            (1, list("the server could not find the requested resource (get volumesnapshots)"), "do not serve v1"),
            (255, "exec format error".to_owned(), "architecture"),
            (2, "panic: runtime error\n\ngoroutine 1 [running]:".to_owned(), "crashed"),
            (2, "flag provided but not defined: -x".to_owned(), "a flag that its version does not have"),
            (2, String::new(), "or it crashed"),
            (1, String::new(), "CRDs or permissions are missing"),
            (137, String::new(), "memory"),
        ] {
            assert!(meaning(code, &message).contains(cause), "{code} {message}: {}", meaning(code, &message));
        }
    }
}
