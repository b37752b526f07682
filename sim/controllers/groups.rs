//! snapshot-controller's part of group snapshots: from a `VolumeGroupSnapshot` to its content and its members, and back
//! (external-snapshotter 8.6, pkg/common-controller/groupsnapshot_controller_helper.go).

use std::sync::Arc;

use serde_json::{Value, json};

use super::snapshots::{AS_SOURCE, BOUND, CONTENT_BOUND};
use crate::clock;
use crate::object::Object;
use crate::resources::{CLAIMS, CONTENTS, GROUP_CLASSES, GROUP_CONTENTS, GROUP_SNAPSHOTS, SNAPSHOTS, VOLUMES};
use crate::store::{Key, Preconditions};
use crate::world::World;

const COMPONENT: &str = "snapshot-controller";
const GROUP_BOUND: &str = "groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-bound-protection";
pub(super) const GROUP_CONTENT_BOUND: &str =
    "groupsnapshot.storage.kubernetes.io/volumegroupsnapshotcontent-bound-protection";
pub(super) const GROUP_BEING_DELETED: &str = "groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-deleted";
/// On a snapshot: it goes only after its group.
pub(super) const IN_GROUP: &str = "snapshot.storage.kubernetes.io/volumesnapshot-in-group-protection";
/// On a content: it is a member's, and the driver is not asked for it.
pub(super) const GROUP_HANDLE: &str = "groupsnapshot.storage.k8s.io/volumeGroupSnapshotHandle";

pub(super) fn reconcile(world: &Arc<World>) {
    for group in world.store.all(&GROUP_SNAPSHOTS) {
        if group.is_deleting() {
            delete(world, &group);
        } else if let Err((reason, message)) = sync(world, &group) {
            fail(world, &group, reason, &message);
        }
    }
}

/// The group of a member, while it is there.
pub(super) fn of(world: &World, member: &Value) -> Option<Arc<Value>> {
    let name = member.text("/status/volumeGroupSnapshotName");
    world.store.get(&Key::new(&GROUP_SNAPSHOTS, member.namespace(), name)).ok()
}

fn fail(world: &World, group: &Value, reason: &str, message: &str) {
    let key = Key::of(&GROUP_SNAPSHOTS, group);
    let Ok(current) = world.store.get(&key) else { return };
    if current.text("/status/error/message") == message {
        return;
    }
    world.store.change(&key, |group| {
        group.set(&["status", "error"], json!({ "message": message, "time": clock::now() }));
        group.set(&["status", "readyToUse"], json!(false));
    });
    world.event(group, COMPONENT, "Warning", reason, message);
}

fn content_of(world: &World, group: &Value) -> Option<Arc<Value>> {
    world.store.get(&Key::new(&GROUP_CONTENTS, "", &format!("groupsnapcontent-{}", group.uid()))).ok()
}

fn sync(world: &World, group: &Value) -> Result<(), (&'static str, String)> {
    let key = Key::of(&GROUP_SNAPSHOTS, group);
    let content = match content_of(world, group) {
        Some(content) => content,
        None => create_content(world, group).map_err(|why| {
            ("GroupSnapshotContentCreationFailed", format!("failed to create group snapshot content with error {why}"))
        })?,
    };
    world.store.change(&key, |group| group.add_finalizer(GROUP_BOUND));
    let handle = content.text("/status/volumeGroupSnapshotHandle");
    if !handle.is_empty() {
        for info in content.list("/status/volumeSnapshotInfoList") {
            make_member(world, group, &content, info);
        }
    }
    let was_ready = group.pointer("/status/readyToUse") == Some(&json!(true));
    let is_ready = content.pointer("/status/readyToUse") == Some(&json!(true));
    world.store.change(&key, |group| {
        group.set(&["status", "boundVolumeGroupSnapshotContentName"], json!(content.name()));
        group.set(&["status", "readyToUse"], json!(is_ready));
        if let Some(time) = content.pointer("/status/creationTime") {
            group.set(&["status", "creationTime"], time.clone());
        }
        match content.pointer("/status/error") {
            Some(error) if !is_ready => group.set(&["status", "error"], error.clone()),
            _ => group.unset(&["status", "error"]),
        }
    });
    if is_ready && !was_ready {
        let message = format!("GroupSnapshot {}/{} is ready to use.", group.namespace(), group.name());
        world.event(group, COMPONENT, "Normal", "GroupSnapshotReady", &message);
    }
    Ok(())
}

