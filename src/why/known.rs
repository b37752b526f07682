//! The objects that were looked at, and which are to be looked at next.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;
use snapready_checks::model::kubernetes::Pod;
use snapready_checks::model::nulls;
use snapready_checks::model::object::{Kind, ObjectName};
use snapready_checks::moment::line;

use super::chain::{chain, leads_to};
use super::look::LISTED;
use super::name::Named;
use crate::api::Place;
use crate::roundtrip::observe::{is_deleting, text};

/// What a look at an object came to.
#[derive(Debug)]
pub(crate) enum Looked {
    /// It is there.
    There(Value),
    /// It is not.
    Absent,
    /// It could not be looked at, for this reason.
    Unseen(String),
}

/// What is known of objects, and of the events about them.
#[derive(Debug, Default)]
pub(crate) struct Known {
    looked: BTreeMap<ObjectName, Looked>,
    /// Kinds of which there are no objects but those that are known, in a namespace or (`None`) in all.
    whole: BTreeSet<(&'static str, Option<String>)>,
    /// Kinds of which nothing can be seen, and why.
    unseen: BTreeMap<&'static str, String>,
    pub(super) events: Vec<Value>,
    /// Why not all events are known.
    events_unseen: Option<String>,
}

impl Known {
    pub(super) fn learn(&mut self, object: ObjectName, looked: Looked) {
        self.looked.insert(object, looked);
    }

    /// All objects of a kind, in a namespace or in all.
    pub(super) fn learn_all(&mut self, kind: Kind, within: Option<&str>, answer: Result<Vec<Value>, String>) {
        match answer {
            Ok(objects) => {
                self.whole.insert((kind.name, within.map(str::to_owned)));
                for object in objects {
                    let namespace = text(&object, "/metadata/namespace").filter(|_| kind.namespaced);
                    let Some(name) = text(&object, "/metadata/name") else { continue };
                    let name = ObjectName {
                        kind: kind.name.to_owned(),
                        namespace: namespace.map(str::to_owned),
                        name: name.to_owned(),
                    };
                    self.looked.insert(name, Looked::There(object));
                }
            }
            Err(why) => {
                self.unseen.insert(kind.name, why);
            }
        }
    }

    /// Without events less is known, and nothing is wrong.
    pub(super) fn learn_events(&mut self, answer: Result<Vec<Value>, String>) {
        match answer {
            Ok(events) => self.events.extend(events),
            Err(why) => self.events_unseen = Some(why),
        }
    }

    pub(super) fn get(&self, place: &Place) -> Option<&Value> {
        match self.looked.get(&place.object()) {
            Some(Looked::There(object)) => Some(object),
            Some(Looked::Absent | Looked::Unseen(_)) | None => None,
        }
    }

    /// Whether all objects of its kind are known that lie where it would.
    fn is_whole(&self, place: &Place) -> bool {
        let within = |namespace| self.whole.contains(&(place.kind.name, namespace));
        within(None) || within(place.namespace.clone())
    }

    /// Whether it is known not to be there.
    pub(crate) fn is_absent(&self, place: &Place) -> bool {
        match self.looked.get(&place.object()) {
            Some(looked) => matches!(looked, Looked::Absent),
            None => self.is_whole(place),
        }
    }

    /// Why it could not be looked at.
    pub(super) fn unseen(&self, place: &Place) -> Option<&str> {
        match self.looked.get(&place.object()) {
            Some(Looked::Unseen(why)) => Some(why),
            Some(Looked::There(_) | Looked::Absent) => None,
            None => self.unseen.get(place.kind.name).map(String::as_str),
        }
    }

    /// An object in its type. One that does not have its kind's form is as good as not seen.
    pub(super) fn typed<T: DeserializeOwned>(&self, place: &Place) -> Option<T> {
        nulls::from_ref(self.get(place)?).ok()
    }

