//! snapshot-controller: from a `VolumeSnapshot` to its content and back.

use std::sync::Arc;

use serde_json::{Value, json};

use super::groups::{self, IN_GROUP};
use crate::clock;
use crate::object::Object;
use crate::quantity;
use crate::resources::{CLAIMS, CONTENTS, SNAPSHOT_CLASSES, SNAPSHOTS, VOLUMES};
use crate::scenario::{Component, Driver};
use crate::store::{Key, Preconditions};
use crate::world::World;

const COMPONENT: &str = "snapshot-controller";
pub(super) const AS_SOURCE: &str = "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection";
pub(super) const BOUND: &str = "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection";
const CLAIM_AS_SOURCE: &str = "snapshot.storage.kubernetes.io/pvc-as-source-protection";
pub(super) const CONTENT_BOUND: &str = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";
/// Which node's csi-snapshotter is to take the snapshot, where there is one on each.
const MANAGED_BY: &str = "snapshot.storage.kubernetes.io/managed-by";
pub(super) const BEING_CREATED: &str = "snapshot.storage.kubernetes.io/volumesnapshot-being-created";
pub(super) const BEING_DELETED: &str = "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted";

/// What a sync ends with: the reason and the text of an event.
struct Failure(&'static str, String);

pub(super) fn reconcile(world: &Arc<World>) {
    for content in world.store.all(&CONTENTS) {
        // One that is bound to no snapshot is left alone.
        let is_bound = !content.text("/spec/volumeSnapshotRef/uid").is_empty();
        if is_bound && !content.is_deleting() && !content.has_finalizer(CONTENT_BOUND) {
            world.store.change(&Key::of(&CONTENTS, &content), |content| content.add_finalizer(CONTENT_BOUND));
        }
    }
    for snapshot in world.store.all(&SNAPSHOTS) {
        if snapshot.is_deleting() {
            delete(world, &snapshot);
        } else if let Err(Failure(reason, message)) = sync(world, &snapshot) {
            fail(world, &snapshot, reason, &message);
        }
    }
    release_claims(world);
}

/// An event is only written when it says something new.
fn fail(world: &World, snapshot: &Value, reason: &str, message: &str) {
    let key = Key::of(&SNAPSHOTS, snapshot);
    let Ok(current) = world.store.get(&key) else { return };
    if current.text("/status/error/message") == message {
        return;
    }
    world.store.change(&key, |snapshot| {
        snapshot.set(&["status", "error"], json!({ "message": message, "time": clock::now() }));
        snapshot.set(&["status", "readyToUse"], json!(false));
    });
    world.event(snapshot, COMPONENT, "Warning", reason, message);
}

/// The content of a snapshot, if it is really its own.
fn content_of(world: &World, snapshot: &Value) -> Option<Arc<Value>> {
    let bound = match snapshot.text("/spec/source/volumeSnapshotContentName") {
        "" if snapshot.has_finalizer(IN_GROUP) => snapshot.text("/status/boundVolumeSnapshotContentName").to_owned(),
        "" => format!("snapcontent-{}", snapshot.uid()),
        name => name.to_owned(),
    };
    let content = world.store.get(&Key::new(&CONTENTS, "", &bound)).ok()?;
    let reference = content.text("/spec/volumeSnapshotRef/uid");
    (reference == snapshot.uid()).then_some(content)
}

fn sync(world: &World, snapshot: &Arc<Value>) -> Result<(), Failure> {
    if !snapshot.text("/spec/source/volumeSnapshotContentName").is_empty() {
        return sync_given(world, snapshot);
    }
    let key = Key::of(&SNAPSHOTS, snapshot);
    let content = content_of(world, snapshot);
    if snapshot.has_finalizer(IN_GROUP) {
        // It takes no class, and its content comes with its group.
        if let Some(content) = &content {
            tell(world, snapshot, content);
        }
        return Ok(());
    }
    if content.is_none() && !snapshot.text("/status/boundVolumeSnapshotContentName").is_empty() {
        return Err(Failure("SnapshotContentMissing", "VolumeSnapshotContent is missing".to_owned()));
    }
    // The class is looked up on every sync, even when there is a content.
    let class = class(world, snapshot)?;
    world.store.change(&key, |snapshot| {
        snapshot.add_finalizer(AS_SOURCE);
        snapshot.add_finalizer(BOUND);
    });
    let content = match content {
        Some(content) => content,
        None => create_content(world, snapshot, &class)?,
    };
    tell(world, snapshot, &content);
    Ok(())
}

/// A snapshot that names its content: the two are bound to each other. It takes no class.
fn sync_given(world: &World, snapshot: &Arc<Value>) -> Result<(), Failure> {
    let class = snapshot.text("/spec/volumeSnapshotClassName");
    if !class.is_empty() {
        self::class(world, snapshot)?;
    }
    let key = Key::of(&SNAPSHOTS, snapshot);
    world.store.change(&key, |snapshot| snapshot.add_finalizer(AS_SOURCE));
    let name = snapshot.text("/spec/source/volumeSnapshotContentName");
    let Ok(content) = world.store.get(&Key::new(&CONTENTS, "", name)) else {
        return Err(Failure("SnapshotContentMissing", "VolumeSnapshotContent is missing".to_owned()));
    };
    let reference = |field: &str| content.text(&format!("/spec/volumeSnapshotRef/{field}")).to_owned();
    if reference("namespace") != snapshot.namespace()
        || reference("name") != snapshot.name()
        || !["", snapshot.uid()].contains(&reference("uid").as_str())
    {
        let why = format!(
            "Snapshot failed to bind VolumeSnapshotContent, Could not bind snapshot {} and content {name}, the \
             VolumeSnapshotRef does not match",
            snapshot.name()
        );
        return Err(Failure("SnapshotBindFailed", why));
    }
    let bound = world.store.change(&Key::of(&CONTENTS, &content), |content| {
        content.set(&["spec", "volumeSnapshotRef", "uid"], json!(snapshot.uid()));
        if !class.is_empty() {
            content.set(&["spec", "volumeSnapshotClassName"], json!(class));
        }
    });
    if content.text("/spec/deletionPolicy") == "Delete" {
        world.store.change(&key, |snapshot| snapshot.add_finalizer(BOUND));
    }
    tell(world, snapshot, &bound.unwrap_or(content));
    Ok(())
}

/// The status of a content is told in that of its snapshot.
fn tell(world: &World, snapshot: &Value, content: &Value) {
    let key = Key::of(&SNAPSHOTS, snapshot);
    let before = snapshot.pointer("/status/readyToUse") == Some(&json!(true));
    let created_before = !snapshot.text("/status/creationTime").is_empty();
    let updated = world.store.change(&key, |snapshot| {
        snapshot.set(&["status", "boundVolumeSnapshotContentName"], json!(content.name()));
        let ready = content.pointer("/status/readyToUse") == Some(&json!(true));
        snapshot.set(&["status", "readyToUse"], json!(ready));
        if let Some(nanoseconds) = content.pointer("/status/creationTime").and_then(Value::as_i64) {
            snapshot.set(&["status", "creationTime"], json!(clock::from_nanoseconds(nanoseconds)));
        }
        if let Some(bytes) = content.pointer("/status/restoreSize").and_then(Value::as_u64) {
            snapshot.set(&["status", "restoreSize"], json!(quantity::text(bytes)));
        }
        match content.pointer("/status/error") {
            Some(error) if !ready => snapshot.set(&["status", "error"], error.clone()),
            _ => snapshot.unset(&["status", "error"]),
        }
    });
    let Some(updated) = updated else { return };
    let name = format!("{}/{}", snapshot.namespace(), snapshot.name());
    if !created_before && !updated.text("/status/creationTime").is_empty() {
        let message = format!("Snapshot {name} was successfully created by the CSI driver.");
        world.event(snapshot, COMPONENT, "Normal", "SnapshotCreated", &message);
    }
    if !before && updated.pointer("/status/readyToUse") == Some(&json!(true)) {
        world.event(snapshot, COMPONENT, "Normal", "SnapshotReady", &format!("Snapshot {name} is ready to use."));
    }
}

/// The class that is named, or the default of the driver, which is then written into the snapshot.
fn class(world: &World, snapshot: &Value) -> Result<Arc<Value>, Failure> {
    let name = snapshot.text("/spec/volumeSnapshotClassName");
    if !name.is_empty() {
        return world.store.get(&Key::new(&SNAPSHOT_CLASSES, "", name)).map_err(|_| {
            let why = format!("volumesnapshotclass.snapshot.storage.k8s.io \"{name}\" not found");
            Failure("GetSnapshotClassFailed", format!("Failed to get snapshot class with error {why}"))
        });
    }
    let failure = |why: String| {
        Failure("SetDefaultSnapshotClassFailed", format!("Failed to set default snapshot class with error {why}"))
    };
    let (_, volume) = source(world, snapshot).map_err(failure)?;
    let driver = volume.text("/spec/csi/driver");
    if driver.is_empty() {
        let why = format!(
            "snapshotting non-CSI volumes is not supported, snapshot:{}/{}",
            snapshot.namespace(),
            snapshot.name()
        );
        return Err(failure(why));
    }
    let mut classes = world.store.all(&SNAPSHOT_CLASSES);
    classes.retain(|class| {
        class.annotation("snapshot.storage.kubernetes.io/is-default-class") == Some("true")
            && class.text("/driver") == driver
    });
    match classes.as_slice() {
        [] => Err(failure("cannot find default snapshot class".to_owned())),
        [class] => {
            world.store.change(&Key::of(&SNAPSHOTS, snapshot), |snapshot| {
                snapshot.set(&["spec", "volumeSnapshotClassName"], json!(class.name()));
            });
            Ok(Arc::clone(class))
        }
        several => Err(failure(format!("{} default snapshot classes were found", several.len()))),
    }
}

/// The claim of a snapshot and its volume.
fn source(world: &World, snapshot: &Value) -> Result<(Arc<Value>, Arc<Value>), String> {
    let name = snapshot.text("/spec/source/persistentVolumeClaimName");
    let claim = world.store.get(&Key::new(&CLAIMS, snapshot.namespace(), name)).map_err(|_| {
        format!("failed to retrieve PVC {name} from the lister: \"persistentvolumeclaim \\\"{name}\\\" not found\"")
    })?;
    if claim.text("/status/phase") != "Bound" {
        return Err(format!("the PVC {name} is not yet bound to a PV, will not attempt to take a snapshot"));
    }
    let volume_name = claim.text("/spec/volumeName");
    let volume = world
        .store
        .get(&Key::new(&VOLUMES, "", volume_name))
        .map_err(|error| format!("failed to retrieve PV {volume_name} from the API server: {:?}", error.message))?;
    Ok((claim, volume))
}

fn create_content(world: &World, snapshot: &Value, class: &Value) -> Result<Arc<Value>, Failure> {
    let failure = |why: String| {
        Failure("SnapshotContentCreationFailed", format!("Failed to create snapshot content with error {why}"))
    };
    if let Some(text) = world.refusal(Component::SnapshotController) {
        let refused = text.starts_with("Error creating volume snapshot content object");
        let reason = if refused { "CreateSnapshotContentFailed" } else { "SnapshotContentCreationFailed" };
        return Err(Failure(reason, text.to_owned()));
    }
    let name = snapshot.text("/spec/source/persistentVolumeClaimName");
    let update_failed =
        |why: &str| failure(format!("snapshot controller failed to update {} on API server: {why}", snapshot.name()));
    let Ok(claim) = world.store.get(&Key::new(&CLAIMS, snapshot.namespace(), name)) else {
        return Err(update_failed("cannot get claim from snapshot"));
    };
    if claim.is_deleting() {
        return Err(update_failed("cannot add finalizer on claim because it is being deleted"));
    }
    world.store.change(&Key::of(&CLAIMS, &claim), |claim| claim.add_finalizer(CLAIM_AS_SOURCE));
    let (claim, volume) = source(world, snapshot).map_err(|why| {
        failure(format!("failed to get input parameters to create snapshot {}: {why:?}", snapshot.name()))
    })?;
    let handle = volume.text("/spec/csi/volumeHandle");
    if handle.is_empty() {
        return Err(failure(format!("cannot find CSI PersistentVolumeSource for volume {}", volume.name())));
    }
    let mut content = json!({
        "apiVersion": format!("snapshot.storage.k8s.io/{}", CONTENTS.version), "kind": "VolumeSnapshotContent",
        "metadata": { "name": format!("snapcontent-{}", snapshot.uid()), "generation": 1, "finalizers": [CONTENT_BOUND] },
        "spec": {
            "deletionPolicy": class.text("/deletionPolicy"),
            "driver": class.text("/driver"),
            "source": { "volumeHandle": handle },
            "sourceVolumeMode": claim.text("/spec/volumeMode"),
            "volumeSnapshotClassName": class.name(),
            "volumeSnapshotRef": {
                "apiVersion": snapshot.text("/apiVersion"), "kind": "VolumeSnapshot", "name": snapshot.name(),
                "namespace": snapshot.namespace(), "uid": snapshot.uid(),
                "resourceVersion": snapshot.text("/metadata/resourceVersion"),
            },
        },
    });
    if let Driver::KeptOn(node) = world.scenario.snapshot {
        content.set(&["metadata", "labels", MANAGED_BY], json!(node));
    }
    let parameter = |key: &str| class.map("/parameters").and_then(|map| map.get(key)).and_then(Value::as_str);
    if let (Some(secret), Some(namespace)) = (
        parameter("csi.storage.k8s.io/snapshotter-secret-name"),
        parameter("csi.storage.k8s.io/snapshotter-secret-namespace"),
    ) {
        content.set_annotation("snapshot.storage.kubernetes.io/deletion-secret-name", secret);
        content.set_annotation("snapshot.storage.kubernetes.io/deletion-secret-namespace", namespace);
    }
    let content = world.store.create(&CONTENTS, content, false).map_err(|error| {
        let name = format!("{}/{}", snapshot.namespace(), snapshot.name());
        Failure(
            "CreateSnapshotContentFailed",
            format!("Error creating volume snapshot content object for snapshot {name}: {}.", error.message),
        )
    })?;
    let message =
        format!("Waiting for a snapshot {}/{} to be created by the CSI driver.", snapshot.namespace(), snapshot.name());
    world.event(snapshot, COMPONENT, "Normal", "CreatingSnapshot", &message);
    Ok(content)
}

fn delete(world: &World, snapshot: &Value) {
    let key = Key::of(&SNAPSHOTS, snapshot);
    if snapshot.has_finalizer(IN_GROUP) && groups::of(world, snapshot).is_some() {
        return;
    }
    let restoring = world.store.all(&CLAIMS).iter().any(|claim| {
        claim.namespace() == snapshot.namespace()
            && claim.text("/spec/dataSource/kind") == "VolumeSnapshot"
            && claim.text("/spec/dataSource/name") == snapshot.name()
            && claim.text("/status/phase") == "Pending"
    });
    if restoring {
        world.event_once(
            snapshot,
            COMPONENT,
            "Warning",
            "SnapshotDeletePending",
            "Snapshot is being used to restore a PVC",
        );
        return;
    }
    // One that names its content is bound to it only when its status says so.
    let is_bound = snapshot.text("/spec/source/volumeSnapshotContentName").is_empty()
        || !snapshot.text("/status/boundVolumeSnapshotContentName").is_empty();
    let content = content_of(world, snapshot).filter(|_| is_bound);
    // A change of the policy that has just been made may not be in its cache yet, and here never is.
    let keeps = content.as_ref().is_some_and(|content| {
        let was_retained = world.scenario.retain && !content.text("/spec/source/volumeHandle").is_empty();
        was_retained || content.text("/spec/deletionPolicy") == "Retain"
    });
    if let Some(content) = &content {
        let key = Key::of(&CONTENTS, content);
        // Whatever its policy: whoever deletes it later can.
        world.store.change(&key, |content| content.set_annotation(BEING_DELETED, "yes"));
        if !keeps && !content.is_deleting() {
            // It went by itself in the meantime.
            let _gone = world.store.delete(&key, &Preconditions::default(), false);
        }
    }
    world.store.change(&key, |snapshot| {
        snapshot.remove_finalizer(AS_SOURCE);
        if content.is_none() || keeps {
            snapshot.remove_finalizer(BOUND);
        }
        snapshot.remove_finalizer(IN_GROUP);
    });
}

/// A claim is protected while a snapshot of it is being cut.
fn release_claims(world: &World) {
    let snapshots = world.store.all(&SNAPSHOTS);
    for claim in world.store.all(&CLAIMS).iter().filter(|claim| claim.has_finalizer(CLAIM_AS_SOURCE)) {
        let used = snapshots.iter().any(|snapshot| {
            snapshot.namespace() == claim.namespace()
                && snapshot.text("/spec/source/persistentVolumeClaimName") == claim.name()
                && !snapshot.is_deleting()
                && snapshot.text("/status/creationTime").is_empty()
        });
        if !used {
            world.store.change(&Key::of(&CLAIMS, claim), |claim| claim.remove_finalizer(CLAIM_AS_SOURCE));
        }
    }
}