/// The volumes of the claims that a group selects.
fn volumes(world: &World, group: &Value) -> Result<Vec<Arc<Value>>, String> {
    let wanted = group.map("/spec/source/selector/matchLabels").cloned().unwrap_or_default();
    let is_selected = |claim: &Arc<Value>| {
        let labels = claim.map("/metadata/labels");
        claim.namespace() == group.namespace()
            && wanted.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    };
    let claims: Vec<_> = world.store.all(&CLAIMS).into_iter().filter(is_selected).collect();
    if claims.is_empty() {
        return Err("label selector for group snapshot not applied to any PVC".to_owned());
    }
    let volume = |claim: &Arc<Value>| {
        if claim.text("/status/phase") != "Bound" {
            let name = claim.name();
            return Err(format!("the PVC {name} is not yet bound to a PV, will not attempt to take a group snapshot"));
        }
        let name = claim.text("/spec/volumeName");
        let volume = world.store.get(&Key::new(&VOLUMES, "", name));
        volume.map_err(|error| format!("failed to retrieve PV {name} from the API server: {:?}", error.message))
    };
    claims.iter().map(volume).collect()
}

fn create_content(world: &World, group: &Value) -> Result<Arc<Value>, String> {
    let input =
        |why: String| format!("failed to get input parameters to create group snapshot {}: {why:?}", group.name());
    let class_name = group.text("/spec/volumeGroupSnapshotClassName");
    let class = world.store.get(&Key::new(&GROUP_CLASSES, "", class_name)).map_err(|_| {
        input(format!("volumegroupsnapshotclass.groupsnapshot.storage.k8s.io \"{class_name}\" not found"))
    })?;
    let volumes = volumes(world, group).map_err(input)?;
    let handles: Vec<&str> = volumes.iter().map(|volume| volume.text("/spec/csi/volumeHandle")).collect();
    let content = json!({
        "apiVersion": group.text("/apiVersion"), "kind": "VolumeGroupSnapshotContent",
        "metadata": {
            "name": format!("groupsnapcontent-{}", group.uid()), "generation": 1, "finalizers": [GROUP_CONTENT_BOUND],
        },
        "spec": {
            "deletionPolicy": class.text("/deletionPolicy"),
            "driver": class.text("/driver"),
            "source": { "volumeHandles": handles },
            "volumeGroupSnapshotClassName": class.name(),
            "volumeGroupSnapshotRef": {
                "apiVersion": group.text("/apiVersion"), "kind": "VolumeGroupSnapshot", "name": group.name(),
                "namespace": group.namespace(), "uid": group.uid(),
            },
        },
    });
    let content = world.store.create(&GROUP_CONTENTS, content, false).map_err(|error| error.message)?;
    let message =
        format!("Waiting for a group snapshot {}/{} to be created by the CSI driver.", group.namespace(), group.name());
    world.event(group, COMPONENT, "Normal", "CreatingGroupSnapshot", &message);
    Ok(content)
}

