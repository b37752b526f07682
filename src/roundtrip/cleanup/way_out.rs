//! Performs what a machine commands that was taken up on its way out: it looks and deletes, and creates nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use serde_json::Value;
use tokio::time::Instant;

use super::remains::Remains;
use crate::api::{Failure, ObjectWatch, Objects, Pause, Place};
use crate::model::{Happening, Leftover, ObjectName};
use crate::roundtrip::ledger::{Item, Progress, State, Uid, Why};
use crate::roundtrip::machine::{Command, DeleteAnswer, Input, Sight};
use crate::roundtrip::members::{self, Among, find_all};
use crate::roundtrip::observe::{self, derived_place};
use crate::roundtrip::program::By;
use crate::roundtrip::retained::{Look, Retained, free, let_go};

/// When what of the order is given up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Nothing waits for anything any more.
    hurry: Instant,
    /// What is not gone is left to its namespace.
    give_up: Instant,
    /// It is over.
    end: Instant,
}

impl Limits {
    pub(super) fn new(start: Instant, budget: Duration) -> Self {
        Self { hurry: start + budget / 2, give_up: start + budget / 4 * 3, end: start + budget }
    }

    pub(super) fn over(self) -> bool {
        Instant::now() >= self.end
    }
}

enum Answer {
    Asked {
        item: Item,
        answer: Result<Option<Value>, Failure>,
        watch: ObjectWatch,
    },
    /// A look at what was retained, and should be so no more.
    Freed {
        item: Item,
        answer: Result<Option<Value>, Failure>,
        watch: ObjectWatch,
    },
    /// A look at what has no place, or none that is known.
    Sought {
        item: Item,
        answer: Result<Option<Value>, Failure>,
    },
    Deleted {
        item: Item,
        answer: Result<DeleteAnswer, Failure>,
        /// Its members, if it is a group, that were found before.
        members: Vec<(Item, Value)>,
    },
}

/// A run on its way out.
pub(super) struct WayOut {
    server: Objects,
    remains: Remains,
    watching: bool,
    watches: BTreeMap<Item, (ObjectWatch, Pause)>,
    work: FuturesUnordered<BoxFuture<'static, Answer>>,
    told: Vec<Item>,
    retained: Retained,
}

impl WayOut {
    pub(super) fn new(server: Objects, remains: Remains, watching: bool) -> Self {
        Self {
            server,
            remains,
            watching,
            watches: BTreeMap::new(),
            work: FuturesUnordered::new(),
            told: Vec::new(),
            retained: Retained::default(),
        }
    }

    /// Goes it to its end: what is gone, and what is left.
    pub(super) async fn go(mut self, limits: Limits) -> (Vec<ObjectName>, Vec<Leftover>) {
        self.feed(Input::Start);
        let spent = Input::BudgetSpent { trip: Some(0) };
        let over = Input::BudgetSpent { trip: None };
        let mut times = [
            (limits.hurry, vec![Input::Hurry { trip: 0 }]),
            (limits.give_up, vec![spent.clone()]),
            (limits.end, vec![spent.clone(), over.clone(), spent, over]),
        ]
        .into_iter()
        .peekable();
        while !self.remains.machine.finished() {
            let Some((time, _)) = times.peek() else { break };
            tokio::select! {
                Some(answer) = self.work.next(), if !self.work.is_empty() => self.take(answer),
                () = tokio::time::sleep_until(*time) => {
                    for input in times.next().into_iter().flat_map(|(_, inputs)| inputs) {
                        self.feed(input);
                    }
                }
            }
        }
        self.outcome().await
    }

