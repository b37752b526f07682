//! Performs what the machine commands, and tells it what is seen. All waiting is done here, in one task: when the run
//! is over, nothing of it goes on.

pub(crate) mod api;
mod follow;
pub(crate) mod observe;
mod record;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::{BoxFuture, try_join_all};
use futures::stream::{BoxStream, FuturesUnordered, SelectAll};
use futures::{FutureExt, StreamExt};
use kube::Client;
use kube::api::ApiResource;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::api::{Place, Server};
use self::follow::{Followed, Following, follow};
use self::observe::{RUN_LABEL, said};
use self::record::Record;
use crate::report::document::{CheckResult, DataVerdict, ObjectName, RoundTrip, StepId};
use crate::report::events::Happening;
use crate::roundtrip::ledger::{Item, Progress, Role, State, Uid};
use crate::roundtrip::machine::{
    Command, CreateAnswer, DeleteAnswer, Ending, Input, Keep, Machine, Settings, Sight, Source,
};

pub use self::api::Failure;
pub use self::observe::MANAGED_BY;
pub use crate::roundtrip::objects::Manifest;

/// How a run is carried out.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long all round trips may take together, clean-up apart; `None`: as long as they like.
    pub timeout: Option<Duration>,
    /// How long each step may take; a step that is not named has [`STEP_TIMEOUT`], zero is no limit.
    pub step_timeouts: BTreeMap<StepId, Duration>,
    /// How long the clean-up of a round trip, and that of the namespace, may take.
    pub cleanup_timeout: Duration,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// What is left in the cluster on purpose.
    pub keep: Keep,
    /// How many round trips run at a time.
    pub parallel: usize,
    /// Whether the source is in use while it is snapshotted.
    pub source: Source,
}

/// How long a step may take if nothing else was asked for.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(300);

/// So long after it was sent, a create without an answer can take effect no more: an API server gives up on a request
/// after 60 s (`--request-timeout`).
const LATEST_LANDING: Duration = Duration::from_secs(65);

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: None,
            step_timeouts: BTreeMap::new(),
            // A create without an answer must be outlived, or the namespace that it may bring back is not seen to be gone.
            cleanup_timeout: LATEST_LANDING + Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            keep: Keep::Never,
            parallel: 1,
            source: Source::Attached,
        }
    }
}

/// The signals that came so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// How many.
    pub count: u8,
    /// The name of the first: `SIGINT` or `SIGTERM`.
    pub name: &'static str,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The round trips, in the order of the plan.
    pub round_trips: Vec<RoundTrip>,
    /// What could not be removed, or may come to be there.
    pub leftovers: Vec<ObjectName>,
    /// What stays because the user asked for it.
    pub kept: Vec<ObjectName>,
}

/// A round trip of the plan, as far as reports name it.
#[derive(Debug, Clone)]
pub struct Trip {
    /// As in events.
    pub target: crate::report::events::Target,
    /// The driver.
    pub driver: Option<String>,
}

/// What is seen of a round trip while it waits.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    /// Which one.
    pub trip: usize,
    /// The step that it is at.
    pub step: StepId,
    /// How long it has been at it.
    pub elapsed: Duration,
    /// The objects as they were last seen, also those that have gone.
    pub objects: BTreeMap<Role, &'a Value>,
    /// The namespace's events that are about them, oldest first.
    pub events: Vec<&'a Value>,
}

/// What an observation means.
#[derive(Debug, Clone)]
pub enum Diagnosis {
    /// Nothing is certain yet.
    Waiting {
        /// What has to come.
        waiting_for: String,
        /// What was last seen.
        last_seen: String,
    },
    /// It fails, and this is why.
    Certain(Box<CheckResult>),
}

/// What the reader found.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// What the restored data is.
    pub data: DataVerdict,
    /// One line for people.
    pub message: String,
    /// What is wrong; `None` only if the data is intact.
    pub diagnosis: Option<Box<CheckResult>>,
}

