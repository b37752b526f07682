//! What the objects say that exist already, and whether they can be restored from. All of it is hostile text.

use std::time::Duration;

use serde_json::Value;
use snapready_checks::model::kubernetes::Pod;
use snapready_checks::model::nulls;
use snapready_checks::model::quantity::Quantity;
use snapready_checks::moment::line;

use super::{Existing, Given, Reference};
use crate::model::VolumeMode;
use crate::roundtrip::observe::{is_deleting, text};

/// The object, and what it refers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objects {
    /// The claim; for a snapshot the one that it was taken of.
    pub claim: Option<Value>,
    /// The claim's volume.
    pub volume: Option<Value>,
    /// The snapshot.
    pub snapshot: Option<Value>,
    /// The snapshot's content.
    pub content: Option<Value>,
    /// The pods of the namespace.
    pub pods: Vec<Value>,
}

/// Why an object cannot be restored from. Each of them says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not there.
    #[error("{0} does not exist; {1} wants NAMESPACE/NAME")]
    Missing(String, &'static str),
    /// Snapshots are not served at all.
    #[error(
        "{0} cannot be restored: the API server does not serve VolumeSnapshots; `snapready check` says what is missing"
    )]
    NotServed(String),
    /// It is being deleted.
    #[error("{0} is being deleted; name another one")]
    Deleting(String),
    /// A claim without a volume.
    #[error("{0} is not bound ({1}), so there is no volume to snapshot; it has to be bound first")]
    Unbound(String, String),
    /// A volume of no CSI driver.
    #[error(
        "{0} has a volume that is of no CSI driver (PersistentVolume {1}); Kubernetes snapshots CSI volumes only: move the data to a StorageClass of a CSI driver"
    )]
    NotCsi(String, String),
    /// A snapshot that is not ready, with its error.
    #[error("{0} is not ready to use: {1}; a restore would wait for it until it is")]
    NotReady(String, String),
}

/// What is known of the object, if it can be restored from.
pub fn understand(reference: &Reference, objects: &Objects) -> Result<Existing, Unusable> {
    let name = reference.object().to_string();
    let own = match reference.given {
        Given::Claim => &objects.claim,
        Given::Snapshot => &objects.snapshot,
    };
    let Some(own) = own else { return Err(Unusable::Missing(name, reference.given.flag())) };
    if is_deleting(own) {
        return Err(Unusable::Deleting(name));
    }
    let claim = objects.claim.as_ref();
    let of_claim = claim.and_then(|claim| volume_mode(text(claim, "/spec/volumeMode").unwrap_or("Filesystem")));
    let existing = Existing {
        reference: reference.clone(),
        storage_class: claim.and_then(|claim| text(claim, "/spec/storageClassName")).map(str::to_owned),
        driver: None,
        volume_mode: of_claim,
        bytes: None,
        access_mode: claim.map_or_else(|| READ_WRITE_ONCE.to_owned(), access_mode),
        snapshot_class: None,
        is_used: claim.is_some_and(|claim| is_used(claim, &objects.pods)),
        read_at_most: Duration::ZERO,
    };
    match reference.given {
        Given::Claim => of_a_claim(name, own, objects.volume.as_ref(), existing),
        Given::Snapshot => of_a_snapshot(name, own, objects.content.as_ref(), existing),
    }
}

fn of_a_claim(name: String, claim: &Value, volume: Option<&Value>, existing: Existing) -> Result<Existing, Unusable> {
    let phase = text(claim, "/status/phase").unwrap_or("it has no phase");
    if phase != "Bound" {
        return Err(Unusable::Unbound(name, line(phase, 40)));
    }
    let driver = match volume {
        None => None,
        Some(volume) => match text(volume, "/spec/csi/driver") {
            Some(driver) => Some(driver.to_owned()),
            None => {
                return Err(Unusable::NotCsi(name, line(text(volume, "/metadata/name").unwrap_or_default(), 253)));
            }
        },
    };
    let sizes = ["/status/capacity/storage", "/spec/resources/requests/storage"];
    let bytes = sizes.iter().filter_map(|size| quantity(text(claim, size)?)).max();
    Ok(Existing { driver, bytes, ..existing })
}

fn of_a_snapshot(
    name: String,
    snapshot: &Value,
    content: Option<&Value>,
    existing: Existing,
) -> Result<Existing, Unusable> {
    if snapshot.pointer("/status/readyToUse").and_then(Value::as_bool) != Some(true) {
        let error = text(snapshot, "/status/error/message").map(|error| line(error, 200));
        return Err(Unusable::NotReady(name, error.unwrap_or_else(|| "status.readyToUse is not true".to_owned())));
    }
    let of_content = |pointer: &str| content.and_then(|content| text(content, pointer)).map(str::to_owned);
    let source_mode = of_content("/spec/sourceVolumeMode").and_then(|mode| volume_mode(&mode));
    let in_content = content.and_then(|content| content.pointer("/status/restoreSize")?.as_u64());
    let bytes = text(snapshot, "/status/restoreSize").and_then(quantity).or(in_content).filter(|bytes| *bytes > 0);
    Ok(Existing {
        driver: of_content("/spec/driver"),
        volume_mode: source_mode.or(existing.volume_mode),
        bytes,
        snapshot_class: text(snapshot, "/spec/volumeSnapshotClassName").map(str::to_owned),
        ..existing
    })
}

fn volume_mode(word: &str) -> Option<VolumeMode> {
    match word {
        "Filesystem" => Some(VolumeMode::Filesystem),
        "Block" => Some(VolumeMode::Block),
        _ => None,
    }
}

fn quantity(text: &str) -> Option<u64> {
    text.parse::<Quantity>().ok().map(|quantity| quantity.0)
}

const READ_WRITE_ONCE: &str = "ReadWriteOnce";

/// One pod on one node is all that the restored volume is for. Where the claim has no such access mode, its own are those that the
/// driver is known to take.
fn access_mode(claim: &Value) -> String {
    let modes = claim.pointer("/spec/accessModes").and_then(Value::as_array);
    let modes: Vec<&str> = modes.into_iter().flatten().filter_map(Value::as_str).collect();
    let is_once = |mode: &&str| [READ_WRITE_ONCE, "ReadWriteOncePod"].contains(mode);
    match modes.first() {
        Some(first) if !modes.iter().any(is_once) => (*first).to_owned(),
        _ => READ_WRITE_ONCE.to_owned(),
    }
}

fn is_used(claim: &Value, pods: &[Value]) -> bool {
    let Some(name) = text(claim, "/metadata/name") else { return false };
    let pods = pods.iter().filter_map(|pod| nulls::from_ref::<Pod>(pod).ok());
    pods.flat_map(|pod| pod.claims().collect::<Vec<_>>()).any(|claimed| claimed == name)
}
