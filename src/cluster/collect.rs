//! From a live cluster to facts: concurrent, page by page, and only what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;
use snapready_checks::model::facts::{Facts, SnapshotApis};
use snapready_checks::model::kubernetes::{CustomResourceDefinition, ServerVersion, Workload};
use snapready_checks::model::need::{CRD_NAMES, Need};
use snapready_checks::model::nulls;
use snapready_checks::model::probe::Probe;

pub use crate::api::Retry;
use crate::api::{Failure, JSON};
use crate::cluster::connect::Connection;
use crate::cluster::list::{Resource, list};
use crate::cluster::request::Requests;
use crate::cluster::{access, keep};

/// What to collect.
#[derive(Debug, Clone)]
pub struct Collection<'a> {
    /// What the selected checks need and use. Nothing else is asked for, but that [`Need::ClassSecrets`] takes the classes.
    pub needs: &'a BTreeSet<Need>,
    /// The namespace of the round trip, for [`Need::RoundTripAccess`].
    pub namespace: &'a str,
    /// Whether the run makes that namespace.
    pub own_namespace: bool,
    /// The version, if the first request has shown it already.
    pub server_version: Option<ServerVersion>,
}

const STORAGE: &str = "storage.k8s.io";
const SNAPSHOT: &str = "snapshot.storage.k8s.io";
/// The API groups of snapshots. They are asked for by name: discovery as a whole fails with any broken extension.
const SNAPSHOT_GROUPS: [&str; 2] = [SNAPSHOT, "groupsnapshot.storage.k8s.io"];

/// The API group of `SecurityContextConstraints`.
const OPENSHIFT_SECURITY: &str = "security.openshift.io";

const fn resource(group: &'static str, plural: &'static str, kind: &'static str) -> Resource {
    Resource { group, version: "v1", plural, kind }
}

const STORAGE_CLASSES: Resource = resource(STORAGE, "storageclasses", "StorageClass");
const CSI_DRIVERS: Resource = resource(STORAGE, "csidrivers", "CSIDriver");
const CSI_NODES: Resource = resource(STORAGE, "csinodes", "CSINode");
const VOLUME_SNAPSHOT_CLASSES: Resource = resource(SNAPSHOT, "volumesnapshotclasses", "VolumeSnapshotClass");
const VOLUME_SNAPSHOT_CONTENTS: Resource = resource(SNAPSHOT, "volumesnapshotcontents", "VolumeSnapshotContent");
const PODS: Resource = resource("", "pods", "Pod");
const LEASES: Resource = resource("coordination.k8s.io", "leases", "Lease");
const DEPLOYMENTS: Resource = resource("apps", "deployments", "Deployment");
const STATEFUL_SETS: Resource = resource("apps", "statefulsets", "StatefulSet");
const DAEMON_SETS: Resource = resource("apps", "daemonsets", "DaemonSet");

/// Looks at a cluster. What cannot be seen is a value in the facts; this itself cannot fail. `on_retry` is told of every request
/// that is made again.
pub async fn collect(
    connection: &Connection,
    collection: &Collection<'_>,
    on_retry: &(dyn Fn(Retry) + Send + Sync),
) -> Facts {
    // Boxed: all requests together make a large future.
    Box::pin(look(connection, collection, on_retry)).await
}

