//! Removes what controllers made for an object of the run and the policy of its class retains when that goes: by changing the policy
//! before, or where that was not done, by removing it after. The class retains what
//! its users make; what a round trip makes is nobody's to keep. Only contents and volumes that were made for objects of this very run
//! are changed, by their UIDs on both ends.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use snapready_checks::model::object::Kind;

use crate::api::{Failure, Objects, Place};
use crate::roundtrip::kinds::{EXPIRES_AT, MANAGED_BY, RUN_LABEL};
use crate::roundtrip::ledger::{Item, Progress, State, Uid};
use crate::roundtrip::machine::Sight;
use crate::roundtrip::objects::{BEING_DELETED, GROUP_BEING_DELETED};
use crate::roundtrip::observe::{annotation, derived_place, of_run, sight, text};
use crate::roundtrip::program::{By, Object, Policy};

/// How far the freeing of a retained object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freeing {
    /// It is under way: looks that were answered before tell nothing.
    UnderWay,
    /// Its policy does not retain it any more, whatever a watch that is behind still tells.
    Done,
    /// It is retained for good, as far as can be seen.
    InVain,
}

/// What a look at an object means.
pub(crate) enum Look {
    /// This, to the machine.
    Means(Sight),
    /// The object is retained: it is to be freed, and looked at again.
    Free(Uid),
    /// Nothing: it is being freed.
    Nothing,
}

/// What is retained of a run, and how far its freeing is.
#[derive(Debug, Default)]
pub(crate) struct Retained(BTreeMap<Item, Freeing>);

impl Retained {
    /// What a look at an object in this state means.
    pub(crate) fn look(&mut self, item: Item, state: State, sight: Sight) -> Look {
        let Sight::Ours { uid, progress, deleting, retained } = sight else { return Look::Means(sight) };
        // Of what is not to go yet, the machine does not care whether it is retained.
        if state != State::Deleting || !retained {
            if state == State::Deleting && deleting {
                // A watch that is behind may still show it as it was before.
                self.0.entry(item).or_insert(Freeing::Done);
            }
            return Look::Means(Sight::Ours { uid, progress, deleting, retained });
        }
        match self.0.get(&item) {
            None => {
                self.0.insert(item, Freeing::UnderWay);
                Look::Free(uid)
            }
            Some(Freeing::UnderWay) => Look::Nothing,
            Some(Freeing::Done) => Look::Means(Sight::Ours { uid, progress, deleting, retained: false }),
            Some(Freeing::InVain) => Look::Means(Sight::Ours { uid, progress, deleting, retained: true }),
        }
    }

    /// The look after it was freed.
    pub(crate) fn freed(&mut self, item: Item, what: Option<&Object>, answer: &Result<Option<Value>, Failure>) {
        let policy = what.and_then(|what| match what.by {
            By::Controller { policy, .. } => Some(policy),
            By::Run | By::Group { .. } => None,
        });
        let is_free = match answer {
            Ok(Some(object)) => policy.is_none_or(|policy| text(object, policy.pointer()) != Some("Retain")),
            // A look without an answer does not show that it is retained: it is waited for.
            Ok(None) | Err(_) => true,
        };
        self.0.insert(item, if is_free { Freeing::Done } else { Freeing::InVain });
    }
}

/// So long it takes at most. What is retained then is listed as left behind.
const PATIENCE: Duration = Duration::from_secs(10);

/// The change after which an object with this UID does not stay any more. The UID is a precondition: another object of this name answers
/// with a conflict.
fn goes(policy: Policy, uid: &Uid) -> Value {
    let field = match policy {
        Policy::Reclaim => "persistentVolumeReclaimPolicy",
        Policy::Deletion => "deletionPolicy",
    };
    json!({ "metadata": { "uid": uid.to_string() }, "spec": { field: "Delete" } })
}

/// Lets what controllers made for an object of this run go with it, where a policy would retain it; each stands beside what it was made
/// for. It is done before the object is deleted, and what is let go carries the run's labels from then on: a run that is killed in between
/// leaves nothing that a clean-up does not find. What may not be changed is retained, and is listed as left behind.
pub(crate) async fn let_go(server: &Objects, run: &str, made: &[(Value, Object)]) {
    let expires_at = made.iter().find_map(|(of, _)| annotation(of, EXPIRES_AT));
    for (of, what) in made {
        let (By::Controller { policy, .. }, Some(place)) = (what.by, derived_place(what, of)) else { continue };
        let work = async {
            let object = server.get(&place).await.ok().flatten()?;
            let sight = sight(what, &object, run, text(of, "/metadata/uid"), None, Progress::Nothing);
            let Sight::Ours { uid, .. } = sight else { return None };
            if text(&object, policy.pointer()) != Some("Retain") || of_run(&object, run) {
                return None;
            }
            let mut change = goes(policy, &uid);
            if let (Policy::Deletion, Some(Value::Object(metadata))) = (policy, change.get_mut("metadata")) {
                metadata.insert("labels".to_owned(), json!({ MANAGED_BY.0: MANAGED_BY.1, RUN_LABEL: run }));
                metadata.insert("annotations".to_owned(), json!({ EXPIRES_AT: expires_at }));
            }
            server.merge(&place, &change).await.ok()
        };
        // Whether it was allowed and in time, a look tells when the object has gone.
        let _ = tokio::time::timeout(PATIENCE, work).await;
    }
}

/// Removes what is retained although what it was made for has gone, and looks again: a volume goes once its policy is `Delete`, a
/// content has to be deleted.
pub(crate) async fn free(server: &Objects, place: &Place, what: &Object, uid: &Uid) -> Result<Option<Value>, Failure> {
    let work = async {
        let By::Controller { policy, .. } = what.by else { return Ok(()) };
        let mut change = goes(policy, uid);
        let being_deleted =
            if what.kind == Kind::VOLUME_GROUP_SNAPSHOT_CONTENT { GROUP_BEING_DELETED } else { BEING_DELETED };
        if let (Policy::Deletion, Some(Value::Object(metadata))) = (policy, change.get_mut("metadata")) {
            metadata.insert("annotations".to_owned(), json!({ being_deleted: "yes" }));
        }
        server.merge(place, &change).await?;
        match policy {
            Policy::Reclaim => Ok(()),
            Policy::Deletion => server.delete(place, &uid.to_string()).await.map(|_| ()),
        }
    };
    // Whether it was allowed and in time, the look tells.
    let _: Result<Result<(), Failure>, _> = tokio::time::timeout(PATIENCE, work).await;
    server.get(place).await
}
