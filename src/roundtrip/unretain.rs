//! Removes what controllers made for an object of the run and the policy of its class retains when that goes. The class retains what
//! its users make; what a round trip makes is nobody's to keep. Only contents and volumes that were made for objects of this very run
//! are changed, by their UIDs on both ends.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::{Failure, Objects, Place};
use crate::roundtrip::ledger::{Item, Uid};
use crate::roundtrip::machine::Sight;
use crate::roundtrip::observe::text;
use crate::roundtrip::program::{By, Object, Policy};

/// How far the freeing of a retained object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freeing {
    /// It is under way: looks that were answered before tell nothing.
    UnderWay,
    /// Its policy does not retain it any more, whatever a watch that is behind still tells.
    Done,
    /// It is retained for good.
    InVain,
}

/// What is retained of a run, and how far its freeing is.
#[derive(Debug, Default)]
pub(crate) struct Retained(BTreeMap<Item, Freeing>);

impl Retained {
    /// What a look at an object that is to go means: the sight for the machine, or that the object is to be freed first. `None`
    /// while that is under way.
    pub(crate) fn look(&mut self, item: Item, sight: Sight) -> Option<Result<Sight, Uid>> {
        let Sight::Ours { uid, progress, deleting, retained: true } = sight else { return Some(Ok(sight)) };
        match self.0.get(&item) {
            None => {
                self.0.insert(item, Freeing::UnderWay);
                Some(Err(uid))
            }
            Some(Freeing::UnderWay) => None,
            Some(Freeing::Done) => Some(Ok(Sight::Ours { uid, progress, deleting, retained: false })),
            Some(Freeing::InVain) => Some(Ok(Sight::Ours { uid, progress, deleting, retained: true })),
        }
    }

    /// The look after it: whether the object is still retained.
    pub(crate) fn freed(&mut self, item: Item, is_retained: bool) {
        self.0.insert(item, if is_retained { Freeing::InVain } else { Freeing::Done });
    }
}

/// So long it takes at most. What is retained then is listed as left behind.
const PATIENCE: Duration = Duration::from_secs(10);
/// By this annotation a csi-snapshotter knows that the snapshot in the storage is to go with the content (external-snapshotter
/// pkg/sidecar-controller/snapshot_controller.go, `shouldDelete`).
const BEING_DELETED: &str = "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted";

/// Removes what is retained although what it was made for has gone: a volume goes once its policy is `Delete`, a content has to be
/// deleted. Whether it goes, a look has to tell.
pub(crate) async fn free(server: &Objects, place: &Place, what: &Object, uid: &Uid) {
    let work = async {
        let mut change = change(what, uid);
        let is_content = matches!(what.by, By::Controller { policy: Policy::Deletion, .. });
        if is_content && let Some(metadata) = change.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("annotations".to_owned(), json!({ BEING_DELETED: "yes" }));
        }
        server.merge(place, &change).await?;
        if is_content {
            server.delete(place, &uid.to_string()).await?;
        }
        Ok::<(), Failure>(())
    };
    let _ = tokio::time::timeout(PATIENCE, work).await;
}

/// The UID is a precondition: another object of this name answers with a conflict.
fn change(what: &Object, uid: &Uid) -> Value {
    let field = match what.by {
        By::Controller { policy: Policy::Reclaim, .. } => "persistentVolumeReclaimPolicy",
        By::Controller { policy: Policy::Deletion, .. } | By::Run => "deletionPolicy",
    };
    json!({ "metadata": { "uid": uid.to_string() }, "spec": { field: "Delete" } })
}

/// Whether an object's policy retains it.
pub(crate) fn is_retained(what: &Object, object: &Value) -> bool {
    matches!(what.by, By::Controller { policy, .. } if text(object, policy.pointer()) == Some("Retain"))
}
