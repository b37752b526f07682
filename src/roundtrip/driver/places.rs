//! Which objects there are, and where they lie.

use kube::api::ApiResource;
use serde_json::Value;

use super::api::Place;
use super::{Driver, Knowledge, observe};
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
            let (resource, prefix) = match role {
                Role::Content => (content_resource(), "snapcontent"),
                _ => (volume_resource(), "pvc"),
            };
            let name = named.map_or_else(|| format!("{prefix}-{uid}"), str::to_owned);
            return Some(Place { resource, namespace: None, name });
        }
        let manifest = self.knowledge.manifest(item, None)?;
        Some(Place { resource: manifest.resource, namespace: manifest.namespace, name: manifest.name })
    }

    /// What a controller's object was made for.
    pub(super) fn maker(&self, trip: usize, role: Role) -> Option<(&Value, Role)> {
        let maker = CREATED.into_iter().find(|maker| maker.derived() == Some(role))?;
        self.objects.get(&Item::Of(trip, maker)).map(|object| (object, maker))
    }
}

/// The place of events among what is followed: after pods, claims and snapshots.
pub(super) const EVENTS: usize = 3;

/// What a round trip creates, in the order in which it does.
pub(super) const CREATED: [Role; 6] =
    [Role::SourceClaim, Role::Writer, Role::Snapshot, Role::Overwriter, Role::RestoredClaim, Role::Reader];

pub(crate) fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") },
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

pub(crate) fn content_resource() -> ApiResource {
    resource("snapshot.storage.k8s.io", "v1", "VolumeSnapshotContent", "volumesnapshotcontents")
}

pub(crate) fn volume_resource() -> ApiResource {
    resource("", "v1", "PersistentVolume", "persistentvolumes")
}