/// What has to be known about round trips, and is decided elsewhere: their objects, and what is seen of them.
pub trait Knowledge: Sync {
    /// The run's id.
    fn run(&self) -> &str;
    /// The namespace.
    fn namespace(&self) -> &str;
    /// Whether the run makes it.
    fn own_namespace(&self) -> bool;
    /// The round trips.
    fn trips(&self) -> &[Trip];
    /// An object to be created. The snapshot, once it is ready, tells the size that a restored claim needs. `None` if
    /// there is no such object, as with those that controllers make.
    fn manifest(&self, item: Item, snapshot: Option<&Value>) -> Option<Manifest>;
    /// Whether what the writer reports is what was to be written.
    fn written(&self, trip: usize, message: &str) -> Result<(), Box<CheckResult>>;
    /// What the reader reports; an error if it cannot be understood.
    fn read(&self, trip: usize, message: &str) -> Result<Judgement, Box<CheckResult>>;
    /// What an observation means.
    fn diagnose(&self, observed: &Observed<'_>) -> Diagnosis;
    /// A step took too long.
    fn timed_out(&self, observed: &Observed<'_>) -> CheckResult;
    /// The API server refused, or did not answer, a create.
    fn refused(&self, trip: usize, failure: &Failure, object: &ObjectName) -> CheckResult;
    /// An object that the round trip needs was deleted by somebody else.
    fn vanished(&self, trip: usize, object: &ObjectName) -> CheckResult;
    /// An object, as it was last seen, does not go away: what keeps it, in a few words.
    fn stuck(&self, object: ObjectName, seen: &Value) -> String;
}

/// Something that came to the driver.
enum Message {
    Input(Input),
    DryRun {
        trip: Option<usize>,
        answer: Result<(), (ObjectName, Failure)>,
    },
    Created {
        item: Item,
        sent: Instant,
        answer: Result<Value, Failure>,
    },
    Asked {
        item: Item,
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
    },
    /// A look at the content of a snapshot that is waited for: it is cluster-scoped, so nothing follows it.
    Content {
        trip: usize,
        answer: Result<Option<Value>, Failure>,
    },
    Followed {
        kind: usize,
        seen: Followed,
    },
}

struct Driver<'a, K> {
    knowledge: &'a K,
    options: &'a Options,
    server: Server,
    machine: Machine,
    work: FuturesUnordered<BoxFuture<'static, Message>>,
    watches: SelectAll<BoxStream<'static, Message>>,
    watching: bool,
    /// What existed when a list was about to be read, by kind of object.
    before_list: BTreeMap<usize, Vec<(Item, Uid)>>,
    objects: BTreeMap<Item, Value>,
    names: BTreeMap<(String, String), Item>,
    events: Vec<Value>,
    looks: BTreeMap<Item, u32>,
    /// The round trips whose content is being looked at.
    looking: BTreeSet<usize>,
    removed: BTreeSet<Item>,
    failures: BTreeMap<Item, (ObjectName, Failure)>,
    record: Record,
}

/// Carries out all round trips and removes what they made. Ends when nothing is left to do: after the last object is
/// seen to be gone, the budget is spent, or the second signal. The client must not retry by itself
/// (`Config::default_retry`).
pub async fn run<K: Knowledge>(
    client: Client,
    knowledge: &K,
    options: &Options,
    mut signals: watch::Receiver<Signals>,
    events: mpsc::UnboundedSender<Happening>,
) -> Outcome {
    let settings = Settings {
        own_namespace: knowledge.own_namespace(),
        source: options.source,
        keep: options.keep,
        parallel: options.parallel,
    };
    let trips = knowledge.trips();
    let mut driver = Driver {
        knowledge,
        options,
        server: Server { client, request_timeout: options.request_timeout, events: events.clone() },
        machine: Machine::new(settings, trips.len()),
        work: FuturesUnordered::new(),
        watches: SelectAll::new(),
        watching: false,
        before_list: BTreeMap::new(),
        objects: BTreeMap::new(),
        names: BTreeMap::new(),
        events: Vec::new(),
        looks: BTreeMap::new(),
        looking: BTreeSet::new(),
        removed: BTreeSet::new(),
        failures: BTreeMap::new(),
        record: Record::new(trips.len(), events),
    };
    driver.plan();
    if let Some(timeout) = options.timeout.filter(|timeout| !timeout.is_zero()) {
        driver.after(timeout, Input::RunTimedOut);
    }
    driver.feed(Input::Start);
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut counted = 0;
    let mut listening = true;
    while !driver.machine.finished() {
        tokio::select! {
            changed = signals.changed(), if listening => {
                listening = changed.is_ok();
                let signal = *signals.borrow_and_update();
                while counted < signal.count {
                    counted += 1;
                    if counted == 1 {
                        let objects = driver.machine.ledger().items(None, |state| !state.settled()).len();
                        driver.record.tell(Happening::Stopping { signal: signal.name.to_owned(), objects });
                    }
                    driver.feed(Input::Signal);
                }
            }
            Some(message) = driver.work.next(), if !driver.work.is_empty() => driver.take(message),
            Some(message) = driver.watches.next(), if !driver.watches.is_empty() => driver.take(message),
            _ = tick.tick() => driver.diagnose_all(),
        }
    }
    driver.outcome()
}

impl<K: Knowledge> Driver<'_, K> {
    /// Names are fixed from the start, so that what is seen can be told by its name.
    fn plan(&mut self) {
        for trip in 0..self.knowledge.trips().len() {
            for role in CREATED {
                if let Some(manifest) = self.knowledge.manifest(Item::Of(trip, role), None) {
                    self.names.insert((manifest.resource.kind, manifest.name), Item::Of(trip, role));
                }
            }
        }
    }

