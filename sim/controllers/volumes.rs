//! The volume binder of kube-controller-manager.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::object::Object;
use crate::resources::{CLAIMS, STORAGE_CLASSES, VOLUMES};
use crate::store::Key;
use crate::world::World;

const COMPONENT: &str = "persistentvolume-controller";

/// Set by the scheduler on claims that wait for their first consumer.
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// Set here for the provisioner.
pub(super) const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";

pub(super) fn reconcile(world: &Arc<World>) {
    let volumes = world.store.all(&VOLUMES);
    let claims = world.store.all(&CLAIMS);
    for claim in claims.iter().filter(|claim| claim.text("/status/phase") != "Bound") {
        let reserved = volumes.iter().find(|volume| volume.text("/spec/claimRef/uid") == claim.uid());
        match reserved {
            Some(volume) => bind(world, claim, volume),
            None if claim.is_deleting() || !claim.text("/spec/volumeName").is_empty() => {}
            None => ask_for_volume(world, claim),
        }
    }
    for volume in &volumes {
        let claim = claims.iter().find(|claim| claim.uid() == volume.text("/spec/claimRef/uid"));
        let phase = match claim {
            Some(claim) if claim.text("/spec/volumeName") == volume.name() => "Bound",
            Some(_) => continue,
            None => "Released",
        };
        world.store.change(&Key::of(&VOLUMES, volume), |volume| volume.set(&["status", "phase"], json!(phase)));
    }
}

fn bind(world: &World, claim: &Value, volume: &Value) {
    world.store.change(&Key::of(&CLAIMS, claim), |claim| {
        claim.set(&["spec", "volumeName"], json!(volume.name()));
        claim.set_annotation("pv.kubernetes.io/bind-completed", "yes");
        claim.set_annotation("pv.kubernetes.io/bound-by-controller", "yes");
        claim.set(&["status", "phase"], json!("Bound"));
        for field in ["accessModes", "capacity"] {
            claim.set(&["status", field], volume.pointer(&format!("/spec/{field}")).cloned().unwrap_or_default());
        }
    });
}

fn ask_for_volume(world: &World, claim: &Value) {
    let name = claim.text("/spec/storageClassName");
    if name.is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set";
        world.event_once(claim, COMPONENT, "Normal", "FailedBinding", message);
        return;
    }
    let Ok(class) = world.store.get(&Key::new(&STORAGE_CLASSES, "", name)) else {
        let message = format!("storageclass.storage.k8s.io \"{name}\" not found");
        world.event_once(claim, COMPONENT, "Warning", "ProvisioningFailed", &message);
        return;
    };
    if class.text("/volumeBindingMode") == "WaitForFirstConsumer" && claim.annotation(SELECTED_NODE).is_none() {
        let message = "waiting for first consumer to be created before binding";
        world.event_once(claim, COMPONENT, "Normal", "WaitForFirstConsumer", message);
        return;
    }
    let provisioner = class.text("/provisioner");
    world.store.change(&Key::of(&CLAIMS, claim), |claim| {
        claim.set_annotation(PROVISIONER, provisioner);
        claim.set_annotation("volume.beta.kubernetes.io/storage-provisioner", provisioner);
    });
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
         system administrator. If volume creation is delayed, please verify that the provisioner is running and \
         correctly registered."
    );
    world.event_once(claim, COMPONENT, "Normal", "ExternalProvisioning", &message);
}
