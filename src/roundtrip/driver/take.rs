//! Takes what came from the API server, and tells the machine what it means.

use serde_json::Value;

use super::admission::Admission;
use super::{Driver, Failure, Knowledge};
use crate::api::{Deleted, ObjectWatch, Watched};
use crate::roundtrip::known_facts::Look as ControlPlane;
use crate::roundtrip::ledger::{Item, Progress, Uid};
use crate::roundtrip::machine::{CreateAnswer, DeleteAnswer, Input, Sight};
use crate::roundtrip::observe;
use crate::roundtrip::program::Policy;
use crate::roundtrip::retained::Look;

/// Something that came to the driver.
pub(super) enum Message {
    Input(Input),
    DryRun {
        trip: Option<usize>,
        admission: Admission,
    },
    Created {
        item: Item,
        answer: Result<Value, Failure>,
    },
    Asked {
        item: Item,
        answer: Result<Option<Value>, Failure>,
        /// What waited for it, if anything did.
        lookout: Option<ObjectWatch>,
    },
    /// A look at what was retained, and should be so no more.
    Freed {
        item: Item,
        answer: Result<Option<Value>, Failure>,
    },
    /// A look at what was to be taken over, and why that was refused.
    TakenOver {
        item: Item,
        refused: Option<Failure>,
        answer: Result<Option<Value>, Failure>,
    },
    /// A look after a list that did not show an object that had been there.
    Missed {
        item: Item,
        uid: Uid,
        answer: Result<Option<Value>, Failure>,
    },
    Deleted {
        item: Item,
        answer: Result<DeleteAnswer, Failure>,
        /// Its members, if it is a group, that were found before.
        members: Vec<(Item, Value)>,
    },
    /// A look at the content of a snapshot that is waited for.
    Content {
        item: Item,
        answer: Result<Option<Value>, Failure>,
        lookout: ObjectWatch,
    },
    /// What was seen of the run's objects of a kind.
    Followed {
        kind: String,
        seen: Watched,
    },
    /// What was seen of events.
    Events(Watched),
    /// The control plane, read again.
    ControlPlane(Box<ControlPlane>),
    /// A create without a clear answer may have had its time.
    Landed {
        item: Item,
    },
    /// The budget of a clean-up may be over.
    Budget {
        trip: Option<usize>,
    },
}

impl From<Deleted> for DeleteAnswer {
    fn from(deleted: Deleted) -> Self {
        match deleted {
            Deleted::Accepted => Self::Accepted,
            Deleted::Absent => Self::Absent,
            Deleted::OtherUid => Self::OtherUid,
        }
    }
}