async fn look(connection: &Connection, collection: &Collection<'_>, on_retry: &(dyn Fn(Retry) + Send + Sync)) -> Facts {
    let collected_at = Timestamp::now();
    let requests = &Requests::new(&connection.client, on_retry);
    let needs = collection.needs;

    // One line for each need: what is asked for it.
    let (
        (server_version, snapshot_apis, custom_resource_definitions),
        (storage_classes, (volume_snapshot_classes, class_secrets), volume_snapshot_contents),
        (csi_drivers, csi_nodes),
        (pods, workloads, leases),
        (round_trip_access, security_context_constraints),
    ) = futures::join!(
        async {
            futures::join!(
                when(needs, Need::ServerVersion, server_version(requests, collection.server_version.as_ref())),
                when(needs, Need::SnapshotApis, snapshot_apis(requests)),
                when(needs, Need::CustomResourceDefinitions, custom_resource_definitions(requests)),
            )
        },
        async {
            futures::join!(
                when(needs, Need::StorageClasses, list(requests, &STORAGE_CLASSES, keep::all)),
                snapshot_classes_and_their_secrets(requests, needs),
                when(needs, Need::VolumeSnapshotContents, list(requests, &VOLUME_SNAPSHOT_CONTENTS, keep::all)),
            )
        },
        async {
            futures::join!(
                when(needs, Need::CsiDrivers, list(requests, &CSI_DRIVERS, keep::all)),
                when(needs, Need::CsiNodes, list(requests, &CSI_NODES, keep::all)),
            )
        },
        async {
            futures::join!(
                when(needs, Need::Pods, list(requests, &PODS, keep::pod)),
                when(needs, Need::Workloads, workloads(requests)),
                when(needs, Need::Leases, list(requests, &LEASES, keep::lease)),
            )
        },
        async {
            futures::join!(
                when(
                    needs,
                    Need::RoundTripAccess,
                    access::round_trip(requests, collection.namespace, collection.own_namespace)
                ),
                when(needs, Need::SecurityContextConstraints, is_served(requests, OPENSHIFT_SECURITY)),
            )
        },
    );
    Facts {
        collected_at,
        server_version,
        snapshot_apis,
        custom_resource_definitions,
        storage_classes,
        volume_snapshot_classes,
        volume_snapshot_contents,
        csi_drivers,
        csi_nodes,
        pods,
        workloads,
        leases,
        class_secrets,
        round_trip_access,
        security_context_constraints,
    }
}

/// A request that is made only for a need.
async fn when<T>(needs: &BTreeSet<Need>, need: Need, request: impl Future<Output = Probe<T>>) -> Probe<T> {
    if needs.contains(&need) { request.await } else { Probe::NotCollected }
}

async fn snapshot_classes_and_their_secrets(
    requests: &Requests<'_>,
    needs: &BTreeSet<Need>,
) -> (
    Probe<Vec<snapready_checks::model::kubernetes::VolumeSnapshotClass>>,
    Probe<Vec<snapready_checks::model::facts::SecretExistence>>,
) {
    if !needs.contains(&Need::VolumeSnapshotClasses) && !needs.contains(&Need::ClassSecrets) {
        return (Probe::NotCollected, Probe::NotCollected);
    }
    let classes = list(requests, &VOLUME_SNAPSHOT_CLASSES, keep::all).await;
    let secrets = when(needs, Need::ClassSecrets, access::class_secrets(requests, &classes)).await;
    (classes, secrets)
}

async fn server_version(requests: &Requests<'_>, known: Option<&ServerVersion>) -> Probe<ServerVersion> {
    if let Some(version) = known {
        return Probe::Seen { value: version.clone() };
    }
    match requests.get("/version", JSON).await {
        Ok(answer) => match nulls::from_slice::<ServerVersion>(&answer) {
            Ok(version) if !version.git_version.is_empty() => Probe::Seen { value: version },
            _ => Probe::Failed { reason: "GET /version: the answer holds no gitVersion".to_owned() },
        },
        Err(failure) => Probe::Failed { reason: open_to_all("/version", &failure) },
    }
}

/// Discovery and the version are open to everybody who is logged in, by `ClusterRoles` that no rule for a resource replaces.
fn open_to_all(path: &str, failure: &Failure) -> String {
    match failure.status {
        403 => format!("GET {path}: refused; every account normally has ClusterRole system:discovery, which allows it"),
        404 => format!("GET {path}: 404 Not Found"),
        _ => format!("GET {path}: {failure}"),
    }
}