    fn after(&mut self, pause: Duration, input: Input) {
        self.work.push(
            async move {
                tokio::time::sleep(pause).await;
                Message::Input(input)
            }
            .boxed(),
        );
    }

    fn feed(&mut self, input: Input) {
        for command in self.machine.handle(input) {
            self.perform(command);
        }
        self.note_removed();
    }

    fn perform(&mut self, command: Command) {
        match command {
            Command::DryRun { trip } => self.dry_run(trip),
            Command::Create { item } => self.create(item),
            Command::RetryLater { item } => {
                let look = self.looks.entry(item).or_default();
                *look = look.saturating_add(1);
                let pause = Duration::from_millis(u64::from(*look).saturating_mul(250).min(3_000));
                self.after(pause, Input::Retry { item });
            }
            Command::Ask { item, later } => self.ask(item, later),
            Command::Delete { item, uid } => self.delete(item, uid),
            Command::Begin { trip, step } => self.begin(trip, step),
            Command::End { trip, step, passed } => {
                let ending = self.machine.ending(trip);
                let stuck = if step == StepId::Cleanup { self.stuck(trip) } else { Vec::new() };
                self.record.end(trip, step, passed, ending, self.machine.ledger(), &stuck);
            }
            Command::Verdict { trip, ending } => self.verdict(trip, ending),
            Command::RemoveNamespace => self.after(self.options.cleanup_timeout, Input::BudgetSpent { trip: None }),
            Command::Finished => {}
        }
    }

    /// What keeps the objects that are left although they are being deleted.
    fn stuck(&self, trip: usize) -> Vec<String> {
        let left = self.machine.ledger().items(Some(trip), |state| matches!(state, State::Left(_)));
        left.into_iter()
            .filter_map(|item| {
                let seen = self.objects.get(&item)?;
                observe::text(seen, "/metadata/deletionTimestamp")?;
                Some(self.knowledge.stuck(self.place(item)?.object(), seen))
            })
            .collect()
    }

    fn begin(&mut self, trip: usize, step: StepId) {
        self.record.begin(trip, step);
        if step == StepId::Cleanup {
            self.after(self.options.cleanup_timeout / 2, Input::Hurry { trip });
            self.after(self.options.cleanup_timeout, Input::BudgetSpent { trip: Some(trip) });
            return;
        }
        let timeout = self.options.step_timeouts.get(&step).copied().unwrap_or(STEP_TIMEOUT);
        if !timeout.is_zero() {
            self.after(timeout, Input::TimedOut { trip, step });
        }
    }

