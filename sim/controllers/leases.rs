//! Leader election: who leads renews its lease.

use std::sync::Arc;

use serde_json::json;

use crate::clock;
use crate::object::Object;
use crate::resources::LEASES;
use crate::store::Key;
use crate::world::World;

/// Renews the leases of the scenario for ever.
pub(super) async fn renew(world: Arc<World>) {
    loop {
        for lease in world.store.all(&LEASES) {
            world.store.change(&Key::of(&LEASES, &lease), |lease| {
                lease.set(&["spec", "renewTime"], json!(clock::now_micro()));
            });
        }
        tokio::time::sleep(clock::LEASE_RENEWAL).await;
    }
}