async fn snapshot_apis(requests: &Requests<'_>) -> Probe<SnapshotApis> {
    let answers = join_all(SNAPSHOT_GROUPS.map(async |group| (group, versions(requests, group).await))).await;
    let mut apis = BTreeMap::new();
    for (group, versions) in answers {
        match versions {
            Ok(Some(versions)) => {
                apis.insert(group.to_owned(), versions);
            }
            Ok(None) => {}
            Err(reason) => return Probe::Failed { reason },
        }
    }
    Probe::Seen { value: SnapshotApis(apis) }
}

async fn is_served(requests: &Requests<'_>, group: &str) -> Probe<bool> {
    match versions(requests, group).await {
        Ok(versions) => Probe::from(versions.is_some()),
        Err(reason) => Probe::Failed { reason },
    }
}

/// The versions of an API group, the preferred one first; `None` if it is not served.
async fn versions(requests: &Requests<'_>, group: &str) -> Result<Option<Vec<String>>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ApiGroup {
        versions: Vec<Version>,
        preferred_version: Option<Version>,
    }
    #[derive(Deserialize)]
    struct Version {
        version: String,
    }
    let path = format!("/apis/{group}");
    let answer = match requests.get(&path, JSON).await {
        Ok(answer) => answer,
        Err(failure) if failure.status == 404 => return Ok(None),
        Err(failure) => return Err(open_to_all(&path, &failure)),
    };
    let found: ApiGroup =
        nulls::from_slice(&answer).map_err(|_| format!("GET {path}: the answer is not an APIGroup"))?;
    let mut versions: Vec<String> = found.versions.into_iter().map(|version| version.version).collect();
    if let Some(preferred) = found.preferred_version {
        // Stable: the others stay in the server's order.
        versions.sort_by_key(|version| *version != preferred.version);
    }
    Ok(Some(versions))
}

/// By name, since the right to read these six is less than the right to list all.
async fn custom_resource_definitions(requests: &Requests<'_>) -> Probe<Vec<CustomResourceDefinition>> {
    let answers = join_all(CRD_NAMES.map(async |name| {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        match requests.get(&path, JSON).await {
            Ok(answer) => match definition(&answer) {
                Some(definition) if definition.metadata.name == name => Ok(Some(definition)),
                _ => Err(Probe::Failed {
                    reason: format!("GET {path}: the answer is not this CustomResourceDefinition"),
                }),
            },
            Err(failure) if failure.status == 404 => Ok(None),
            Err(failure) => match Need::CustomResourceDefinitions.rules().into_iter().next() {
                Some(rule) if failure.status == 403 => Err(Probe::Forbidden { rule }),
                _ => Err(Probe::Failed { reason: format!("GET {path}: {failure}") }),
            },
        }
    }))
    .await;
    match answers.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(definitions) => Probe::Seen { value: definitions.into_iter().flatten().collect() },
        Err(unseen) => unseen,
    }
}

fn definition(answer: &[u8]) -> Option<CustomResourceDefinition> {
    let mut definition: CustomResourceDefinition = nulls::from_slice(answer).ok()?;
    keep::all(&mut definition);
    Some(definition)
}

async fn workloads(requests: &Requests<'_>) -> Probe<Vec<Workload>> {
    let kinds = [&DEPLOYMENTS, &STATEFUL_SETS, &DAEMON_SETS];
    let lists = join_all(kinds.map(async |kind| (kind, list(requests, kind, keep::workload).await))).await;
    let mut all = Vec::new();
    for (kind, workloads) in lists {
        match workloads {
            Probe::Seen { value } => all.extend(value.into_iter().map(|workload| Workload {
                // Objects in a list do not say their kind.
                kind: kind.kind.to_owned(),
                ..workload
            })),
            other => return other,
        }
    }
    Probe::Seen { value: all }
}

#[cfg(test)]
mod tests;
