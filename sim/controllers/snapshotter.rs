//! csi-snapshotter: the sidecar that makes the driver cut and delete snapshots.

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::{CallError, asked_for, call};
use super::groups::GROUP_HANDLE;
use super::snapshots::{BEING_CREATED, BEING_DELETED, CONTENT_BOUND};
use crate::clock;
use crate::object::Object;
use crate::quote::quote;
use crate::resources::{CONTENTS, PODS, SECRETS, SNAPSHOT_CLASSES, VOLUMES};
use crate::scenario::{Component, DRIVER, Driver, Quirk};
use crate::store::Key;
use crate::world::World;

fn component() -> String {
    format!("csi-snapshotter {DRIVER}")
}

pub(super) fn reconcile(world: &Arc<World>) {
    for content in world.store.all(&CONTENTS) {
        // Contents of other drivers are ignored, without a word.
        if content.text("/spec/driver") != DRIVER {
            continue;
        }
        let (shared, uid) = (Arc::clone(world), content.uid().to_owned());
        let creating = content.annotation(BEING_CREATED).is_some();
        let ready = content.pointer("/status/readyToUse") == Some(&json!(true));
        let is_given = content.pointer("/spec/source/snapshotHandle").is_some();
        let is_free = is_given && content.text("/spec/volumeSnapshotRef/uid").is_empty();
        let may_go = is_free || (!creating && content.annotation(BEING_DELETED).is_some());
        if content.is_deleting() && may_go {
            world.once(format!("unsnapshot/{uid}"), async move { delete(&shared, &content).await });
        } else if !ready && (!content.is_deleting() || creating) {
            let what = format!("snapshot/{uid}");
            world.once(what.clone(), async move {
                let made = if is_given { find(&shared, &content).await } else { create(&shared, &content).await };
                if let Err((reason, message)) = made {
                    fail(&shared, &content, reason, &message);
                    shared.back_off(&what).await;
                } else if shared.scenario.snapshot == Driver::NeverReady {
                    shared.back_off(&what).await;
                }
            });
        }
    }
}

fn fail(world: &World, content: &Value, reason: &str, message: &str) {
    let key = Key::of(&CONTENTS, content);
    let Ok(current) = world.store.get(&key) else { return };
    if current.text("/status/error/message") != message {
        world.store.change(&key, |content| {
            content.set(&["status", "error"], json!({ "message": message, "time": clock::now() }));
            content.set(&["status", "readyToUse"], json!(false));
        });
        world.event(content, &component(), "Warning", reason, message);
    }
}

/// Cuts the snapshot, or asks whether it is ready by now.
async fn create(world: &Arc<World>, content: &Value) -> Result<(), (&'static str, String)> {
    let key = Key::of(&CONTENTS, content);
    let first = content.pointer("/status/snapshotHandle").is_none();
    let (reason, prefix) = if content.get("status").is_none() {
        ("SnapshotCreationFailed", "Failed to create snapshot")
    } else {
        ("SnapshotContentCheckandUpdateFailed", "Failed to check and update snapshot content")
    };
    let failure = |why: String| (reason, format!("{prefix}: {why}"));
    if let Some(text) = world.refusal(Component::Snapshotter) {
        return Err((reason, text.to_owned()));
    }
    input(world, content).map_err(|why| {
        failure(format!("failed to get input parameters to create snapshot for content {}: {why:?}", content.name()))
    })?;
    if first {
        world.store.change(&key, |content| content.set_annotation(BEING_CREATED, "yes"));
    }
    let name = format!("snapshot-{}", content.text("/spec/volumeSnapshotRef/uid"));
    let volume = content.text("/spec/source/volumeHandle").to_owned();
    let source = volume.clone();
    let error = asked_for(&class(world, content), "snapshot");
    let driver = if world.scenario.quirk == Some(Quirk::SnapshotNeedsPod) && !is_used(world, &volume) {
        Driver::Fails("FailedPrecondition", "volume is not attached to a node")
    } else {
        world.scenario.snapshot
    };
    let cut = call(world, driver, error, move |world| world.data.create_snapshot(&name, &source)).await;
    if cut.as_ref().is_err_and(CallError::is_final) {
        world.store.change(&key, |content| content.unset(&["metadata", "annotations", BEING_CREATED]));
    }
    let (handle, size) = cut.map_err(|error| {
        failure(format!("failed to take snapshot of the volume {volume}: {}", quote(&error.to_string())))
    })?;
    let size = if let Driver::Sized(size) = world.scenario.snapshot { size } else { size };
    world.store.change(&key, |content| {
        content.set(&["status", "snapshotHandle"], json!(handle));
        if content.pointer("/status/creationTime").is_none() {
            content.set(&["status", "creationTime"], json!(clock::now_nanoseconds()));
        }
        // From 8.0 on a size of 0 is not stored.
        if size > 0 && world.scenario.quirk != Some(Quirk::RoundsSizesUp) {
            content.set(&["status", "restoreSize"], json!(size));
        }
        content.set(&["status", "readyToUse"], json!(world.scenario.snapshot != Driver::NeverReady));
        content.unset(&["status", "error"]);
        content.unset(&["metadata", "annotations", BEING_CREATED]);
    });
    Ok(())
}

