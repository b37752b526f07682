//! Reads what exists, and what it refers to.

use kube::api::ListParams;
use serde_json::Value;
use snapready_checks::model::object::Kind;

use super::{Given, Objects, Reference};
use crate::api::{Failure, Objects as Server, Place};
use crate::roundtrip::observe::text;

/// How often a list is tried.
const TRIES: u32 = 5;

/// Reads the object, and what it refers to as far as that can be seen. Only the object itself has to be seen.
pub(crate) async fn read(server: &Server, reference: &Reference) -> Result<Objects, Failure> {
    let namespace = reference.named.namespace.as_str();
    let within = |kind, name: &str| Place { kind, namespace: Some(namespace.to_owned()), name: name.to_owned() };
    let mut objects = Objects::default();
    let mut claim = Some(reference.named.name.clone());
    if reference.given == Given::Snapshot {
        objects.snapshot = server.get(&within(Kind::VOLUME_SNAPSHOT, &reference.named.name)).await?;
        let Some(snapshot) = &objects.snapshot else { return Ok(objects) };
        let content = text(snapshot, "/status/boundVolumeSnapshotContentName");
        objects.content = referred(server, Kind::VOLUME_SNAPSHOT_CONTENT, content).await;
        claim = text(snapshot, "/spec/source/persistentVolumeClaimName").map(str::to_owned);
    }
    let Some(claim) = claim else { return Ok(objects) };
    let answer = server.get(&within(Kind::PERSISTENT_VOLUME_CLAIM, &claim)).await;
    objects.claim = match reference.given {
        Given::Claim => answer?,
        // It may have gone, or be nobody's to see.
        Given::Snapshot => answer.ok().flatten(),
    };
    let Some(found) = &objects.claim else { return Ok(objects) };
    if reference.given == Given::Claim {
        objects.volume = referred(server, Kind::PERSISTENT_VOLUME, text(found, "/spec/volumeName")).await;
    }
    objects.pods = server.list(&Kind::POD, Some(namespace), &ListParams::default(), TRIES).await.unwrap_or_default();
    Ok(objects)
}

/// A cluster-scoped object, if it can be seen.
async fn referred(server: &Server, kind: Kind, name: Option<&str>) -> Option<Value> {
    server.get(&Place { kind, namespace: None, name: name?.to_owned() }).await.ok().flatten()
}
