//! csi-provisioner: volumes for claims, from snapshots too, and their end.

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::{asked_for, call};
use super::volumes::{PROVISIONER, SELECTED_NODE};
use crate::data_plane::{Asked, Source};
use crate::discovery;
use crate::object::Object;
use crate::quantity;
use crate::resources::{CLAIMS, CONTENTS, SNAPSHOTS, STORAGE_CLASSES, VOLUMES};
use crate::scenario::{Component, DRIVER, Driver, Quirk};
use crate::store::{Key, Preconditions};
use crate::volume_mode::Mode;
use crate::world::World;

/// On a snapshot while a volume is made from it.
const SOURCE_PROTECTION: &str = "provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection";
const VOLUME_FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";

fn component() -> String {
    format!("{DRIVER}_csi-simulated-controller-6d9c7f5b8-x2x7q_2f6f1c1e-5a0e-4d1f-9a5e-3c1f0c7f9b11")
}

pub(super) fn reconcile(world: &Arc<World>) {
    let claims = world.store.all(&CLAIMS);
    let volumes = world.store.all(&VOLUMES);
    for claim in &claims {
        let wanted = claim.annotation(PROVISIONER) == Some(DRIVER)
            && claim.text("/spec/volumeName").is_empty()
            && !claim.is_deleting()
            && !volumes.iter().any(|volume| volume.text("/spec/claimRef/uid") == claim.uid());
        if wanted {
            let (shared, claim) = (Arc::clone(world), Arc::clone(claim));
            let what = format!("provision/{}", claim.uid());
            world.once(what.clone(), async move {
                if let Err(message) = provision(&shared, &claim).await {
                    shared.event(&claim, &component(), "Warning", "ProvisioningFailed", &message);
                    shared.back_off(&what).await;
                }
            });
        }
    }
    for volume in &volumes {
        let done_with = volume.text("/status/phase") == "Released"
            && volume.text("/spec/persistentVolumeReclaimPolicy") == "Delete"
            && volume.text("/spec/csi/driver") == DRIVER
            && (volume.has_finalizer(VOLUME_FINALIZER) || !volume.is_deleting());
        if done_with {
            let (shared, volume) = (Arc::clone(world), Arc::clone(volume));
            world.once(format!("delete/{}", volume.uid()), async move { delete(&shared, &volume).await });
        }
    }
    if !world.scenario.stuck_finalizer {
        release_snapshots(world, &claims);
    }
}

/// Takes the finalizer off snapshots from which nothing is being made.
fn release_snapshots(world: &World, claims: &[Arc<Value>]) {
    for snapshot in world.store.all(&SNAPSHOTS) {
        let used = claims.iter().any(|claim| {
            claim.namespace() == snapshot.namespace()
                && claim.text("/spec/dataSource/kind") == "VolumeSnapshot"
                && claim.text("/spec/dataSource/name") == snapshot.name()
                && claim.text("/status/phase") == "Pending"
                && !claim.is_deleting()
        });
        if !used {
            world
                .store
                .change(&Key::of(&SNAPSHOTS, &snapshot), |snapshot| snapshot.remove_finalizer(SOURCE_PROTECTION));
        }
    }
}

