//! Which workloads run a certain container, told from their templates and from their pods, whichever could be seen.

use std::collections::BTreeMap;

use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::kubernetes::{Condition, Container, ContainerStatus, Metadata, Node, Pod, PodSpec, Workload};

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
    /// What its controller says of it; nothing if the workload was not seen.
    pub conditions: &'a [Condition],
    /// Its pods that are neither finished nor being deleted.
    pub pods: Vec<&'a Pod>,
    /// The cluster's nodes, as far as seen.
    pub nodes: &'a [Node],
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
    let nodes = facts.nodes.seen().map_or(&[][..], Vec::as_slice);
    for workload in facts.workloads.seen().into_iter().flatten() {
        for container in workload.spec.template.spec.containers.iter().filter(|container| matches(container)) {
            let namespace = workload.metadata.namespace.clone().unwrap_or_default();
            let key =
                (namespace.clone(), workload.kind.clone(), workload.metadata.name.clone(), container.name.clone());
            found.insert(key, from_workload(workload, namespace, container, nodes));
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
                conditions: &[],
                pods: Vec::new(),
                nodes,
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

fn from_workload<'a>(
    workload: &'a Workload,
    namespace: String,
    container: &'a Container,
    nodes: &'a [Node],
) -> Running<'a> {
    let status = &workload.status;
    let daemon = workload.kind == "DaemonSet";
    Running {
        kind: workload.kind.clone(),
        namespace,
        name: workload.metadata.name.clone(),
        container,
        spec: &workload.spec.template.spec,
        metadata: vec![&workload.metadata, &workload.spec.template.metadata],
        conditions: &workload.status.conditions,
        pods: Vec::new(),
        nodes,
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
