//! The controllers: each looks at what there is and does the next thing, again after every change. What takes time is a
//! task of its own.

use std::sync::Arc;

use super::clock;
use super::scenario::{Missing, Snapshotter};
use super::world::World;

mod closed_device;
mod driver;
mod group_contents;
mod groups;
mod kubelet;
mod leases;
mod namespaces;
pub(super) use namespaces::furnish;
mod process;
mod protection;
mod provisioner;
mod scheduler;
mod snapshots;
mod snapshotter;
mod volumes;

/// Starts the controllers that the scenario has.
pub(super) fn start(world: &Arc<World>) {
    run(world, namespaces::reconcile);
    run(world, protection::reconcile);
    run(world, volumes::reconcile);
    run(world, scheduler::reconcile);
    run(world, kubelet::reconcile);
    if world.scenario.provisioner {
        run(world, provisioner::reconcile);
        if world.scenario.snapshotter == Snapshotter::Works {
            run(world, snapshotter::reconcile);
            run(world, group_contents::reconcile);
        }
    }
    if world.scenario.snapshot_controllers > 0 && world.scenario.missing != Some(Missing::ControllerRole) {
        run(world, snapshots::reconcile);
        run(world, groups::reconcile);
    }
    world.spawn(leases::renew(Arc::clone(world)));
}

fn run(world: &Arc<World>, reconcile: fn(&Arc<World>)) {
    let shared = Arc::clone(world);
    world.spawn(async move {
        let mut changed = shared.store.subscribe();
        loop {
            changed.borrow_and_update();
            reconcile(&shared);
            tokio::time::sleep(clock::CONTROLLER).await;
            if changed.changed().await.is_err() {
                return;
            }
        }
    });
}