async fn provision(world: &Arc<World>, claim: &Arc<Value>) -> Result<(), String> {
    let class_name = claim.text("/spec/storageClassName").to_owned();
    let failed = |why: String| format!("failed to provision volume with StorageClass \"{class_name}\": {why}");
    // What was seen may be old by now.
    let current = world.store.get(&Key::of(&CLAIMS, claim));
    if !current.is_ok_and(|current| current.uid() == claim.uid() && current.text("/spec/volumeName").is_empty()) {
        return Ok(());
    }
    let Ok(class) = world.store.get(&Key::new(&STORAGE_CLASSES, "", &class_name)) else {
        return Err(format!("storageclass.storage.k8s.io \"{class_name}\" not found"));
    };
    let message =
        format!("External provisioner is provisioning volume for claim \"{}/{}\"", claim.namespace(), claim.name());
    world.event(claim, &component(), "Normal", "Provisioning", &message);
    let restores = !claim.text("/spec/dataSource/kind").is_empty();
    if let Some(text) = world.refusal(if restores { Component::Restorer } else { Component::Provisioner }) {
        return Err(text.to_owned());
    }
    let size = quantity::bytes(claim.text("/spec/resources/requests/storage")).unwrap_or_default();
    let source = match claim.text("/spec/dataSource/kind") {
        "" => None,
        "VolumeSnapshot" => {
            Some(Source::Snapshot(snapshot_handle(world, claim, &class_name, size).map_err(|why| {
                let name = claim.text("/spec/dataSource/name");
                failed(format!("error getting handle for DataSource Type VolumeSnapshot by Name {name}: {why}"))
            })?))
        }
        "PersistentVolumeClaim" => Some(Source::Volume(volume_handle(world, claim).map_err(|why| {
            let name = claim.text("/spec/dataSource/name");
            failed(format!("error getting handle for DataSource Type PersistentVolumeClaim by Name {name}: {why}"))
        })?)),
        kind => return Err(failed(format!("CSI driver does not support data sources of kind {kind}"))),
    };
    let modes = claim.list("/spec/accessModes");
    if world.scenario.quirk == Some(Quirk::OneNodeOnly)
        && modes.iter().any(|mode| mode.as_str() == Some("ReadOnlyMany"))
    {
        let text = "volume capabilities not supported: access mode MULTI_NODE_READER_ONLY";
        return Err(failed(format!("rpc error: code = InvalidArgument desc = {text}")));
    }
    let driver = if source.is_some() { world.scenario.restore } else { world.scenario.provision };
    let driver = driver.for_bytes(size);
    let bad = if let Driver::Bad(bad) = driver { Some(bad) } else { None };
    let mode = if claim.text("/spec/volumeMode") == "Block" { Mode::Block } else { Mode::Filesystem };
    let name = format!("pvc-{}", claim.uid());
    let volume_name = name.clone();
    let node = claim.annotation(SELECTED_NODE).map(str::to_owned);
    let error = asked_for(&class, if restores { "restore" } else { "provision" });
    let handle = call(world, driver, error, move |world| {
        let asked = Asked { name: &volume_name, mode, size, node: node.as_deref(), bad };
        world.data.create_volume(&asked, source.as_ref())
    })
    .await
    .map_err(|error| failed(error.to_string()))?;
    let volume = volume(claim, &class, &name, &handle, size);
    if let Err(error) = world.store.create(&VOLUMES, volume, false)
        && error.reason != "AlreadyExists"
    {
        return Err(failed(error.message));
    }
    let message = format!("Successfully provisioned volume {name}");
    world.event(claim, &component(), "Normal", "ProvisioningSucceeded", &message);
    Ok(())
}

fn volume(claim: &Value, class: &Value, name: &str, handle: &str, size: u64) -> Value {
    let node = claim.annotation(SELECTED_NODE);
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": { "pv.kubernetes.io/provisioned-by": DRIVER },
            "finalizers": [VOLUME_FINALIZER, "kubernetes.io/pv-protection"],
        },
        "spec": {
            "accessModes": claim.pointer("/spec/accessModes"),
            "capacity": { "storage": quantity::text(size) },
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim.name(),
                "namespace": claim.namespace(), "uid": claim.uid(),
                "resourceVersion": claim.text("/metadata/resourceVersion"),
            },
            "csi": {
                "driver": DRIVER, "volumeHandle": handle,
                "volumeAttributes": { "storage.kubernetes.io/csiProvisionerIdentity": node.unwrap_or("simulated") },
            },
            "persistentVolumeReclaimPolicy": class.text("/reclaimPolicy"),
            "storageClassName": class.name(),
            "volumeMode": claim.text("/spec/volumeMode"),
        },
        "status": { "phase": "Available" },
    })
}

