//! The objects that a round trip creates: their names follow from the plan alone, so that a later process finds them.

mod pods;

use serde_json::{Map, Value, json};
use snapready_checks::model::object::Kind;

pub use self::pods::{
    consumer, filler, journal_reader, looker, on_another_node, on_node, overwriter, reader, recorder, sized_reader,
    with_read_only_claim, writer,
};
use super::kinds::{COMPONENT_LABEL, EXPIRES_AT, GROUP_LABEL, MANAGED_BY, MODE_LABEL, RUN_LABEL, TARGET_LABEL};
use super::modes::Making;
use super::observe::text;
use super::plan::{Plan, Target, restore_size};
use super::program::{Lies, Object, ObjectId};
use crate::api::Place;
use crate::model::ObjectName;
use snapready_checks::model::quantity::Quantity;

/// By this annotation a csi-snapshotter knows that a content that is deleted may go, and with policy `Delete` the snapshot in the
/// storage with it (external-snapshotter pkg/sidecar-controller/snapshot_controller.go, `shouldDelete`).
pub(crate) const BEING_DELETED: &str = "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted";
/// The same of a `VolumeGroupSnapshotContent` (pkg/sidecar-controller/groupsnapshot_helper.go, `shouldDeleteGroupSnapshotContent`).
pub(crate) const GROUP_BEING_DELETED: &str = "groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-deleted";
/// Keeps a content until the csi-snapshotter has done what its policy says.
const CONTENT_BOUND: &str = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";
/// Where a content names the secret that the deletion of its snapshot takes.
const DELETION_SECRET: [&str; 2] =
    ["snapshot.storage.kubernetes.io/deletion-secret-name", "snapshot.storage.kubernetes.io/deletion-secret-namespace"];

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
        self.place().object()
    }
}

/// The name of an object with this word: in a namespace of the run's own the word, with the index if there are several
/// targets; elsewhere with the run's id before it.
#[must_use]
pub fn name(plan: &Plan, target: &Target, word: &str) -> String {
    match (plan.own_namespace, plan.targets.len()) {
        (true, 0 | 1) => word.to_owned(),
        (true, _) => format!("{word}-{}", target.index),
        (false, _) => format!("snapready-{}-{word}-{}", plan.run, target.index),
    }
}

/// The name of a namespace: the first of a program has the plan's, others have their word behind it, and the index of their round
/// trip.
fn space_name(making: &Making<'_>, space: &Object) -> String {
    let first = making.program.objects().iter().find(|object| object.kind == Kind::NAMESPACE);
    if first.is_some_and(|first| first.id == space.id) {
        making.plan.namespace.clone()
    } else {
        format!("{}-{}-{}", making.plan.namespace, space.word, making.target.index)
    }
}

/// A namespace. It enforces the highest Pod Security level that all pods of the run satisfy.
#[must_use]
pub fn namespace(making: &Making<'_>) -> Manifest {
    let name = space_name(making, making.object);
    let mut metadata = metadata(making);
    metadata.insert("name".to_owned(), json!(name));
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        if !making.object.shared {
            labels.insert(TARGET_LABEL.to_owned(), json!(making.target.index.to_string()));
        }
        for mode in ["enforce", "audit", "warn"] {
            labels.insert(format!("pod-security.kubernetes.io/{mode}"), json!(making.user.level()));
        }
    }
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
    Manifest { kind: Kind::NAMESPACE, namespace: None, name, body }
}

/// The claim that is written to.
#[must_use]
pub fn source_claim(making: &Making<'_>) -> Manifest {
    sized_claim(making, making.target.size_bytes)
}

/// A claim of so many bytes.
#[must_use]
pub fn sized_claim(making: &Making<'_>, size_bytes: u64) -> Manifest {
    manifest(making, &claim_spec(making.target, size_bytes))
}

/// The claim that is restored from the snapshot with this word. `size_bytes` comes from [`super::plan::restore_size`].
#[must_use]
pub fn restored_claim(making: &Making<'_>, snapshot: &str, size_bytes: u64) -> Manifest {
    claim_from(making, &name(making.plan, making.target, snapshot), size_bytes)
}

/// The claim that is restored from the snapshot with this name.
#[must_use]
pub fn claim_from(making: &Making<'_>, snapshot: &str, size_bytes: u64) -> Manifest {
    let source =
        json!({ "apiGroup": Kind::VOLUME_SNAPSHOT.group, "kind": Kind::VOLUME_SNAPSHOT.name, "name": snapshot });
    made_from(making, size_bytes, source)
}

/// The same claim, whose volume many pods may read and none may write to.
#[must_use]
pub fn read_by_many(mut claim: Manifest) -> Manifest {
    if let Some(Value::Object(spec)) = claim.body.get_mut("spec") {
        spec.insert("accessModes".to_owned(), json!(["ReadOnlyMany"]));
    }
    claim
}

/// The claim that is a clone of the claim with this word.
#[must_use]
pub fn clone(making: &Making<'_>, claim: &str, size_bytes: u64) -> Manifest {
    let name = name(making.plan, making.target, claim);
    // The core API group has no name, and is left out.
    made_from(making, size_bytes, json!({ "kind": Kind::PERSISTENT_VOLUME_CLAIM.name, "name": name }))
}

