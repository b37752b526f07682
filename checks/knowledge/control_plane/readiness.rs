//! Whether what runs is ready, and why not.

use crate::knowledge::control_plane::containers::is_helper;
use crate::knowledge::control_plane::running::Running;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::kubernetes::{ContainerStatus, Pod};
use crate::text::names::fix_with;

/// The finding about a workload's readiness: fail if no container is ready, unless something else does the work
/// (`covered`); warn if one keeps ending.
pub(crate) fn readiness(running: &Running<'_>, what: &str, covered: bool) -> Finding {
    let count = format!("{} {}/{}", running.place(), running.ready, running.wanted);
    let trouble = trouble(running);
    if running.ready > 0 && trouble.is_none() {
        return Finding::new(Status::Pass, count);
    }
    let status = if running.ready > 0 || covered { Status::Warn } else { Status::Fail };
    let resource = &running.kind.to_ascii_lowercase();
    let names = [running.namespace.as_str(), running.name.as_str()];
    let is_workload =
        matches!(running.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod");
    if running.wanted == 0 {
        let fix = Fix::text("Scale it up, or start the nodes that it selects.");
        let scales = matches!(running.kind.as_str(), "Deployment" | "StatefulSet");
        let scale = |[namespace, name]: [&str; 2]| {
            kubectl("-n").word(namespace).words("scale").word(resource).word(name).words("--replicas=1")
        };
        return Finding::new(status, format!("{what} of {} is scaled to 0", running.place()))
            .evidence(running.evidence("spec.replicas", "0"))
            .fix(if scales { fix_with(fix, names, scale) } else { fix });
    }
    let path = format!("status of container {}", running.container.name);
    let finding = Finding::new(status, format!("{what} is not ready: {count}"))
        .evidence(running.evidence(&path, format!("{} of {} ready", running.ready, running.wanted)));
    let finding = match trouble.clone() {
        Some((evidence, cause)) => finding.evidence(evidence).cause(format!("{}.", upper(&cause))),
        None => finding,
    };
    if trouble.as_ref().is_some_and(|(_, cause)| cause == IMAGE) {
        let fix = Fix::text("Correct its image, or make the registry reachable from the nodes.");
        let describe =
            |[namespace, name]: [&str; 2]| kubectl("-n").word(namespace).words("describe").word(resource).word(name);
        return finding.fix(if is_workload { fix_with(fix, names, describe) } else { fix });
    }
    let fix = Fix::text("Check the events and logs of its pods.");
    let fix =
        fix_with(fix, [&running.namespace], |[namespace]| kubectl("-n").word(namespace).words("get pods -o wide"));
    let logs = |[namespace, name, container]: [&str; 3]| {
        let workload = format!("{resource}/{name}");
        kubectl("-n").word(namespace).words("logs").word(workload).words("-c").word(container).words("--previous")
    };
    let names = [running.namespace.as_str(), &running.name, &running.container.name];
    finding.fix(if is_workload { fix_with(fix, names, logs) } else { fix })
}

/// Why the containers of a workload are not ready, as far as their states tell: what was seen, and what it means.
#[must_use]
pub fn trouble(running: &Running<'_>) -> Option<(Evidence, String)> {
    running.statuses().filter(|(_, status)| !status.ready).find_map(|(pod, status)| {
        let evidence = |path: &str, value: String| {
            Evidence::namespaced("Pod", &running.namespace, &pod.metadata.name, path, value)
        };
        let path = format!("status.containerStatuses[{}]", status.name);
        let ended = status.last_state.terminated.as_ref().or(status.state.terminated.as_ref());
        let waiting = status.state.waiting.as_ref();
        match (waiting, ended) {
            (Some(waiting), _) if is_image_trouble(&waiting.reason) => Some((
                evidence(&format!("{path}.state.waiting"), format!("{}: {}", waiting.reason, waiting.message)),
                IMAGE.to_owned(),
            )),
            (_, Some(ended)) => Some((
                evidence(
                    &format!("{path}.lastState.terminated"),
                    format!("exit code {}: {}", ended.exit_code, ended.message.trim()),
                ),
                meaning(ended.exit_code, &ended.message),
            )),
            (Some(waiting), None) => Some((
                evidence(&format!("{path}.state.waiting"), format!("{}: {}", waiting.reason, waiting.message)),
                format!("the container is waiting: {}", waiting.reason),
            )),
            (None, None) => None,
        }
    })
}

const IMAGE: &str = "the image cannot be pulled";

fn is_image_trouble(reason: &str) -> bool {
    matches!(reason, "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull")
}

/// What the end of a snapshot-controller or a sidecar means (external-snapshotter's `main` functions). Their logs say
/// more, but reading logs is a right that snapready does not ask for.
pub(crate) fn meaning(exit_code: i64, message: &str) -> String {
    let text = match exit_code {
        // Go's flag package.
        2 => "it was started with a flag that its version does not have",
        _ if message.contains("Lost connection to CSI driver") => {
            "the driver's container in the same pod keeps exiting"
        }
        _ if message.contains("does not support ControllerCreateSnapshot") => "the driver does not support snapshots",
        _ if message.contains("ensure CRDs exist") => {
            "it cannot list the snapshot CRDs: they are missing, or it is not permitted to"
        }
        1 => {
            "it exits by itself: CRDs or permissions are missing, or the driver does not answer or does not support snapshots"
        }
        137 => "it was killed, most likely for using too much memory",
        _ => "it keeps exiting",
    };
    text.to_owned()
}

/// A csi-snapshotter has no readiness probe and waits for its driver for ever: where the driver beside it is down in every
/// pod, it counts as ready and does nothing.
pub(crate) fn alone(running: &Running<'_>, covered: bool) -> Option<Finding> {
    let ready = running.statuses().filter(|(_, status)| status.ready).map(|(pod, _)| pod);
    let down: Vec<(&Pod, &ContainerStatus)> = ready.map(|pod| Some((pod, driver_down(pod)?))).collect::<Option<_>>()?;
    let (pod, status) = down.first()?;
    let path = format!("status.containerStatuses[{}].ready", status.name);
    let fix = Fix::text("Read why the driver's container does not start.");
    let names = [pod.metadata.namespace.as_deref().unwrap_or_default(), pod.metadata.name.as_str()];
    let finding = Finding::new(
        if covered { Status::Warn } else { Status::Fail },
        format!(
            "the csi-snapshotter of {} runs, but container {} beside it is not ready",
            running.place(),
            status.name
        ),
    );
    Some(
        finding
            .evidence(Evidence::namespaced("Pod", names[0], names[1], &path, "false"))
            .cause("Without the driver it waits, and works on no snapshot.")
            .fix(fix_with(fix, names, |[namespace, pod]| {
                kubectl("-n").word(namespace).words("describe pod").word(pod)
            })),
    )
}

/// The state of a pod's driver, if it is not ready.
fn driver_down(pod: &Pod) -> Option<&ContainerStatus> {
    let helps = |name: &str| {
        let mut containers = pod.spec.containers.iter();
        containers.find(|container| container.name == name).is_some_and(is_helper)
    };
    pod.status.container_statuses.iter().find(|status| !status.ready && !helps(&status.name))
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