/// The handle of the volume that a claim wants to be made from (external-provisioner, `getPVCSource`).
fn volume_handle(world: &World, claim: &Value) -> Result<String, String> {
    let name = claim.text("/spec/dataSource/name");
    let source = world
        .store
        .get(&Key::new(&CLAIMS, claim.namespace(), name))
        .map_err(|error| format!("error getting PVC {name} from api server: {}", error.message))?;
    if source.is_deleting() {
        return Err(format!("the PVC DataSource {name} is currently being deleted"));
    }
    if source.text("/status/phase") != "Bound" {
        return Err(format!("the PVC DataSource {name} must be in Bound status"));
    }
    if source.text("/spec/volumeMode") != claim.text("/spec/volumeMode") {
        return Err(format!("the source PVC and destination PVCs {name} must have the same volume mode"));
    }
    let volume = world
        .store
        .get(&Key::new(&VOLUMES, "", source.text("/spec/volumeName")))
        .map_err(|error| format!("error getting volume {name} for PVC from api server: {}", error.message))?;
    Ok(volume.text("/spec/csi/volumeHandle").to_owned())
}

/// The handle of the snapshot that a claim wants to be made from.
fn snapshot_handle(world: &World, claim: &Value, class: &str, size: u64) -> Result<String, String> {
    let name = claim.text("/spec/dataSource/name");
    // The provisioner speaks v1 only.
    if !discovery::served_versions(&world.store, &SNAPSHOTS).iter().any(|version| version == "v1") {
        return Err(format!(
            "error getting snapshot {name} from api server: the server could not find the requested resource"
        ));
    }
    let key = Key::new(&SNAPSHOTS, claim.namespace(), name);
    let snapshot = world
        .store
        .get(&key)
        .map_err(|error| format!("error getting snapshot {name} from api server: {}", error.message))?;
    if snapshot.is_deleting() {
        return Err(format!("snapshot {name} is being deleted"));
    }
    world.store.change(&key, |snapshot| snapshot.add_finalizer(SOURCE_PROTECTION));
    let bound = snapshot.text("/status/boundVolumeSnapshotContentName");
    if bound.is_empty() {
        return Err(format!("snapshot {name} not bound"));
    }
    let content = world.store.get(&Key::new(&CONTENTS, "", bound)).map_err(|error| {
        format!("error getting snapshotcontent {bound} for snapshot {name} from api server: {}", error.message)
    })?;
    if content.text("/spec/volumeSnapshotRef/uid") != snapshot.uid() {
        return Err(format!("snapshotcontent {bound} for snapshot {name} is bound to a different snapshot"));
    }
    if content.text("/spec/driver") != DRIVER {
        return Err(format!(
            "snapshotcontent {bound} for snapshot {name} is not handled by CSI driver of StorageClass {class}"
        ));
    }
    if snapshot.pointer("/status/readyToUse") != Some(&json!(true)) {
        return Err(format!("snapshot {name} is not Ready"));
    }
    let handle = content.text("/status/snapshotHandle");
    if handle.is_empty() {
        return Err(format!("snapshot handle {name} is not available"));
    }
    let restore_size = quantity::bytes(snapshot.text("/status/restoreSize")).unwrap_or_default();
    if size < restore_size {
        return Err(format!(
            "requested volume size {size} is less than the size {restore_size} for the source snapshot {name}"
        ));
    }
    let (mode, source_mode) = (claim.text("/spec/volumeMode"), content.text("/spec/sourceVolumeMode"));
    let allowed = content.annotation("snapshot.storage.kubernetes.io/allow-volume-mode-change") == Some("true");
    if !source_mode.is_empty() && mode != source_mode && !allowed {
        return Err(format!(
            "requested volume {}/{} modifies the mode of the source volume but does not have permission to do so. \
             snapshot.storage.kubernetes.io/allow-volume-mode-change annotation is not present on snapshotcontent {bound}",
            claim.namespace(),
            claim.name()
        ));
    }
    Ok(handle.to_owned())
}

async fn delete(world: &Arc<World>, volume: &Value) {
    let key = Key::of(&VOLUMES, volume);
    let handle = volume.text("/spec/csi/volumeHandle").to_owned();
    match call(world, world.scenario.delete_volume, None, move |world| world.data.delete_volume(&handle)).await {
        Ok(()) => {
            // It went by itself in the meantime.
            let _gone = world.store.delete(&key, &Preconditions::default(), false);
            world.store.change(&key, |volume| volume.remove_finalizer(VOLUME_FINALIZER));
        }
        Err(error) => {
            world.event(volume, &component(), "Warning", "VolumeFailedDelete", &error.to_string());
            world.back_off(&format!("delete/{}", volume.uid())).await;
        }
    }
}
