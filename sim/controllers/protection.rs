//! Storage in use is not deleted: the finalizers of claims and volumes.

use std::sync::Arc;

use crate::object::Object;
use crate::resources::{CLAIMS, PODS, VOLUMES};
use crate::store::Key;
use crate::world::World;

pub(super) fn reconcile(world: &Arc<World>) {
    let pods = world.store.all(&PODS);
    for claim in world.store.all(&CLAIMS) {
        // A pod holds its claims from the time it has a node until it is gone, even when it has ended.
        let used = pods.iter().any(|pod| {
            pod.namespace() == claim.namespace()
                && !pod.text("/spec/nodeName").is_empty()
                && pod
                    .list("/spec/volumes")
                    .iter()
                    .any(|volume| volume.text("/persistentVolumeClaim/claimName") == claim.name())
        });
        if claim.is_deleting() && !used {
            world
                .store
                .change(&Key::of(&CLAIMS, &claim), |claim| claim.remove_finalizer("kubernetes.io/pvc-protection"));
        }
    }
    for volume in world.store.all(&VOLUMES) {
        if volume.is_deleting() && volume.text("/status/phase") != "Bound" {
            world
                .store
                .change(&Key::of(&VOLUMES, &volume), |volume| volume.remove_finalizer("kubernetes.io/pv-protection"));
        }
    }
}
