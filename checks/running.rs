//! Which workloads run a certain container, told from their templates and from their pods, whichever could be seen.

use std::collections::BTreeMap;

use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::kubernetes::{Container, ContainerStatus, Metadata, Pod, PodSpec, Workload};
use crate::names::fix_with;

/// A workload that runs a certain container.
#[derive(Debug, Clone)]
pub struct Running<'a> {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Pod`, …
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The container, as the template has it, or else the first pod.
    pub container: &'a Container,
    /// The template of its pods, or else the first pod's spec.
    pub spec: &'a PodSpec,
    /// Metadata of the workload, of its template and of its pods, as far as seen.
    pub metadata: Vec<&'a Metadata>,
    /// Its pods that are neither finished nor being deleted.
    pub pods: Vec<&'a Pod>,
    /// How many pods it should have.
    pub wanted: i64,
    /// In how many pods the container is ready.
    pub ready: i64,
}

impl Running<'_> {
    /// `kube-system/snapshot-controller`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Evidence from the workload.
    pub fn evidence(&self, path: &str, value: impl Into<String>) -> Evidence {
        Evidence::namespaced(&self.kind, &self.namespace, &self.name, path, value)
    }

    /// The state of the container in each pod that has one.
    pub fn statuses(&self) -> impl Iterator<Item = (&Pod, &ContainerStatus)> {
        self.pods.iter().filter_map(|pod| {
            let mut statuses = pod.status.container_statuses.iter();
            statuses.find(|status| status.name == self.container.name).map(|status| (*pod, status))
        })
    }
}

/// All workloads with a container that matches, in the order of namespace, kind and name.
pub fn running<'a>(facts: &'a Facts, matches: fn(&Container) -> bool) -> Vec<Running<'a>> {
    let mut found: BTreeMap<(String, String, String, String), Running<'a>> = BTreeMap::new();
    for workload in facts.workloads.seen().into_iter().flatten() {
        for container in workload.spec.template.spec.containers.iter().filter(|container| matches(container)) {
            let namespace = workload.metadata.namespace.clone().unwrap_or_default();
            let key =
                (namespace.clone(), workload.kind.clone(), workload.metadata.name.clone(), container.name.clone());
            found.insert(key, from_workload(workload, namespace, container));
        }
    }
    for pod in facts.pods.seen().into_iter().flatten() {
        for container in pod.spec.containers.iter().filter(|container| matches(container)) {
            let namespace = pod.metadata.namespace.clone().unwrap_or_default();
            let (kind, name) = owner(pod);
            let key = (namespace.clone(), kind.clone(), name.clone(), container.name.clone());
            if !alive(pod) {
                continue;
            }
            let entry = found.entry(key).or_insert_with(|| Running {
                kind,
                namespace,
                name,
                container,
                spec: &pod.spec,
                metadata: Vec::new(),
                pods: Vec::new(),
                wanted: 0,
                ready: 0,
            });
            entry.metadata.push(&pod.metadata);
            entry.pods.push(pod);
        }
    }
    let mut found: Vec<Running<'a>> = found.into_values().collect();
    if facts.pods.seen().is_some() {
        for running in &mut found {
            let ready = running.statuses().filter(|(_, status)| status.ready).count();
            running.ready = i64::try_from(ready).unwrap_or(i64::MAX);
            // A workload that could not be seen wants what it has; one scaled to 0 may still have some.
            if running.wanted == 0 {
                running.wanted = i64::try_from(running.pods.len()).unwrap_or(i64::MAX);
            }
        }
    }
    found
}

fn from_workload<'a>(workload: &'a Workload, namespace: String, container: &'a Container) -> Running<'a> {
    let status = &workload.status;
    let daemon = workload.kind == "DaemonSet";
    Running {
        kind: workload.kind.clone(),
        namespace,
        name: workload.metadata.name.clone(),
        container,
        spec: &workload.spec.template.spec,
        metadata: vec![&workload.metadata, &workload.spec.template.metadata],
        pods: Vec::new(),
        wanted: if daemon { status.desired_number_scheduled } else { workload.spec.replicas.unwrap_or(1) },
        ready: if daemon { status.number_ready } else { status.ready_replicas },
    }
}

/// The workload of a pod. A `ReplicaSet` of a Deployment has the Deployment's name and a hash.
fn owner(pod: &Pod) -> (String, String) {
    match pod.metadata.owner_references.first() {
        Some(owner) if owner.kind == "ReplicaSet" => match owner.name.rsplit_once('-') {
            Some((deployment, _)) => ("Deployment".to_owned(), deployment.to_owned()),
            None => (owner.kind.clone(), owner.name.clone()),
        },
        Some(owner) => (owner.kind.clone(), owner.name.clone()),
        None => ("Pod".to_owned(), pod.metadata.name.clone()),
    }
}

fn alive(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && pod.status.phase != "Succeeded" && pod.status.phase != "Failed"
}

/// The last path element of an image, without tag and digest: `snapshot-controller`.
#[must_use]
pub fn image_name(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split(':').next().unwrap_or(name)
}

/// Whether an argument switches a flag on. Go's flag package takes one dash or two, and a flag alone for true.
pub(crate) fn is_switched_on(argument: &str, flag: &str) -> bool {
    let rest = argument.trim_start_matches('-').strip_prefix(flag);
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('=').is_some_and(is_true))
}

/// What Go reads as true.
pub(crate) fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
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

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