/// Makes the snapshot and the content of a member, if they are not there, and binds them to each other.
fn make_member(world: &World, group: &Value, group_content: &Value, info: &Value) {
    let handle = info.text("/volumeHandle");
    // Upstream's is a digest of the same.
    let name = format!("{}-{handle}", group.uid());
    let volumes = world.store.all(&VOLUMES);
    let volume = volumes.iter().find(|volume| volume.text("/spec/csi/volumeHandle") == handle);
    let claim = volume.map(|volume| volume.text("/spec/claimRef/name")).unwrap_or_default();
    let (snapshot_name, content_name) = (format!("snapshot-{name}"), format!("snapcontent-{name}"));
    if world.store.get(&Key::new(&CONTENTS, "", &content_name)).is_ok() {
        return;
    }
    let snapshot = json!({
        "apiVersion": format!("snapshot.storage.k8s.io/{}", SNAPSHOTS.version), "kind": "VolumeSnapshot",
        "metadata": {
            "name": snapshot_name, "namespace": group.namespace(), "generation": 1,
            "finalizers": [IN_GROUP, AS_SOURCE, BOUND],
            "ownerReferences": [{
                "apiVersion": group.text("/apiVersion"), "kind": "VolumeGroupSnapshot", "name": group.name(), "uid": group.uid(),
            }],
        },
        "spec": { "source": { "persistentVolumeClaimName": claim } },
        "status": { "boundVolumeSnapshotContentName": content_name, "volumeGroupSnapshotName": group.name() },
    });
    let Ok(snapshot) = world.store.create(&SNAPSHOTS, snapshot, false) else { return };
    let mut content = json!({
        "apiVersion": snapshot.text("/apiVersion"), "kind": "VolumeSnapshotContent",
        "metadata": { "name": content_name, "generation": 1, "finalizers": [CONTENT_BOUND] },
        "spec": {
            "deletionPolicy": group_content.text("/spec/deletionPolicy"),
            "driver": group_content.text("/spec/driver"),
            "source": { "volumeHandle": handle },
            "sourceVolumeMode": volume.map(|volume| volume.text("/spec/volumeMode")).unwrap_or_default(),
            "volumeSnapshotRef": {
                "kind": "VolumeSnapshot", "name": snapshot.name(), "namespace": snapshot.namespace(), "uid": snapshot.uid(),
            },
        },
        "status": {
            "snapshotHandle": info.text("/snapshotHandle"),
            "volumeGroupSnapshotHandle": group_content.text("/status/volumeGroupSnapshotHandle"),
            "restoreSize": info.get("restoreSize"),
            "creationTime": clock::now_nanoseconds(),
            "readyToUse": true,
        },
    });
    content.set_annotation(GROUP_HANDLE, group_content.text("/status/volumeGroupSnapshotHandle"));
    // It was made in the meantime.
    let _exists = world.store.create(&CONTENTS, content, false);
}

fn members(world: &World, group: &Value) -> Vec<Arc<Value>> {
    let is_member = |snapshot: &Arc<Value>| {
        snapshot.list("/metadata/ownerReferences").iter().any(|owner| owner.text("/uid") == group.uid())
    };
    world.store.all(&SNAPSHOTS).into_iter().filter(is_member).collect()
}

fn delete(world: &World, group: &Value) {
    let members = members(world, group);
    let is_used = |claim: &Arc<Value>| {
        claim.namespace() == group.namespace()
            && claim.text("/status/phase") == "Pending"
            && members.iter().any(|member| claim.text("/spec/dataSource/name") == member.name())
    };
    if world.store.all(&CLAIMS).iter().any(is_used) {
        return;
    }
    let content = content_of(world, group);
    let keeps = content.as_ref().is_some_and(|content| content.text("/spec/deletionPolicy") == "Retain");
    if let Some(content) = &content {
        let key = Key::of(&GROUP_CONTENTS, content);
        world.store.change(&key, |content| content.set_annotation(GROUP_BEING_DELETED, "yes"));
        if !keeps && !content.is_deleting() {
            // It went by itself in the meantime.
            let _gone = world.store.delete(&key, &Preconditions::default(), false);
        }
    }
    for member in members.iter().filter(|member| !member.is_deleting()) {
        let _gone = world.store.delete(&Key::of(&SNAPSHOTS, member), &Preconditions::default(), false);
    }
    if content.is_none() || keeps {
        world.store.change(&Key::of(&GROUP_SNAPSHOTS, group), |group| group.remove_finalizer(GROUP_BOUND));
    }
}