/// Asks the driver for a snapshot whose handle is given (external-snapshotter pkg/snapshotter/snapshotter.go,
/// `GetSnapshotStatus`).
async fn find(world: &Arc<World>, content: &Value) -> Result<(), (&'static str, String)> {
    let failure = |why: String| {
        ("SnapshotContentCheckandUpdateFailed", format!("Failed to check and update snapshot content: {why}"))
    };
    let listing =
        |why: String| failure(format!("failed to list snapshot for content {}: {}", content.name(), quote(&why)));
    if let Some(text) = world.refusal(Component::Snapshotter) {
        return Err(("SnapshotContentCheckandUpdateFailed", text.to_owned()));
    }
    let class_name = content.text("/spec/volumeSnapshotClassName");
    if !class_name.is_empty() && world.store.get(&Key::new(&SNAPSHOT_CLASSES, "", class_name)).is_err() {
        let missing = format!("volumesnapshotclass.snapshot.storage.k8s.io \"{class_name}\" not found");
        return Err(failure(format!(
            "failed to get snapshot class {class_name} for snapshot content {}: {missing}",
            content.name()
        )));
    }
    let handle = content.text("/spec/source/snapshotHandle").to_owned();
    let wanted = handle.clone();
    let is_hidden = world.scenario.quirk == Some(Quirk::SnapshotsNotListed);
    let error = asked_for(&class(world, content), "list");
    let listed = call(world, Driver::Works, error, move |world| Ok(world.data.snapshot_size(&wanted))).await;
    let size = listed
        .map_err(|error| listing(error.to_string()))?
        .filter(|_| !is_hidden)
        .ok_or_else(|| listing(format!("can not find snapshot for snapshotID {handle}")))?;
    world.store.change(&Key::of(&CONTENTS, content), |content| {
        content.set(&["status", "snapshotHandle"], json!(handle));
        if content.pointer("/status/creationTime").is_none() {
            content.set(&["status", "creationTime"], json!(clock::now_nanoseconds()));
        }
        if size > 0 {
            content.set(&["status", "restoreSize"], json!(size));
        }
        content.set(&["status", "readyToUse"], json!(true));
        content.unset(&["status", "error"]);
    });
    Ok(())
}

/// The class of a content; empty if it is gone.
fn class(world: &World, content: &Value) -> Arc<Value> {
    let name = content.text("/spec/volumeSnapshotClassName");
    world.store.get(&Key::new(&SNAPSHOT_CLASSES, "", name)).unwrap_or_default()
}

/// Whether a pod uses a volume.
fn is_used(world: &World, handle: &str) -> bool {
    let volumes = world.store.all(&VOLUMES);
    let Some(volume) = volumes.iter().find(|volume| volume.text("/spec/csi/volumeHandle") == handle) else {
        return false;
    };
    let claim = volume.text("/spec/claimRef/name");
    let uses = |pod: &Arc<Value>| {
        let mut volumes = pod.list("/spec/volumes").iter();
        pod.namespace() == volume.text("/spec/claimRef/namespace")
            && volumes.any(|used| used.text("/persistentVolumeClaim/claimName") == claim)
    };
    world.store.all(&PODS).iter().any(uses)
}

/// The class and the credentials, which nobody looks at.
fn input(world: &World, content: &Value) -> Result<(), String> {
    let name = content.text("/spec/volumeSnapshotClassName");
    if world.store.get(&Key::new(&SNAPSHOT_CLASSES, "", name)).is_err() {
        return Err(format!("volumesnapshotclass.snapshot.storage.k8s.io \"{name}\" not found"));
    }
    let secret = content.annotation("snapshot.storage.kubernetes.io/deletion-secret-name");
    let namespace = content.annotation("snapshot.storage.kubernetes.io/deletion-secret-namespace");
    if let (Some(secret), Some(namespace)) = (secret, namespace)
        && world.store.get(&Key::new(&SECRETS, namespace, secret)).is_err()
    {
        return Err(format!("cannot get credentials for snapshot content {:?}", content.name()));
    }
    Ok(())
}

async fn delete(world: &Arc<World>, content: &Value) {
    let key = Key::of(&CONTENTS, content);
    let handle = content.text("/status/snapshotHandle").to_owned();
    // A member's snapshot goes with that of its group.
    let is_member = content.annotation(GROUP_HANDLE).is_some();
    if !is_member && !handle.is_empty() && content.text("/spec/deletionPolicy") == "Delete" {
        let error = asked_for(&class(world, content), "delete");
        let deleted =
            call(world, world.scenario.delete_snapshot, error, move |world| world.data.delete_snapshot(&handle)).await;
        if deleted.is_err() {
            world.event(content, &component(), "Warning", "SnapshotDeleteError", "Failed to delete snapshot");
            world.back_off(&format!("unsnapshot/{}", content.uid())).await;
            return;
        }
    }
    world.store.change(&key, |content| {
        content.unset(&["status"]);
        content.remove_finalizer(CONTENT_BOUND);
    });
}
