//! Performs what the machine commands, and tells it what is seen. All waiting is done here, in one task: when the run
//! is over, nothing of it goes on.

mod admission;
mod contract;
mod diagnose;
mod late;
mod look_again;
mod options;
mod outcome;
mod perform;
mod places;
mod record;
mod see;
mod take;
#[cfg(test)]
mod tests;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered, SelectAll};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::look_again::LookingAgain;
use self::record::Record;
use self::take::Message;
use crate::api::{Client, ObjectWatch, Objects};
use crate::model::{Happening, ObjectName, PodUser};
use crate::roundtrip::ledger::{Item, Uid};
use crate::roundtrip::machine::{Input, Machine, Settings};
use crate::roundtrip::modes::Seen;
use crate::roundtrip::retained::Retained;

pub use self::contract::{Knowledge, Observed, ReadResult, Trip};
pub use self::options::{CLEANUP_TIMEOUT, Options, Outcome, STEP_TIMEOUT, Signals};
pub use crate::api::Failure;
pub use crate::roundtrip::objects::Manifest;

struct Driver<'a, K> {
    knowledge: &'a K,
    options: &'a Options,
    server: Objects,
    machine: Machine,
    work: FuturesUnordered<BoxFuture<'static, Message>>,
    watches: SelectAll<BoxStream<'static, Message>>,
    watching: bool,
    /// What existed when a list was about to be read, by kind of object.
    before_list: BTreeMap<String, Vec<(Item, Uid)>>,
    objects: BTreeMap<Item, Value>,
    /// When each of them was first seen.
    since: BTreeMap<Item, Instant>,
    names: BTreeMap<ObjectName, Item>,
    events: Vec<Value>,
    looks: BTreeMap<Item, u32>,
    /// Since when an object is not there of which something may still come.
    missed: BTreeMap<Item, Instant>,
    /// The volumes that were looked for after they had been made.
    made: BTreeSet<Item>,
    /// What follows cluster-scoped objects, while no look is under way.
    lookouts: BTreeMap<Item, ObjectWatch>,
    retained: Retained,
    /// The contents that are being looked at.
    looking: BTreeSet<Item>,
    /// Looks at the control plane.
    looking_again: LookingAgain,
    /// Until when creates that were sent can take effect.
    landing: BTreeMap<Item, Instant>,
    removed: BTreeSet<Item>,
    failures: BTreeMap<Item, (ObjectName, Failure)>,
    record: Record,
}

/// Carries out all round trips and removes what they made. Ends when nothing is left to do: after the last object is
/// seen to be gone, the budget is spent, or the second signal.
pub async fn run<K: Knowledge>(
    client: &Client,
    knowledge: &K,
    options: &Options,
    mut signals: watch::Receiver<Signals>,
    events: mpsc::UnboundedSender<Happening>,
) -> Outcome {
    let trips = knowledge.trips();
    let settings = Settings { keep: options.keep, parallel: options.parallel };
    let machine = Machine::new(settings, (0..trips.len()).map(|trip| knowledge.program(trip)).collect());
    let mut driver = Driver::new(client, knowledge, options, machine, events);
    if let Some(timeout) = options.timeout.filter(|timeout| !timeout.is_zero()) {
        driver.after(timeout, Input::RunTimedOut);
    }
    driver.go(&mut signals).await;
    driver.outcome()
}

impl<'a, K: Knowledge> Driver<'a, K> {
    fn new(
        client: &Client,
        knowledge: &'a K,
        options: &'a Options,
        machine: Machine,
        events: mpsc::UnboundedSender<Happening>,
    ) -> Self {
        let mut driver = Self {
            knowledge,
            options,
            server: Objects::new(client, options.request_timeout, events.clone()),
            machine,
            work: FuturesUnordered::new(),
            watches: SelectAll::new(),
            watching: false,
            before_list: BTreeMap::new(),
            objects: BTreeMap::new(),
            since: BTreeMap::new(),
            names: BTreeMap::new(),
            events: Vec::new(),
            looks: BTreeMap::new(),
            missed: BTreeMap::new(),
            made: BTreeSet::new(),
            lookouts: BTreeMap::new(),
            retained: Retained::default(),
            looking: BTreeSet::new(),
            looking_again: LookingAgain::default(),
            landing: BTreeMap::new(),
            removed: BTreeSet::new(),
            failures: BTreeMap::new(),
            record: Record::new(knowledge.trips(), events),
        };
        driver.plan();
        driver
    }

    async fn go(&mut self, signals: &mut watch::Receiver<Signals>) {
        self.feed(Input::Start);
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        let mut counted = 0;
        let mut listening = true;
        while !self.machine.finished() {
            tokio::select! {
                changed = signals.changed(), if listening => {
                    listening = changed.is_ok();
                    let signal = *signals.borrow_and_update();
                    while counted < signal.count {
                        counted += 1;
                        if counted == 1 {
                            let objects = self.machine.ledger().items(None, |state| !state.settled()).len();
                            self.record.tell(Happening::Stopping { signal: signal.name.to_owned(), objects });
                        }
                        self.feed(Input::Signal);
                    }
                }
                Some(message) = self.work.next(), if !self.work.is_empty() => self.take(message),
                Some(message) = self.watches.next(), if !self.watches.is_empty() => self.take(message),
                _ = tick.tick() => {
                    self.diagnose_all();
                    self.look_at_control_plane();
                }
            }
        }
    }

    /// Names are fixed from the start, so that what is seen can be told by its name.
    fn plan(&mut self) {
        for trip in 0..self.knowledge.trips().len() {
            let program = self.knowledge.program(trip);
            for id in program.created() {
                let item = program.item(trip, *id);
                if let Some(manifest) = self.knowledge.manifest(item, PodUser::NonRoot, &Seen::default()) {
                    self.names.insert(manifest.object(), item);
                }
            }
        }
    }

    fn feed(&mut self, input: Input) {
        for command in self.machine.handle(input) {
            self.perform(command);
        }
        self.note_removed();
    }
}