    fn dry_run(&mut self, trip: Option<usize>) {
        let manifests: Vec<Manifest> = match trip {
            None => self.knowledge.manifest(Item::Namespace, None).into_iter().collect(),
            Some(trip) => {
                self.watch();
                CREATED.into_iter().filter_map(|role| self.knowledge.manifest(Item::Of(trip, role), None)).collect()
            }
        };
        let server = self.server.clone();
        self.work.push(
            async move {
                let all = manifests.iter().map(async |manifest| {
                    server.dry_run(manifest).await.map_err(|failure| (manifest.object(), failure))
                });
                let answer = try_join_all(all).await.map(|_| ());
                Message::DryRun { trip, answer }
            }
            .boxed(),
        );
    }

    fn create(&mut self, item: Item) {
        let snapshot = item.trip().and_then(|trip| self.objects.get(&Item::Of(trip, Role::Snapshot)));
        let manifest = self.knowledge.manifest(item, snapshot);
        let server = self.server.clone();
        let sent = Instant::now();
        self.work.push(
            async move {
                let answer = match &manifest {
                    Some(manifest) => server.create(manifest, false).await,
                    None => Err(Failure {
                        status: 422,
                        reason: "Invalid".to_owned(),
                        message: "the object cannot be made from what is known".to_owned(),
                        retry_after: None,
                        unsent: true,
                    }),
                };
                Message::Created { item, sent, answer }
            }
            .boxed(),
        );
    }

    fn ask(&mut self, item: Item, later: bool) {
        let looks = self.looks.entry(item).or_default();
        let pause = if later {
            *looks = looks.saturating_add(1);
            Duration::from_millis(u64::from(*looks).saturating_mul(100).min(1_000))
        } else {
            Duration::ZERO
        };
        let Some(place) = self.place(item) else {
            // What was never named was never made.
            self.after(pause, Input::Asked { item, sight: Sight::Absent });
            return;
        };
        let server = self.server.clone();
        self.work.push(
            async move {
                tokio::time::sleep(pause).await;
                Message::Asked { item, answer: server.get(&place).await }
            }
            .boxed(),
        );
    }

    fn delete(&mut self, item: Item, uid: Uid) {
        let Some(place) = self.place(item) else {
            return;
        };
        self.looks.remove(&item);
        let server = self.server.clone();
        self.work.push(
            async move { Message::Deleted { item, answer: server.delete(&place, &uid.to_string()).await } }.boxed(),
        );
    }

    /// Where an object lies. What controllers make is named after what they made it for.
    fn place(&self, item: Item) -> Option<Place> {
        if let Item::Of(trip, role) = item
            && !role.namespaced()
        {
            let (object, _) = self.maker(trip, role)?;
            let uid = observe::text(object, "/metadata/uid")?;
            let named = match role {
                Role::Content => observe::text(object, "/status/boundVolumeSnapshotContentName"),
                _ => observe::text(object, "/spec/volumeName"),
            };
            let (resource, prefix) = match role {
                Role::Content => (content_resource(), "snapcontent"),
                _ => (volume_resource(), "pvc"),
            };
            let name = named.map_or_else(|| format!("{prefix}-{uid}"), str::to_owned);
            return Some(Place { resource, namespace: None, name });
        }
        let manifest = self.knowledge.manifest(item, None)?;
        Some(Place { resource: manifest.resource, namespace: manifest.namespace, name: manifest.name })
    }

    /// What a controller's object was made for.
    fn maker(&self, trip: usize, role: Role) -> Option<(&Value, Role)> {
        let maker = CREATED.into_iter().find(|maker| maker.derived() == Some(role))?;
        self.objects.get(&Item::Of(trip, maker)).map(|object| (object, maker))
    }