    /// The only object of this name, in whatever namespace.
    pub(crate) fn only(&self, named: &Named) -> Result<Place, String> {
        let is_it = |name: &&ObjectName| {
            let place = named.at(name.namespace.as_deref().unwrap_or_default());
            matches!(self.looked.get(*name), Some(Looked::There(_))) && place.object() == **name
        };
        let found: Vec<&ObjectName> = self.looked.keys().filter(is_it).collect();
        match found.as_slice() {
            [one] => Ok(named.at(one.namespace.as_deref().unwrap_or_default())),
            [] => Err(format!("the files hold no {named}")),
            [..] => Err(format!("the files hold {} of the name {named}; -n chooses the namespace", found.len())),
        }
    }

    /// What is to be looked at next for the chain of an object.
    pub(super) fn wanted(&self, start: &Place) -> Vec<Place> {
        let is_new = |place: &Place| !self.looked.contains_key(&place.object()) && !self.is_whole(place);
        chain(start, self).into_iter().filter(is_new).collect()
    }

    /// What could not be read of all that was asked for.
    pub(super) fn not_read(&self) -> Vec<String> {
        let kinds = LISTED.iter().filter_map(|kind| Some((kind.plural, self.unseen.get(kind.name)?)));
        let all = kinds.chain(self.events_unseen.iter().map(|why| (Kind::EVENT.plural, why)));
        all.map(|(what, why)| line(&format!("{what}: {why}"), 300)).collect()
    }

    /// The pods that use a claim, those that wait first.
    pub(super) fn users(&self, claim: &Place) -> Vec<Place> {
        let mut users: Vec<(bool, Place)> = Vec::new();
        for (name, looked) in &self.looked {
            let Looked::There(object) = looked else { continue };
            if name.kind != Kind::POD.name || name.namespace != claim.namespace {
                continue;
            }
            let Ok(pod) = nulls::from_ref::<Pod>(object) else { continue };
            if pod.claims().any(|used| used == claim.name) {
                let place = Place { kind: Kind::POD, namespace: name.namespace.clone(), name: name.name.clone() };
                users.push((pod.status.phase != "Pending", place));
            }
        }
        users.sort_by_key(|(is_running, _)| *is_running);
        users.into_iter().map(|(_, place)| place).collect()
    }

    /// What may be stuck: snapshots that are not ready, claims that are not bound, and what is being deleted. What only waits for another
    /// of them is none.
    pub(super) fn suspects(&self, namespace: Option<&str>) -> Vec<Place> {
        let mut suspects = Vec::new();
        for (name, looked) in &self.looked {
            let Looked::There(object) = looked else { continue };
            let Some(kind) = Kind::ALL.iter().find(|kind| kind.name == name.kind) else { continue };
            let is_stuck = is_deleting(object)
                || match *kind {
                    Kind::VOLUME_SNAPSHOT | Kind::VOLUME_GROUP_SNAPSHOT => {
                        object.pointer("/status/readyToUse") != Some(&Value::Bool(true))
                    }
                    Kind::PERSISTENT_VOLUME_CLAIM => text(object, "/status/phase") != Some("Bound"),
                    _ => false,
                };
            let is_of_interest = LISTED.contains(kind) && *kind != Kind::POD;
            let lies_there = match *kind {
                Kind::VOLUME_SNAPSHOT_CONTENT => {
                    namespace.is_none_or(|wanted| text(object, "/spec/volumeSnapshotRef/namespace") == Some(wanted))
                }
                _ => namespace.is_none_or(|wanted| name.namespace.as_deref() == Some(wanted)),
            };
            if is_stuck && is_of_interest && lies_there {
                suspects.push(Place { kind: *kind, namespace: name.namespace.clone(), name: name.name.clone() });
            }
        }
        // A content whose snapshot is a suspect is explained with it.
        let explained: Vec<ObjectName> = suspects
            .iter()
            .filter(|place| place.kind == Kind::VOLUME_SNAPSHOT)
            .flat_map(|place| leads_to(place, self))
            .filter(|place| place.kind == Kind::VOLUME_SNAPSHOT_CONTENT)
            .map(|place| place.object())
            .collect();
        suspects.retain(|place| !explained.contains(&place.object()));
        suspects
    }
}
