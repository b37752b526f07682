//! The objects that a round trip creates: their names follow from the plan alone, so that a later process finds them.

mod pods;

use serde_json::{Map, Value, json};
use snapready_checks::model::object::Kind;

pub use self::pods::{READ_CONTAINER, WRITE_CONTAINER, consumer, reader, writer};
use super::kinds::{EXPIRES_AT, MANAGED_BY, RUN_LABEL};
use super::ledger::Role;
use super::plan::{Plan, Target};
use super::quantity::Quantity;
use crate::api::Place;
use crate::model::ObjectName;

/// An object to create.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; `None` for a Namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The whole object.
    pub body: Value,
}

impl Manifest {
    /// Where it lies.
    pub(crate) fn place(&self) -> Place {
        Place { kind: self.kind, namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// Its name in reports.
    #[must_use]
    pub fn object(&self) -> ObjectName {
        ObjectName { kind: self.kind.name.to_owned(), namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

/// The name of an object: in a namespace of the run's own the role, with the index if there are several targets; in a
/// shared namespace with the run's id before it.
#[must_use]
pub fn name(plan: &Plan, target: &Target, role: Role) -> String {
    let word = role.word();
    match (plan.own_namespace, plan.targets.len()) {
        (true, 0 | 1) => word.to_owned(),
        (true, _) => format!("{word}-{}", target.index),
        (false, _) => format!("snapready-{}-{word}-{}", plan.run, target.index),
    }
}

/// The run's namespace. It enforces the restricted Pod Security level, which every pod here satisfies.
#[must_use]
pub fn namespace(plan: &Plan) -> Manifest {
    let mut metadata = metadata(plan, "namespace");
    metadata.insert("name".to_owned(), json!(plan.namespace));
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        for mode in ["enforce", "audit", "warn"] {
            labels.insert(format!("pod-security.kubernetes.io/{mode}"), json!("restricted"));
        }
    }
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
    Manifest { kind: Kind::NAMESPACE, namespace: None, name: plan.namespace.clone(), body }
}

/// The claim that is written to.
#[must_use]
pub fn source_claim(plan: &Plan, target: &Target) -> Manifest {
    manifest(plan, target, Role::SourceClaim, &claim_spec(target, target.size_bytes))
}

/// The claim that is restored from the snapshot. `size_bytes` comes from [`super::plan::restore_size`].
#[must_use]
pub fn restored_claim(plan: &Plan, target: &Target, size_bytes: u64) -> Manifest {
    let mut spec = claim_spec(target, size_bytes);
    let source = json!({
        "apiGroup": "snapshot.storage.k8s.io",
        "kind": "VolumeSnapshot",
        "name": name(plan, target, Role::Snapshot),
    });
    if let Value::Object(spec) = &mut spec {
        spec.insert("dataSource".to_owned(), source);
    }
    manifest(plan, target, Role::RestoredClaim, &spec)
}

/// The snapshot of the source. Without a chosen class it names none, and the snapshot-controller takes the default.
#[must_use]
pub fn snapshot(plan: &Plan, target: &Target) -> Manifest {
    let mut spec = json!({ "source": { "persistentVolumeClaimName": name(plan, target, Role::SourceClaim) } });
    if let (Some(class), Value::Object(spec)) = (&target.snapshot_class, &mut spec) {
        spec.insert("volumeSnapshotClassName".to_owned(), json!(class));
    }
    manifest(plan, target, Role::Snapshot, &spec)
}

fn metadata(plan: &Plan, component: &str) -> Map<String, Value> {
    let labels = json!({
        MANAGED_BY.0: MANAGED_BY.1,
        RUN_LABEL: plan.run.as_str(),
        "app.kubernetes.io/name": "snapready",
        "app.kubernetes.io/component": component,
        // A backup product that runs at the same time leaves these objects alone.
        "velero.io/exclude-from-backup": "true",
    });
    let mut metadata = Map::new();
    metadata.insert("labels".to_owned(), labels);
    metadata.insert("annotations".to_owned(), json!({ EXPIRES_AT: plan.expires_at.to_string() }));
    metadata
}

fn manifest(plan: &Plan, target: &Target, role: Role, spec: &Value) -> Manifest {
    let kind = role.kind();
    let name = name(plan, target, role);
    let mut metadata = metadata(plan, role.word());
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("namespace".to_owned(), json!(plan.namespace));
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        labels.insert("snapready.dev/target".to_owned(), json!(target.index.to_string()));
        if kind == Kind::POD {
            // A mesh's proxy would keep the pod from ending; one key is read as a label, the other as an annotation.
            labels.insert("sidecar.istio.io/inject".to_owned(), json!("false"));
        }
    }
    if let (Some(Value::Object(annotations)), Kind::POD) = (metadata.get_mut("annotations"), kind) {
        annotations.insert("linkerd.io/inject".to_owned(), json!("disabled"));
    }
    let body = json!({ "apiVersion": kind.api_version(), "kind": kind.name, "metadata": metadata, "spec": spec });
    Manifest { kind, namespace: Some(plan.namespace.clone()), name, body }
}

fn claim_spec(target: &Target, size_bytes: u64) -> Value {
    json!({
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": target.storage_class,
        "volumeMode": target.volume_mode,
        "resources": { "requests": { "storage": Quantity(size_bytes).to_string() } },
    })
}

#[cfg(test)]
mod tests;
