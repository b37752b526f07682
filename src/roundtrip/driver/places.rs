//! Which objects there are, and where they lie.

use serde_json::Value;

use super::{Driver, Knowledge, observe};
use crate::api::Place;
use crate::roundtrip::ledger::{Item, Role};

impl<K: Knowledge> Driver<'_, K> {
    /// Where an object lies. What controllers make is named after what they made it for.
    pub(super) fn place(&self, item: Item) -> Option<Place> {
        if let Item::Of(trip, role) = item
            && !role.namespaced()
        {
            let (object, _) = self.maker(trip, role)?;
            let uid = observe::text(object, "/metadata/uid")?;
            let named = match role {
                Role::Content => observe::text(object, "/status/boundVolumeSnapshotContentName"),
                _ => observe::text(object, "/spec/volumeName"),
            };
            let prefix = if role == Role::Content { "snapcontent" } else { "pvc" };
            let name = named.map_or_else(|| format!("{prefix}-{uid}"), str::to_owned);
            return Some(Place { kind: role.kind(), namespace: None, name });
        }
        let manifest = self.knowledge.manifest(item, None)?;
        Some(manifest.place())
    }

    /// What a controller's object was made for.
    pub(super) fn maker(&self, trip: usize, role: Role) -> Option<(&Value, Role)> {
        let maker = role.maker()?;
        self.objects.get(&Item::Of(trip, maker)).map(|object| (object, maker))
    }
}