    fn feed(&mut self, input: Input) {
        for command in self.remains.machine.handle(input) {
            match command {
                Command::Ask { item, later } => self.ask(item, later),
                Command::Delete { item, uid } => {
                    let Some(place) = self.place(item) else { continue };
                    let unseen = self.unseen_members(item);
                    let server = self.server.clone();
                    let run = self.remains.run.clone();
                    let known = |of: Item| self.remains.objects.get(&of).cloned();
                    let made = self.remains.machine.made_for(item).into_iter();
                    let made: Vec<_> = made.filter_map(|(of, what)| Some((known(of)?, what))).collect();
                    let answer = async move {
                        let members = find_all(&server, unseen).await;
                        let_go(&server, &run, &made).await;
                        let answer = server.delete(&place, &uid.to_string()).await.map(DeleteAnswer::from);
                        Answer::Deleted { item, answer, members }
                    };
                    self.work.push(answer.boxed());
                }
                // Times run for all runs together; nothing is created.
                Command::Begin { .. }
                | Command::End { .. }
                | Command::Verdict { .. }
                | Command::RemoveShared
                | Command::Create { .. }
                | Command::DryRun { .. }
                | Command::RetryLater { .. }
                | Command::TakeOver { .. }
                | Command::GiveTime { .. }
                | Command::Finished => {}
            }
        }
        self.tell_removed();
    }

    fn place(&self, item: Item) -> Option<Place> {
        if let Some(place) = self.remains.places.get(&item) {
            return Some(place.clone());
        }
        let what = self.remains.machine.object(item)?;
        match what.by {
            By::Group { .. } => members::place(what, self.remains.objects.get(&item)?),
            By::Run | By::Controller { .. } => derived_place(what, self.maker(item)?),
        }
    }

    /// Where the member of a group is to be looked for.
    fn among(&self, item: Item) -> Option<Among> {
        let By::Group { claim, .. } = self.remains.machine.object(item)?.by else { return None };
        Among::of(self.maker(item)?, self.place(Item::Of(item.trip()?, claim))?.name)
    }

    /// The members of a group that were not seen yet.
    fn unseen_members(&self, group: Item) -> Vec<(Item, Among)> {
        let derived = self.remains.program.derived(group.object()).map(|id| self.remains.program.item(0, id));
        let unseen = derived.filter(|item| !self.remains.objects.contains_key(item));
        unseen.filter_map(|item| Some((item, self.among(item)?))).collect()
    }

    /// What a controller's object was made for.
    fn maker(&self, item: Item) -> Option<&Value> {
        let maker = self.remains.machine.object(item)?.maker()?;
        self.remains.objects.get(&Item::Of(item.trip()?, maker))
    }

