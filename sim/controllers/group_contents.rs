//! csi-snapshotter's part of group snapshots: it makes the driver cut and delete the snapshots of several volumes at once
//! (external-snapshotter 8.6, pkg/sidecar-controller/groupsnapshot_helper.go).

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::{CallError, asked_for, call};
use super::groups::{GROUP_BEING_DELETED, GROUP_CONTENT_BOUND};
use crate::clock;
use crate::object::Object;
use crate::quote::quote;
use crate::resources::{GROUP_CLASSES, GROUP_CONTENTS};
use crate::scenario::{DRIVER, Driver};
use crate::store::Key;
use crate::world::World;

const GROUP_BEING_CREATED: &str = "groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-created";

pub(super) fn reconcile(world: &Arc<World>) {
    for content in world.store.all(&GROUP_CONTENTS) {
        if content.text("/spec/driver") != DRIVER {
            continue;
        }
        let (shared, uid) = (Arc::clone(world), content.uid().to_owned());
        let ready = content.pointer("/status/readyToUse") == Some(&json!(true));
        let creating = content.annotation(GROUP_BEING_CREATED).is_some();
        if content.is_deleting() && !creating && content.annotation(GROUP_BEING_DELETED).is_some() {
            world.once(format!("ungroup/{uid}"), async move { delete_content(&shared, &content).await });
        } else if !ready && (!content.is_deleting() || creating) {
            let what = format!("group/{uid}");
            world.once(what.clone(), async move {
                if let Err(message) = cut(&shared, &content).await {
                    let key = Key::of(&GROUP_CONTENTS, &content);
                    shared.store.change(&key, |content| {
                        content.set(&["status", "error"], json!({ "message": message, "time": clock::now() }));
                        content.set(&["status", "readyToUse"], json!(false));
                    });
                    shared.back_off(&what).await;
                }
            });
        }
    }
}

fn class(world: &World, content: &Value) -> Arc<Value> {
    let name = content.text("/spec/volumeGroupSnapshotClassName");
    world.store.get(&Key::new(&GROUP_CLASSES, "", name)).unwrap_or_default()
}

/// Has the driver cut the snapshots of all volumes at once.
async fn cut(world: &Arc<World>, content: &Value) -> Result<(), String> {
    let volumes: Vec<String> =
        content.list("/spec/source/volumeHandles").iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect();
    let key = Key::of(&GROUP_CONTENTS, content);
    // Until the driver has answered, nobody can tell what is to be deleted.
    world.store.change(&key, |content| content.set_annotation(GROUP_BEING_CREATED, "yes"));
    let not_creating = |content: &mut Value| content.unset(&["metadata", "annotations", GROUP_BEING_CREATED]);
    let name = format!("groupsnapshot-{}", content.text("/spec/volumeGroupSnapshotRef/uid"));
    let wanted = volumes.clone();
    let error = asked_for(&class(world, content), "snapshot");
    let group = name.clone();
    let made = call(world, world.scenario.snapshot, error, move |world| world.data.create_group(&group, &wanted));
    let made = made.await;
    if made.as_ref().is_err_and(CallError::is_final) {
        world.store.change(&key, not_creating);
    }
    let snapshots = made.map_err(|error| {
        let error = quote(&error.to_string());
        format!("Failed to create group snapshot: failed to take group snapshot of the volumes {volumes:?}: {error}")
    })?;
    let info: Vec<Value> = snapshots
        .iter()
        .map(|(volume, snapshot, size)| {
            json!({ "volumeHandle": volume, "snapshotHandle": snapshot, "restoreSize": size, "readyToUse": true })
        })
        .collect();
    world.store.change(&key, |content| {
        content.set(&["status", "volumeGroupSnapshotHandle"], json!(name));
        content.set(&["status", "volumeSnapshotInfoList"], json!(info));
        content.set(&["status", "creationTime"], json!(clock::now()));
        content.set(&["status", "readyToUse"], json!(world.scenario.snapshot != Driver::NeverReady));
        content.unset(&["status", "error"]);
        not_creating(content);
    });
    Ok(())
}

async fn delete_content(world: &Arc<World>, content: &Value) {
    if content.text("/spec/deletionPolicy") == "Delete" {
        let handles: Vec<String> = content
            .list("/status/volumeSnapshotInfoList")
            .iter()
            .map(|info| info.text("/snapshotHandle").to_owned())
            .collect();
        let error = asked_for(&class(world, content), "delete");
        let deleted = call(world, world.scenario.delete_snapshot, error, move |world| {
            handles.iter().try_for_each(|handle| world.data.delete_snapshot(handle))
        });
        if deleted.await.is_err() {
            world.back_off(&format!("ungroup/{}", content.uid())).await;
            return;
        }
    }
    world.store.change(&Key::of(&GROUP_CONTENTS, content), |content| {
        content.unset(&["status"]);
        content.remove_finalizer(GROUP_CONTENT_BOUND);
    });
}