fn made_from(making: &Making<'_>, size_bytes: u64, source: Value) -> Manifest {
    let mut spec = claim_spec(making.target, size_bytes);
    if let Value::Object(spec) = &mut spec {
        spec.insert("dataSource".to_owned(), source);
    }
    manifest(making, &spec)
}

/// The bytes that a claim restored from this snapshot has to ask for: as many as the source asked for, or as the snapshot says.
#[must_use]
pub fn restored_bytes(making: &Making<'_>, snapshot: ObjectId, request: u64) -> u64 {
    let snapshot = making.seen.get(snapshot);
    let wanted = snapshot.and_then(|snapshot| snapshot.pointer("/status/restoreSize")?.as_str());
    // A size that cannot be read is the driver's mistake; the request is what is known.
    restore_size(request, wanted, None).unwrap_or(request)
}

/// So many bytes, or as many as the volume of this claim has turned out to have: drivers refuse less.
#[must_use]
pub fn as_large_as(making: &Making<'_>, claim: ObjectId, bytes: u64) -> u64 {
    let capacity = making.seen.get(claim).and_then(|claim| text(claim, "/status/capacity/storage"));
    restore_size(bytes, None, capacity).unwrap_or(bytes)
}

/// The bytes that a claim asks for.
#[must_use]
pub fn requested(claim: &Value) -> Option<u64> {
    Some(claim.pointer("/spec/resources/requests/storage")?.as_str()?.parse::<Quantity>().ok()?.0)
}

/// How large the volume of a claim is.
pub(super) fn capacity(claim: &Value) -> Option<u64> {
    Some(claim.pointer("/status/capacity/storage")?.as_str()?.parse::<Quantity>().ok()?.0)
}

/// The snapshot of the claim with this word. Without a chosen class it names none, and the snapshot-controller takes the
/// default.
#[must_use]
pub fn snapshot(making: &Making<'_>, claim: &str) -> Manifest {
    snapshot_of(making, &name(making.plan, making.target, claim))
}

/// The same of the claim with this name.
#[must_use]
pub fn snapshot_of(making: &Making<'_>, claim: &str) -> Manifest {
    let mut spec = json!({ "source": { "persistentVolumeClaimName": claim } });
    if let (Some(class), Value::Object(spec)) = (&making.target.snapshot_class, &mut spec) {
        spec.insert("volumeSnapshotClassName".to_owned(), json!(class));
    }
    manifest(making, &spec)
}

/// The same claim as one of the round trip's group.
#[must_use]
pub fn in_group(making: &Making<'_>, mut claim: Manifest) -> Manifest {
    if let Some(Value::Object(labels)) = claim.body.pointer_mut("/metadata/labels") {
        labels.insert(GROUP_LABEL.to_owned(), json!(group(making)));
    }
    claim
}

/// What tells the group of this round trip from others in the namespace.
fn group(making: &Making<'_>) -> String {
    format!("{}-{}", making.plan.run, making.target.index)
}

/// The snapshot of all claims of the round trip's group.
#[must_use]
pub fn group_snapshot(making: &Making<'_>) -> Manifest {
    // The snapshot-controller reads no more of a selector than `matchLabels`.
    let mut spec = json!({ "source": { "selector": { "matchLabels": { GROUP_LABEL: group(making) } } } });
    if let (Some(class), Value::Object(spec)) = (&making.target.snapshot_class, &mut spec) {
        spec.insert("volumeGroupSnapshotClassName".to_owned(), json!(class));
    }
    manifest(making, &spec)
}

/// The claim that is restored from this member of a group. Its name is the snapshot-controller's: before there is one the claim's
/// place is all that is asked for.
#[must_use]
pub fn restored_member(making: &Making<'_>, member: ObjectId) -> Option<Manifest> {
    let name = making.seen.get(member).and_then(|member| text(member, "/metadata/name"));
    let name = name.or_else(|| making.seen.is_empty().then_some("not-known-yet"))?;
    Some(claim_from(making, name, restored_bytes(making, member, making.target.size_bytes)))
}