    fn ask(&mut self, item: Item, later: bool) {
        let server = self.server.clone();
        let Some(place) = self.place(item) else {
            let among = self.among(item);
            let answer = async move {
                // What was never named was never made.
                let Some(among) = among else { return Answer::Sought { item, answer: Ok(None) } };
                Answer::Sought { item, answer: among.find(&server).await }
            };
            self.work.push(answer.boxed());
            return;
        };
        let (mut watch, mut pause) = self.watches.remove(&item).unwrap_or_else(|| {
            let watch =
                if self.watching { ObjectWatch::new(place.clone()) } else { ObjectWatch::without_watch(place.clone()) };
            (watch, Pause::default())
        });
        let wait = pause.next(None);
        self.watches.insert(item, (ObjectWatch::without_watch(place.clone()), pause));
        let answer = async move {
            let answer = if later { watch.next(&server, wait).await } else { server.get(&place).await };
            Answer::Asked { item, answer, watch }
        };
        self.work.push(answer.boxed());
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Sought { item, answer } => self.asked(item, answer),
            Answer::Deleted { item, answer, members } => {
                for (member, object) in members {
                    let sight = self.sight(member, &object);
                    self.remains.objects.insert(member, object);
                    self.feed(Input::Seen { item: member, sight });
                }
                let answer = answer.unwrap_or(DeleteAnswer::Denied);
                self.feed(Input::Deleted { item, answer });
            }
            Answer::Freed { item, answer, watch } => {
                self.retained.freed(item, self.remains.machine.object(item), &answer);
                self.take(Answer::Asked { item, answer, watch });
            }
            Answer::Asked { item, answer, watch } => {
                if let Some((known, _)) = self.watches.get_mut(&item) {
                    *known = watch;
                }
                self.asked(item, answer);
            }
        }
    }

    fn asked(&mut self, item: Item, answer: Result<Option<Value>, Failure>) {
        match answer {
            Ok(None) => self.feed(Input::Asked { item, sight: Sight::Absent }),
            Ok(Some(object)) => {
                let sight = self.sight(item, &object);
                if matches!(sight, Sight::Ours { .. }) {
                    self.remains.objects.insert(item, object);
                }
                match self.retained.look(item, self.remains.machine.ledger().state(item), sight) {
                    Look::Means(sight) => self.feed(Input::Asked { item, sight }),
                    Look::Free(uid) => self.free(item, uid),
                    Look::Nothing => {}
                }
            }
            // The right to look at what controllers make is nothing that a clean-up needs. Of the run's own it is not known
            // whether they go.
            Err(_) if self.maker(item).is_some() => self.feed(Input::Asked { item, sight: Sight::Unreadable }),
            Err(_) => self.feed(Input::Deleted { item, answer: DeleteAnswer::Denied }),
        }
    }

    /// Removes what is retained although what it was made for has gone.
    fn free(&mut self, item: Item, uid: Uid) {
        let (Some(place), Some(what)) = (self.place(item), self.remains.machine.object(item).cloned()) else { return };
        let server = self.server.clone();
        let answer = async move {
            let answer = free(&server, &place, &what, &uid).await;
            Answer::Freed { item, answer, watch: ObjectWatch::without_watch(place) }
        };
        self.work.push(answer.boxed());
    }

    fn sight(&self, item: Item, object: &Value) -> Sight {
        let Some(what) = self.remains.machine.object(item) else {
            return Sight::Unreadable;
        };
        let maker = self.maker(item).and_then(|maker| observe::text(maker, "/metadata/uid"));
        let known = self.remains.machine.ledger().get(item).filter(|entry| entry.state != State::Foreign);
        let known = known.and_then(|entry| entry.uid.as_ref());
        observe::sight(what, object, &self.remains.run, maker, known, Progress::Nothing)
    }

    /// Whether there was such an object. What a controller may have made counts only if it was seen.
    fn existed(&self, item: Item) -> bool {
        self.remains.objects.contains_key(&item)
    }

    fn tell_removed(&mut self) {
        for item in self.remains.machine.ledger().items(None, |state| state == State::Gone) {
            if self.existed(item)
                && !self.told.contains(&item)
                && let Some(place) = self.place(item)
            {
                self.told.push(item);
                // Nobody listens any more: then nobody needs to know.
                let _ = self.server.events.send(Happening::ObjectRemoved { object: place.object() });
            }
        }
    }

    /// What is gone, in the order in which it went, and what is left. What hung at its turn may have gone since.
    async fn outcome(mut self) -> (Vec<ObjectName>, Vec<Leftover>) {
        let ledger = self.remains.machine.ledger();
        let mut left: Vec<Item> = ledger.items(None, |state| matches!(state, State::Left(_)) || !state.settled());
        left.retain(|item| self.existed(*item));
        let looks = left.into_iter().map(|item| self.still_there(item));
        let looks: Vec<(Item, bool)> = join_all(looks).await;
        let mut still = Vec::new();
        for (item, there) in looks {
            let Some(place) = self.place(item) else { continue };
            if there {
                still.push(observe::leftover(&place, self.remains.objects.get(&item)));
            } else {
                self.told.push(item);
                let _ = self.server.events.send(Happening::ObjectRemoved { object: place.object() });
            }
        }
        still.extend(self.remains.too_many.iter().map(|place| place.object().into()));
        let removed = self.told.iter().filter_map(|item| Some(self.place(*item)?.object())).collect();
        (removed, still)
    }

    async fn still_there(&self, item: Item) -> (Item, bool) {
        let (Some(place), Some(entry)) = (self.place(item), self.remains.machine.ledger().get(item)) else {
            return (item, true);
        };
        if entry.state == State::Left(Why::Policy) {
            return (item, true);
        }
        let look = tokio::time::timeout(self.server.request_timeout, self.server.get(&place)).await;
        let there = match look {
            Ok(Ok(None)) => false,
            Ok(Ok(Some(object))) => entry.uid.is_none() || observe::uid(&object) == entry.uid,
            Ok(Err(_)) | Err(_) => true,
        };
        (item, there)
    }
}