    /// Starts to follow the namespace's objects and events.
    fn watch(&mut self) {
        if self.watching {
            return;
        }
        self.watching = true;
        let mut kinds: Vec<ApiResource> = Vec::new();
        for role in [Role::Writer, Role::SourceClaim, Role::Snapshot] {
            if let Some(manifest) = self.knowledge.manifest(Item::Of(0, role), None) {
                kinds.push(manifest.resource);
            }
        }
        let labels = Some(format!("{}={},{RUN_LABEL}={}", MANAGED_BY.0, MANAGED_BY.1, self.knowledge.run()));
        kinds.push(resource("", "v1", "Event", "events"));
        for (kind, resource) in kinds.into_iter().enumerate() {
            let labels = labels.clone().filter(|_| kind != EVENTS);
            let what = Following { resource, namespace: self.knowledge.namespace().to_owned(), labels };
            let stream = follow(self.server.clone(), what).map(move |seen| Message::Followed { kind, seen });
            self.watches.push(stream.boxed());
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Input(input) => self.feed(input),
            Message::DryRun { trip, answer: Ok(()) } => self.feed(Input::Admitted { trip, allowed: true }),
            Message::DryRun { trip, answer: Err((object, failure)) } => {
                match trip {
                    Some(trip) => {
                        let diagnosis = self.knowledge.refused(trip, &failure, &object);
                        self.record.diagnose(trip, diagnosis);
                    }
                    None => {
                        self.failures.insert(Item::Namespace, (object, failure));
                    }
                }
                self.feed(Input::Admitted { trip, allowed: false });
            }
            Message::Created { item, sent, answer } => self.created(item, sent, answer),
            Message::Asked { item, answer } => self.asked(item, answer),
            Message::Missed { item, uid, answer } => match answer {
                Ok(Some(object)) if observe::uid(&object).as_ref() == Some(&uid) => {
                    self.changed(item, object);
                }
                Ok(_) => self.feed(Input::Seen { item, sight: Sight::Gone { uid } }),
                Err(_) => {}
            },
            Message::Deleted { item, answer } => {
                let answer = answer.unwrap_or_else(|failure| {
                    if let Some(place) = self.place(item) {
                        self.failures.insert(item, (place.object(), failure));
                    }
                    DeleteAnswer::Denied
                });
                self.feed(Input::Deleted { item, answer });
            }
            Message::Content { trip, answer } => {
                self.looking.remove(&trip);
                if let Ok(Some(content)) = answer {
                    let item = Item::Of(trip, Role::Content);
                    let sight = self.see(item, &content);
                    self.keep_object(item, &sight, content);
                    self.diagnose(trip);
                }
            }
            Message::Followed { kind, seen } => self.followed(kind, seen),
        }
    }

    /// Looks at the content of a snapshot that is to be ready or to go: it tells how far the driver's sidecar is.
    fn look_at_content(&mut self, trip: usize) {
        let item = Item::Of(trip, Role::Content);
        let Some(snapshot) = self.objects.get(&Item::Of(trip, Role::Snapshot)) else {
            return;
        };
        let bound = observe::text(snapshot, "/status/boundVolumeSnapshotContentName").is_some();
        let goes = observe::text(snapshot, "/metadata/deletionTimestamp").is_some()
            && !self.machine.ledger().state(Item::Of(trip, Role::Snapshot)).settled();
        let waits = self.machine.ending(trip).is_none() && self.machine.step(trip) == Some(StepId::Snapshot);
        if !(bound && (waits || goes)) {
            return;
        }
        if let Some(place) = self.place(item)
            && self.looking.insert(trip)
        {
            let server = self.server.clone();
            self.work.push(async move { Message::Content { trip, answer: server.get(&place).await } }.boxed());
        }
    }

