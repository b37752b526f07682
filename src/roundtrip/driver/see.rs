//! What is seen of the objects, by a watch or by a look, and what it means for the machine.

use futures::FutureExt;
use serde_json::Value;
use tokio::time::Instant;

use super::take::Message;
use super::{Driver, Knowledge, ReadResult};
use crate::api::Watched;
use crate::model::{CheckResult, ObjectName};
use crate::roundtrip::ledger::{Entry, Item, Progress, State, Uid};
use crate::roundtrip::machine::{Input, Sight};
use crate::roundtrip::observe;
use crate::roundtrip::observe::{container_of, said};
use crate::roundtrip::program::{By, Object, Task};
use snapready_checks::model::round_trip::{READ_CONTAINER, WRITE_CONTAINER};

impl<K: Knowledge> Driver<'_, K> {
    pub(super) fn events(&mut self, seen: Watched) {
        match seen {
            Watched::Changed(event) => self.event(event),
            Watched::Listed(events) => events.into_iter().for_each(|event| self.event(event)),
            Watched::Gone(_) | Watched::Listing => {}
        }
    }

    pub(super) fn followed(&mut self, kind: String, seen: Watched) {
        match seen {
            Watched::Changed(object) => {
                if let Some(item) = self.which(&object) {
                    self.changed(item, object);
                }
            }
            Watched::Gone(object) => {
                if let (Some(item), Some(uid)) = (self.which(&object), observe::uid(&object)) {
                    let deleted = observe::is_deleting(&object);
                    // The last state of a pod tells whether it has overwritten the source.
                    self.changed(item, object);
                    if deleted {
                        self.feed(Input::Seen { item, sight: Sight::Gone { uid } });
                    } else {
                        // Perhaps only its labels are not the run's any more.
                        self.miss(item, uid);
                    }
                }
            }
            Watched::Listing => {
                let before = self.existing(&kind);
                self.before_list.insert(kind, before);
            }
            Watched::Listed(objects) => {
                let mut missing = self.before_list.remove(&kind).unwrap_or_default();
                for object in objects {
                    let Some(item) = self.which(&object) else {
                        continue;
                    };
                    missing.retain(|(known, _)| *known != item);
                    self.changed(item, object);
                }
                for (item, uid) in missing {
                    self.miss(item, uid);
                }
            }
        }
    }

    /// Looks for an object that was there.
    fn miss(&mut self, item: Item, uid: Uid) {
        if let Some(place) = self.place(item) {
            let server = self.server.clone();
            self.work.push(async move { Message::Missed { item, uid, answer: server.get(&place).await } }.boxed());
        }
    }

    /// Objects of a kind that exist, with their UIDs.
    fn existing(&self, kind: &str) -> Vec<(Item, Uid)> {
        let exists = |(item, entry): &(Item, &Entry)| {
            item.trip().is_some()
                && self.object(*item).is_some_and(|object| object.kind.name == kind && object.by == By::Run)
                && matches!(entry.state, State::Exists | State::Deleting)
        };
        let existing = self.machine.ledger().iter().filter(exists);
        existing.filter_map(|(item, entry)| entry.uid.clone().map(|uid| (item, uid))).collect()
    }

    /// Which of the plan's objects this is, by its kind and name.
    pub(super) fn which(&self, object: &Value) -> Option<Item> {
        self.named(object, ["/kind", "/metadata/namespace", "/metadata/name"])
    }

    /// Which of the plan's objects an event is about.
    pub(super) fn about(&self, event: &Value) -> Option<Item> {
        self.named(event, ["/involvedObject/kind", "/involvedObject/namespace", "/involvedObject/name"])
    }

    fn named(&self, value: &Value, [kind, namespace, name]: [&str; 3]) -> Option<Item> {
        let name = ObjectName {
            kind: observe::text(value, kind)?.to_owned(),
            namespace: observe::text(value, namespace).map(str::to_owned),
            name: observe::text(value, name)?.to_owned(),
        };
        self.names.get(&name).copied()
    }

    pub(super) fn changed(&mut self, item: Item, object: Value) {
        let sight = self.see(item, &object);
        self.keep_object(item, &sight, object);
        self.feed(Input::Seen { item, sight });
        if let Some(trip) = item.trip() {
            self.look_at_content(trip);
            self.diagnose(trip);
        }
    }

    pub(super) fn keep_object(&mut self, item: Item, sight: &Sight, object: Value) {
        if matches!(sight, Sight::Ours { .. }) {
            self.keep(item, object);
        }
    }

    pub(super) fn keep(&mut self, item: Item, object: Value) {
        self.since.entry(item).or_insert_with(Instant::now);
        self.objects.insert(item, object);
    }

    pub(super) fn see(&mut self, item: Item, object: &Value) -> Sight {
        let Some(what) = self.object(item).cloned() else {
            return Sight::Unreadable;
        };
        let progress = item.trip().map_or(Progress::Nothing, |trip| self.judged(trip, &what, object));
        let maker = self.maker(item).and_then(|maker| observe::text(maker, "/metadata/uid"));
        let known = self.machine.ledger().get(item).filter(|entry| entry.state != State::Foreign);
        let known = known.and_then(|entry| entry.uid.as_ref());
        observe::sight(&what, object, self.knowledge.run(), maker, known, progress)
    }

    /// How far an object has come; what writer and reader said is judged.
    pub(super) fn judged(&mut self, trip: usize, what: &Object, object: &Value) -> Progress {
        let seen = observe::progress(what, object);
        let before = self.machine.ledger().progress(Item::Of(trip, what.id));
        let running = self.machine.ending(trip).is_none();
        match what.task {
            Task::Write | Task::Record if before < Progress::Done && running => {
                let Some((code, message)) = said(object, WRITE_CONTAINER) else {
                    return seen;
                };
                match self.knowledge.written(trip, what.id, message) {
                    // On TERM, and only then, it overwrites the data and ends with 0.
                    Ok(()) if code == 0 && observe::is_deleting(object) => Progress::Done,
                    Ok(()) => seen,
                    Err(diagnosis) => self.certain(trip, *diagnosis, Progress::Started),
                }
            }
            Task::Fill | Task::Overwrite if before < Progress::Done && running => {
                let Some((code, message)) = container_of(what.task).and_then(|name| said(object, name)) else {
                    return seen;
                };
                match self.knowledge.written(trip, what.id, message) {
                    Ok(()) if code == 0 => Progress::Done,
                    Ok(()) => seen,
                    Err(diagnosis) => self.certain(trip, *diagnosis, Progress::Started),
                }
            }
            Task::Read | Task::ReadSized | Task::ReadJournal | Task::Look if before < Progress::Done && running => {
                let Some((code, message)) = said(object, READ_CONTAINER) else {
                    return seen;
                };
                let answer = self.knowledge.read(trip, what.id, message, &self.seen_of(Some(trip)));
                match answer {
                    Ok(ReadResult { data, contents, message, diagnosis }) => {
                        self.record.contents(trip, contents);
                        self.record.data(trip, data, message);
                        match (data, diagnosis) {
                            (data, None) if code == 0 && data.is_good() => Progress::Done,
                            (_, Some(diagnosis)) => self.certain(trip, *diagnosis, Progress::Started),
                            // Not intact, and nothing to say about it: still no pass.
                            (_, None) => {
                                self.next(Input::Certain { trip });
                                Progress::Started
                            }
                        }
                    }
                    Err(diagnosis) => self.certain(trip, *diagnosis, Progress::Started),
                }
            }
            _ => seen,
        }
    }

    /// Takes a diagnosis.
    pub(super) fn certain(&mut self, trip: usize, diagnosis: CheckResult, progress: Progress) -> Progress {
        self.record.diagnose(trip, diagnosis);
        self.next(Input::Certain { trip });
        progress
    }

    pub(super) fn event(&mut self, event: Value) {
        let uid = observe::text(&event, "/metadata/uid").map(str::to_owned);
        self.events.retain(|known| uid.is_none() || observe::text(known, "/metadata/uid") != uid.as_deref());
        let item = self.about(&event);
        let Some((item, trip)) = item.and_then(|item| Some((item, item.trip()?))) else {
            return;
        };
        self.container_started(item, &event);
        self.events.push(event);
        self.diagnose(trip);
    }

    /// A kubelet tells at once that a container has started, but shows it in the pod's status only when all have, and
    /// their hooks have ended.
    fn container_started(&mut self, item: Item, event: &Value) {
        let Some(what) = self.object(item).cloned() else { return };
        let Some(container) = observe::container_of(what.task) else { return };
        let says = |pointer, word: &str| observe::text(event, pointer) == Some(word);
        let Some(pod) = self.objects.get(&item) else { return };
        if says("/reason", "Started")
            && says("/involvedObject/fieldPath", &format!("spec.containers{{{container}}}"))
            && observe::text(pod, "/metadata/uid").is_some_and(|uid| says("/involvedObject/uid", uid))
        {
            let sight = observe::sight(&what, pod, self.knowledge.run(), None, None, Progress::Started);
            self.feed(Input::Seen { item, sight });
        }
    }
}
