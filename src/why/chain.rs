//! From an object to those that it rests on.

use serde_json::Value;
use snapready_checks::model::kubernetes::Pod;
use snapready_checks::model::nulls;
use snapready_checks::model::object::Kind;

use super::known::Known;
use crate::api::Place;
use crate::roundtrip::observe::text;

/// The objects of the chain, as far as it is known: from the volume to the snapshot and the content, or from the snapshot to the volume
/// and the pod that is made from it. An object that was not looked at yet ends it.
pub(super) fn chain(start: &Place, known: &Known) -> Vec<Place> {
    let mut chain = vec![start.clone()];
    let mut next = 0;
    while let Some(place) = chain.get(next).cloned() {
        next += 1;
        for other in leads_to(&place, known) {
            // What the source of a snapshot was itself made from is long over.
            let is_source = place.kind == Kind::PERSISTENT_VOLUME_CLAIM && place != *start && start.kind != Kind::POD;
            // The source of a snapshot that something is restored from does not matter any more.
            let is_far = place.kind == Kind::VOLUME_SNAPSHOT
                && other.kind == Kind::PERSISTENT_VOLUME_CLAIM
                && ![Kind::VOLUME_SNAPSHOT, Kind::VOLUME_SNAPSHOT_CONTENT].contains(&start.kind);
            let is_wanted = !is_far && (!is_source || other.kind == Kind::PERSISTENT_VOLUME);
            if is_wanted && !chain.contains(&other) {
                chain.push(other);
            }
        }
    }
    chain
}

/// The chain in the order in which its objects come to be.
pub(super) fn in_order(start: &Place, known: &Known) -> Vec<Place> {
    let of_snapshot = [Kind::VOLUME_SNAPSHOT, Kind::VOLUME_SNAPSHOT_CONTENT].contains(&start.kind);
    let rank = |place: &Place| match place.kind {
        Kind::PERSISTENT_VOLUME_CLAIM if of_snapshot => 0,
        Kind::PERSISTENT_VOLUME if of_snapshot => 1,
        Kind::VOLUME_SNAPSHOT | Kind::VOLUME_GROUP_SNAPSHOT => 2,
        Kind::VOLUME_SNAPSHOT_CONTENT | Kind::VOLUME_GROUP_SNAPSHOT_CONTENT => 3,
        Kind::PERSISTENT_VOLUME_CLAIM => 4,
        Kind::PERSISTENT_VOLUME => 5,
        _ => 6,
    };
    let mut all = chain(start, known);
    if start.kind == Kind::PERSISTENT_VOLUME_CLAIM {
        all.extend(known.users(start).into_iter().take(1));
    }
    all.sort_by_key(rank);
    all
}

/// What an object names.
pub(super) fn leads_to(place: &Place, known: &Known) -> Vec<Place> {
    let Some(object) = known.get(place) else { return Vec::new() };
    let beside = |kind: Kind, name: &str| Place { kind, namespace: place.namespace.clone(), name: name.to_owned() };
    let of_cluster = |kind: Kind, name: &str| Place { kind, namespace: None, name: name.to_owned() };
    match place.kind {
        Kind::POD => {
            let pod: Option<Pod> = nulls::from_ref(object).ok();
            let claims = pod.iter().flat_map(Pod::claims).map(|name| beside(Kind::PERSISTENT_VOLUME_CLAIM, &name));
            claims.collect()
        }
        Kind::PERSISTENT_VOLUME_CLAIM => {
            let volume = text(object, "/spec/volumeName").map(|name| of_cluster(Kind::PERSISTENT_VOLUME, name));
            volume.into_iter().chain(source(place, object)).collect()
        }
        Kind::VOLUME_SNAPSHOT => {
            let claim = text(object, "/spec/source/persistentVolumeClaimName");
            let content = text(object, "/status/boundVolumeSnapshotContentName")
                .or_else(|| text(object, "/spec/source/volumeSnapshotContentName"));
            let claim = claim.map(|name| beside(Kind::PERSISTENT_VOLUME_CLAIM, name));
            claim.into_iter().chain(content.map(|name| of_cluster(Kind::VOLUME_SNAPSHOT_CONTENT, name))).collect()
        }
        Kind::VOLUME_GROUP_SNAPSHOT => {
            let content = text(object, "/status/boundVolumeGroupSnapshotContentName")
                .or_else(|| text(object, "/spec/source/volumeGroupSnapshotContentName"));
            content.map(|name| of_cluster(Kind::VOLUME_GROUP_SNAPSHOT_CONTENT, name)).into_iter().collect()
        }
        Kind::VOLUME_SNAPSHOT_CONTENT => {
            let (Some(namespace), Some(name)) =
                (text(object, "/spec/volumeSnapshotRef/namespace"), text(object, "/spec/volumeSnapshotRef/name"))
            else {
                return Vec::new();
            };
            vec![Place { kind: Kind::VOLUME_SNAPSHOT, namespace: Some(namespace.to_owned()), name: name.to_owned() }]
        }
        _ => Vec::new(),
    }
}

/// The `VolumeSnapshot` that a claim is made from.
pub(super) fn source(claim: &Place, object: &Value) -> Option<Place> {
    ["/spec/dataSourceRef", "/spec/dataSource"].into_iter().find_map(|field| {
        let named = object.pointer(field)?;
        (text(named, "/kind") == Some(Kind::VOLUME_SNAPSHOT.name)).then_some(())?;
        let namespace = text(named, "/namespace").map(str::to_owned).or_else(|| claim.namespace.clone());
        Some(Place { kind: Kind::VOLUME_SNAPSHOT, namespace, name: text(named, "/name")?.to_owned() })
    })
}