impl<K: Knowledge> Driver<'_, K> {
    pub(super) fn take(&mut self, message: Message) {
        match message {
            Message::Input(input) => self.feed(input),
            Message::DryRun { trip, admission } => self.admission(trip, admission),
            Message::Created { item, answer } => self.created(item, answer),
            Message::Asked { item, answer, lookout } => {
                if let (Ok(Some(_)), Some(lookout)) = (&answer, lookout) {
                    self.lookouts.insert(item, lookout);
                }
                self.asked(item, answer);
            }
            Message::Freed { item, answer } => {
                let what = self.object(item).cloned();
                self.retained.freed(item, what.as_ref(), &answer);
                self.asked(item, answer);
            }
            Message::TakenOver { item, refused, answer } => {
                // One that has gone meanwhile is not there to be changed.
                let refused = refused.filter(|failure| ![404, 409].contains(&failure.status));
                if let (Some(failure), Some(place), Some(trip)) = (refused, self.place(item), item.trip()) {
                    let diagnosis = self.knowledge.refused(trip, &failure, &place.object());
                    self.certain(trip, diagnosis, Progress::Nothing);
                }
                self.asked(item, answer);
            }
            Message::Missed { item, uid, answer } => match answer {
                Ok(Some(object)) if observe::uid(&object).as_ref() == Some(&uid) => {
                    self.changed(item, object);
                }
                Ok(_) => self.feed(Input::Seen { item, sight: Sight::Gone { uid } }),
                Err(_) => {}
            },
            Message::Deleted { item, answer, members } => {
                for (member, object) in members {
                    let sight = self.see(member, &object);
                    self.keep_object(member, &sight, object);
                    self.feed(Input::Seen { item: member, sight });
                }
                let answer = answer.unwrap_or_else(|failure| {
                    if let Some(place) = self.place(item) {
                        self.failures.insert(item, (place.object(), failure));
                    }
                    DeleteAnswer::Denied
                });
                // An earlier try had no answer, but was carried out.
                let answer = match answer {
                    DeleteAnswer::Absent if self.may_still_speak(item) => DeleteAnswer::Accepted,
                    answer => answer,
                };
                self.feed(Input::Deleted { item, answer });
            }
            Message::Content { item, answer, lookout } => {
                self.looking.remove(&item);
                self.lookouts.insert(item, lookout);
                if let Ok(Some(content)) = answer {
                    let sight = self.see(item, &content);
                    self.keep_object(item, &sight, content);
                    if let Some(trip) = item.trip() {
                        self.diagnose(trip);
                        self.look_at_content(trip);
                    }
                }
            }
            Message::Followed { kind, seen } => self.followed(kind, seen),
            Message::Events(seen) => self.events(seen),
            Message::ControlPlane(look) => self.control_plane(*look),
            Message::Landed { item } => self.landed(item),
            Message::Budget { trip } => self.budget_over(trip),
        }
    }

    fn admission(&mut self, trip: Option<usize>, admission: Admission) {
        let Admission { answer, before } = admission;
        let user = match answer {
            Ok(user) => {
                let note = self.knowledge.admitted(trip, user, &before);
                if let Some(trip) = trip {
                    self.record.admitted(trip, note);
                }
                Some(user)
            }
            Err((object, failure)) => {
                match trip {
                    Some(trip) => {
                        let diagnosis = self.knowledge.refused(trip, &failure, &object);
                        self.record.diagnose(trip, diagnosis);
                    }
                    None => {
                        // Whichever of them was refused, the run has none of them.
                        if let Some(first) = self.knowledge.program(0).created_shared().next() {
                            self.failures.insert(Item::Shared(first), (object, failure));
                        }
                    }
                }
                None
            }
        };
        self.feed(Input::Admitted { trip, user });
    }

    pub(super) fn created(&mut self, item: Item, answer: Result<Value, Failure>) {
        let answer = match answer {
            Ok(object) => {
                let uid = observe::uid(&object);
                // A watch may already have seen more of it.
                if self.objects.get(&item).and_then(observe::uid) != uid {
                    self.keep(item, object);
                }
                uid.map_or(CreateAnswer::Unclear, CreateAnswer::Created)
            }
            Err(failure) => {
                let answer = if failure.was_not_processed() {
                    CreateAnswer::NotProcessed
                } else if failure.status == 409 && failure.reason == "AlreadyExists" {
                    CreateAnswer::AlreadyExists
                } else if failure.is_final() {
                    CreateAnswer::Refused
                } else {
                    CreateAnswer::Unclear
                };
                if let Some(place) = self.place(item) {
                    self.failures.insert(item, (place.object(), failure));
                }
                answer
            }
        };
        if answer == CreateAnswer::Unclear {
            self.wait_for_landing(item);
        }
        self.feed(Input::Created { item, answer });
    }

    pub(super) fn asked(&mut self, item: Item, answer: Result<Option<Value>, Failure>) {
        match answer {
            Ok(None) if self.is_member_to_come(item) || self.may_still_come(item) || self.may_still_speak(item) => {
                self.look_again(item);
            }
            Ok(None) => self.feed(Input::Asked { item, sight: Sight::Absent }),
            Ok(Some(object)) => {
                let sight = self.see(item, &object);
                self.keep_object(item, &sight, object);
                // What is wrong with it is to be known before the machine goes on.
                if let Some(trip) = item.trip() {
                    self.diagnose(trip);
                }
                match self.retained.look(item, self.machine.ledger().state(item), sight) {
                    Look::Means(sight) => self.feed(Input::Asked { item, sight }),
                    Look::Free(uid) => self.free(item, uid),
                    Look::Nothing => {}
                }
            }
            Err(failure) => {
                // A round trip that cannot do without it ends by this.
                let is_content = self.policy(item) == Some(Policy::Deletion);
                if let Some(place) = self.place(item).filter(|_| is_content) {
                    self.failures.entry(item).or_insert_with(|| (place.object(), failure));
                }
                self.feed(Input::Asked { item, sight: Sight::Unreadable });
            }
        }
    }
}