/// A content for the handle of the one that a controller made: as a backup product creates it where it restores, for the snapshot
/// with this id. `None` if the handle is not known. Before anything was created its place is all that is asked for.
///
/// The snapshot-controller gives a content its finalizer only when it is bound, and tells the csi-snapshotter that one is to go
/// only if its snapshot says that it is bound (external-snapshotter pkg/common-controller/snapshot_controller.go,
/// `syncContent`, `processSnapshotWithDeletionTimestamp`). With both from the start it can be deleted at any time.
#[must_use]
pub fn content_of_handle(making: &Making<'_>, first: ObjectId, snapshot: ObjectId) -> Option<Manifest> {
    let seen = making.seen.get(first);
    let field = |pointer: &str| text(seen?, pointer);
    let handle = field("/status/snapshotHandle").or_else(|| making.seen.is_empty().then_some("not-known-yet"))?;
    let snapshot = sibling(making, snapshot)?;
    let driver = field("/spec/driver").or(making.target.snapshot_driver.as_deref()).or(making.target.driver.as_deref());
    let mut spec = json!({
        "deletionPolicy": "Delete",
        "driver": driver.unwrap_or("not-known-yet"),
        "source": { "snapshotHandle": handle },
        "volumeSnapshotRef": {
            "apiVersion": Kind::VOLUME_SNAPSHOT.api_version(), "kind": Kind::VOLUME_SNAPSHOT.name,
            "namespace": snapshot.namespace, "name": snapshot.name,
        },
    });
    for same in ["sourceVolumeMode", "volumeSnapshotClassName"] {
        if let (Some(value), Value::Object(spec)) = (field(&format!("/spec/{same}")), &mut spec) {
            spec.insert(same.to_owned(), json!(value));
        }
    }
    let mut manifest = manifest(making, &spec);
    let Some(Value::Object(metadata)) = manifest.body.get_mut("metadata") else { return Some(manifest) };
    metadata.insert("finalizers".to_owned(), json!([CONTENT_BOUND]));
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.insert(BEING_DELETED.to_owned(), json!("yes"));
        let first = seen.and_then(|seen| seen.pointer("/metadata/annotations"));
        for secret in DELETION_SECRET {
            if let Some(value) = first.and_then(|first| first.get(secret)) {
                annotations.insert(secret.to_owned(), value.clone());
            }
        }
    }
    Some(manifest)
}

/// The snapshot of this content.
#[must_use]
pub fn snapshot_of_content(making: &Making<'_>, content: ObjectId) -> Option<Manifest> {
    let content = sibling(making, content)?.name;
    Some(manifest(making, &json!({ "source": { "volumeSnapshotContentName": content } })))
}

/// What changes of a content that is taken over from the controller that made it: a clean-up finds it by its labels, it stays when
/// its snapshot goes, and it can be deleted by itself.
#[must_use]
pub fn taken_over(making: &Making<'_>) -> Manifest {
    let mut change = manifest(making, &json!({ "deletionPolicy": "Retain" }));
    if let Some(Value::Object(annotations)) = change.body.pointer_mut("/metadata/annotations") {
        annotations.insert(BEING_DELETED.to_owned(), json!("yes"));
    }
    change
}

/// Another object of the round trip, as far as its name goes.
fn sibling(making: &Making<'_>, id: ObjectId) -> Option<Manifest> {
    let object = making.program.object(id)?;
    Some(manifest(&Making { object, ..*making }, &Value::Null))
}

fn metadata(making: &Making<'_>) -> Map<String, Value> {
    let plan = making.plan;
    let labels = json!({
        MANAGED_BY.0: MANAGED_BY.1,
        RUN_LABEL: plan.run.as_str(),
        MODE_LABEL: making.target.mode.name,
        "app.kubernetes.io/name": "snapready",
        COMPONENT_LABEL: making.object.word,
        // A backup product that runs at the same time leaves these objects alone.
        "velero.io/exclude-from-backup": "true",
    });
    let mut metadata = Map::new();
    metadata.insert("labels".to_owned(), labels);
    metadata.insert("annotations".to_owned(), json!({ EXPIRES_AT: plan.expires_at.to_string() }));
    metadata
}

/// The object with this `spec`.
#[must_use]
pub fn manifest(making: &Making<'_>, spec: &Value) -> Manifest {
    let kind = making.object.kind;
    let mut metadata = metadata(making);
    let name = match making.object.lies {
        Lies::In(_) => name(making.plan, making.target, making.object.word),
        // Names in the cluster are everybody's.
        Lies::Cluster => format!("snapready-{}-{}-{}", making.plan.run, making.object.word, making.target.index),
    };
    let namespace = match making.object.lies {
        Lies::In(space) => making.program.object(space).map(|space| space_name(making, space)),
        Lies::Cluster => None,
    };
    metadata.insert("name".to_owned(), json!(name));
    if let Some(namespace) = &namespace {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        labels.insert(TARGET_LABEL.to_owned(), json!(making.target.index.to_string()));
        if kind == Kind::POD {
            // A mesh's proxy would keep the pod from ending; one key is read as a label, the other as an annotation.
            labels.insert("sidecar.istio.io/inject".to_owned(), json!("false"));
        }
    }
    if let (Some(Value::Object(annotations)), Kind::POD) = (metadata.get_mut("annotations"), kind) {
        annotations.insert("linkerd.io/inject".to_owned(), json!("disabled"));
    }
    let body = json!({ "apiVersion": kind.api_version(), "kind": kind.name, "metadata": metadata, "spec": spec });
    Manifest { kind, namespace, name, body }
}

fn claim_spec(target: &Target, size_bytes: u64) -> Value {
    let access_mode = target.existing.as_ref().map_or("ReadWriteOnce", |existing| existing.access_mode.as_str());
    json!({
        "accessModes": [access_mode],
        "storageClassName": target.storage_class,
        "volumeMode": target.volume_mode,
        "resources": { "requests": { "storage": Quantity(size_bytes).to_string() } },
    })
}

#[cfg(test)]
mod tests;