    fn created(&mut self, item: Item, sent: Instant, answer: Result<Value, Failure>) {
        let answer = match answer {
            Ok(object) => {
                let uid = observe::uid(&object);
                // A watch may already have seen more of it.
                if self.objects.get(&item).and_then(observe::uid) != uid {
                    self.objects.insert(item, object);
                }
                uid.map_or(CreateAnswer::Unclear, CreateAnswer::Created)
            }
            Err(failure) => {
                let answer = if failure.unprocessed() && failure.status != 422 {
                    CreateAnswer::NotProcessed
                } else if failure.status == 409 && failure.reason == "AlreadyExists" {
                    CreateAnswer::AlreadyExists
                } else if failure.definite() {
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
            let passed = sent.elapsed();
            self.after(LATEST_LANDING.saturating_sub(passed), Input::CannotComeAnyMore { item });
        }
        self.feed(Input::Created { item, answer });
    }

    fn asked(&mut self, item: Item, answer: Result<Option<Value>, Failure>) {
        match answer {
            Ok(None) => self.feed(Input::Asked { item, sight: Sight::Absent }),
            Ok(Some(object)) => {
                let sight = self.see(item, &object);
                self.keep_object(item, &sight, object);
                self.feed(Input::Asked { item, sight });
            }
            Err(_) => self.feed(Input::Asked { item, sight: Sight::Unreadable }),
        }
    }

    fn followed(&mut self, kind: usize, seen: Followed) {
        let events = kind == EVENTS;
        match seen {
            Followed::Changed(object) if events => self.event(object),
            Followed::Listed(objects) if events => {
                for object in objects {
                    self.event(object);
                }
            }
            Followed::Gone(_) | Followed::Listing if events => {}
            Followed::Changed(object) => {
                if let Some(item) = self.which(&object) {
                    self.changed(item, object);
                }
            }
            Followed::Gone(object) => {
                if let (Some(item), Some(uid)) = (self.which(&object), observe::uid(&object)) {
                    // The last state of a pod tells whether it has overwritten the source.
                    self.changed(item, object);
                    self.feed(Input::Seen { item, sight: Sight::Gone { uid } });
                }
            }
            Followed::Listing => {
                let before = self.existing(kind);
                self.before_list.insert(kind, before);
            }
            Followed::Listed(objects) => {
                let mut missing = self.before_list.remove(&kind).unwrap_or_default();
                for object in objects {
                    let Some(item) = self.which(&object) else {
                        continue;
                    };
                    missing.retain(|(known, _)| *known != item);
                    self.changed(item, object);
                }
                for (item, uid) in missing {
                    let Some(place) = self.place(item) else {
                        continue;
                    };
                    let server = self.server.clone();
                    self.work
                        .push(async move { Message::Missed { item, uid, answer: server.get(&place).await } }.boxed());
                }
            }
            Followed::Forbidden => {}
        }
    }

    /// Objects of a kind that exist, with their UIDs.
    fn existing(&self, kind: usize) -> Vec<(Item, Uid)> {
        let roles: &[Role] = match kind {
            0 => &[Role::Writer, Role::Overwriter, Role::Reader],
            1 => &[Role::SourceClaim, Role::RestoredClaim],
            _ => &[Role::Snapshot],
        };
        self.machine
            .ledger()
            .iter()
            .filter(|(item, entry)| {
                matches!(item, Item::Of(_, role) if roles.contains(role))
                    && matches!(entry.state, State::Exists | State::Deleting)
            })
            .filter_map(|(item, entry)| entry.uid.clone().map(|uid| (item, uid)))
            .collect()
    }

    /// Which of the plan's objects this is, by its kind and name.
    fn which(&self, object: &Value) -> Option<Item> {
        let kind = observe::text(object, "/kind")?;
        let name = observe::text(object, "/metadata/name")?;
        self.names.get(&(kind.to_owned(), name.to_owned())).copied()
    }

    fn changed(&mut self, item: Item, object: Value) {
        let sight = self.see(item, &object);
        self.keep_object(item, &sight, object);
        self.feed(Input::Seen { item, sight });
        if let Some(trip) = item.trip() {
            self.diagnose(trip);
        }
    }

    fn keep_object(&mut self, item: Item, sight: &Sight, object: Value) {
        if matches!(sight, Sight::Ours { .. }) {
            self.objects.insert(item, object);
        }
    }

    fn see(&mut self, item: Item, object: &Value) -> Sight {
        let progress = match item {
            Item::Namespace => Progress::Nothing,
            Item::Of(trip, role) => self.judged(trip, role, object),
        };
        let maker = match item {
            Item::Of(trip, role) if !role.namespaced() => {
                self.maker(trip, role).and_then(|(maker, _)| observe::text(maker, "/metadata/uid"))
            }
            Item::Of(..) | Item::Namespace => None,
        };
        observe::sight(item, object, self.knowledge.run(), maker, progress)
    }

    /// How far an object has come; what writer and reader said is judged.
    fn judged(&mut self, trip: usize, role: Role, object: &Value) -> Progress {
        let seen = observe::progress(role, object);
        let before = self.machine.ledger().progress(Item::Of(trip, role));
        let running = self.machine.ending(trip).is_none();
        match role {
            Role::Writer if before < Progress::Written && running => {
                let Some((code, message)) = said(object, "initContainerStatuses") else {
                    return seen;
                };
                match self.knowledge.written(trip, message) {
                    Ok(()) if code != 0 => seen,
                    Ok(()) => seen.max(Progress::Written),
                    Err(diagnosis) => self.certain(trip, *diagnosis, Progress::Started),
                }
            }
            Role::Reader if before < Progress::Done && running => {
                let Some((code, message)) = said(object, "containerStatuses") else {
                    return seen;
                };
                match self.knowledge.read(trip, message) {
                    Ok(Judgement { data, message, diagnosis }) => {
                        self.record.data(trip, data, message);
                        match (data, diagnosis) {
                            (DataVerdict::Intact, None) if code == 0 => Progress::Done,
                            (_, Some(diagnosis)) => self.certain(trip, *diagnosis, Progress::Started),
                            // Not intact, and nothing to say about it: still no pass.
                            (_, None) => {
                                self.work.push(futures::future::ready(Message::Input(Input::Certain { trip })).boxed());
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

    /// Takes a diagnosis; the machine hears of it after what is being looked at.
    fn certain(&mut self, trip: usize, diagnosis: CheckResult, progress: Progress) -> Progress {
        self.record.diagnose(trip, diagnosis);
        self.work.push(futures::future::ready(Message::Input(Input::Certain { trip })).boxed());
        progress
    }

    fn event(&mut self, event: Value) {
        let uid = observe::text(&event, "/metadata/uid").map(str::to_owned);
        self.events.retain(|known| uid.is_none() || observe::text(known, "/metadata/uid") != uid.as_deref());
        let about = (observe::text(&event, "/involvedObject/kind"), observe::text(&event, "/involvedObject/name"));
        let item = match about {
            (Some(kind), Some(name)) => self.names.get(&(kind.to_owned(), name.to_owned())).copied(),
            _ => None,
        };
        let Some(trip) = item.and_then(Item::trip) else {
            return;
        };
        self.events.push(event);
        self.diagnose(trip);
    }

    fn observed(&self, trip: usize, step: StepId) -> Observed<'_> {
        let own = |item: &Item| match item {
            Item::Of(other, role) if *other == trip => Some(*role),
            Item::Of(..) | Item::Namespace => None,
        };
        Observed {
            trip,
            step,
            elapsed: self.record.elapsed(trip),
            objects: self.objects.iter().filter_map(|(item, object)| own(item).map(|role| (role, object))).collect(),
            events: self
                .events
                .iter()
                .filter(|event| {
                    let kind = observe::text(event, "/involvedObject/kind").unwrap_or_default();
                    let name = observe::text(event, "/involvedObject/name").unwrap_or_default();
                    self.names.get(&(kind.to_owned(), name.to_owned())).is_some_and(|item| own(item).is_some())
                })
                .collect(),
        }
    }

    fn diagnose_all(&mut self) {
        for trip in 0..self.knowledge.trips().len() {
            self.look_at_content(trip);
            self.diagnose(trip);
        }
    }

    fn diagnose(&mut self, trip: usize) {
        if self.machine.ending(trip).is_some() {
            return;
        }
        let Some(step) = self.machine.step(trip).filter(|step| *step != StepId::Admission) else {
            return;
        };
        match self.knowledge.diagnose(&self.observed(trip, step)) {
            Diagnosis::Waiting { waiting_for, last_seen } => self.record.waiting(trip, step, waiting_for, last_seen),
            Diagnosis::Certain(diagnosis) => {
                self.record.diagnose(trip, *diagnosis);
                self.feed(Input::Certain { trip });
            }
        }
    }

    fn verdict(&mut self, trip: usize, ending: Ending) {
        let name = |item: Item| self.place(item).map(|place| place.object());
        let diagnosis = match ending {
            Ending::Passed | Ending::Interrupted | Ending::Certain | Ending::NotAdmitted => None,
            Ending::TimedOut => {
                let step = self.record.step(trip).unwrap_or(StepId::Admission);
                Some(self.knowledge.timed_out(&self.observed(trip, step)))
            }
            Ending::Refused(item) | Ending::Unmade(item) => {
                self.failures.get(&item).map(|(object, failure)| self.knowledge.refused(trip, failure, object))
            }
            Ending::Vanished(item) => name(item).map(|object| self.knowledge.vanished(trip, &object)),
        };
        if let Some(diagnosis) = diagnosis {
            self.record.diagnose(trip, diagnosis);
        }
        self.record.verdict(trip, ending);
    }

    /// Says which objects were seen to be gone since the last time.
    fn note_removed(&mut self) {
        let gone = self.machine.ledger().items(None, |state| state == State::Gone);
        for item in gone {
            let existed = self.machine.ledger().get(item).is_some_and(|entry| entry.uid.is_some());
            if existed
                && self.removed.insert(item)
                && let Some(place) = self.place(item)
            {
                self.record.tell(Happening::ObjectRemoved { object: place.object() });
            }
        }
    }

    fn outcome(self) -> Outcome {
        let ledger = self.machine.ledger();
        // What a controller may have made counts only if something showed that it did.
        let real = |item: Item| match item {
            Item::Of(trip, role) if !role.namespaced() => {
                self.objects.contains_key(&item)
                    || self.maker(trip, role).is_some_and(|(maker, _)| {
                        observe::text(maker, "/spec/volumeName").is_some()
                            || observe::text(maker, "/status/boundVolumeSnapshotContentName").is_some()
                    })
            }
            Item::Of(..) | Item::Namespace => true,
        };
        let named = |items: Vec<Item>| -> Vec<ObjectName> {
            items
                .into_iter()
                .filter(|item| real(*item))
                .filter_map(|item| self.place(item).map(|place| place.object()))
                .collect()
        };
        let leftovers = named(ledger.leftovers().into_iter().map(|(item, _)| item).collect());
        let kept = named(ledger.items(None, |state| state == State::Kept));
        let round_trips = (0..self.knowledge.trips().len())
            .filter_map(|trip| {
                let objects = ledger
                    .iter()
                    .filter(|(item, entry)| {
                        item.trip() == Some(trip)
                            && !matches!(entry.state, State::Planned | State::Foreign)
                            && real(*item)
                    })
                    .filter_map(|(item, entry)| self.place(item).map(|place| (place.object(), entry)))
                    .map(|(object, entry)| record::object(object, entry))
                    .collect();
                self.record.round_trip(trip, self.knowledge, self.machine.ending(trip), objects)
            })
            .collect();
        Outcome { round_trips, leftovers, kept }
    }
}

/// The place of events among what is followed: after pods, claims and snapshots.
const EVENTS: usize = 3;

/// What a round trip creates, in the order in which it does.
const CREATED: [Role; 6] =
    [Role::SourceClaim, Role::Writer, Role::Snapshot, Role::Overwriter, Role::RestoredClaim, Role::Reader];

pub(crate) fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") },
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

pub(crate) fn content_resource() -> ApiResource {
    resource("snapshot.storage.k8s.io", "v1", "VolumeSnapshotContent", "volumesnapshotcontents")
}

pub(crate) fn volume_resource() -> ApiResource {
    resource("", "v1", "PersistentVolume", "persistentvolumes")
}
