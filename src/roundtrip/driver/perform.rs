//! Performs what the machine commands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use snapready_checks::model::object::Kind;

use super::admission;
use super::take::Message;
use super::{Driver, Failure, Knowledge, STEP_TIMEOUT};
use crate::api::{ObjectWatch, Place, watch_namespace};
use crate::model::{Happening, ObjectName, PodUser, StepId};
use crate::roundtrip::kinds::{MANAGED_BY, RUN_LABEL};
use crate::roundtrip::ledger::{Item, State, Uid};
use crate::roundtrip::machine::{Command, DeleteAnswer, Input, Sight};
use crate::roundtrip::members::{Among, find_all};
use crate::roundtrip::modes::Seen;
use crate::roundtrip::objects::Manifest;
use crate::roundtrip::program::{Act, By, Object};
use crate::roundtrip::retained::{free, let_go};

/// So long a volume may take to go with its claim: it has to be detached before, and a driver may refuse to delete it while it
/// has snapshots.
const TIME_TO_GO: Duration = Duration::from_secs(60);

impl<K: Knowledge> Driver<'_, K> {
    pub(super) fn perform(&mut self, command: Command) {
        match command {
            Command::DryRun { trip } => self.dry_run(trip),
            Command::Create { item } => self.create(item),
            Command::RetryLater { item } => {
                let look = self.looks.entry(item).or_default();
                *look = look.saturating_add(1);
                let pause = Duration::from_millis(u64::from(*look).saturating_mul(250).min(3_000));
                self.after(self.retrying(item).map_or(pause, |asked| asked.max(pause)), Input::Retry { item });
            }
            Command::Ask { item, later } => self.ask(item, later),
            Command::TakeOver { item, uid } => self.take_over(item, &uid),
            Command::GiveTime { item } => self.after(TIME_TO_GO, Input::HadItsTime { item }),
            Command::Delete { item, uid } => self.delete(item, uid),
            Command::Begin { trip, step } => self.begin(trip, step),
            Command::End { trip, step: StepId::Cleanup, .. } => {
                let (status, message) = self.cleaned(trip);
                self.record.end(trip, StepId::Cleanup, status, message);
            }
            Command::End { trip, step, passed: true } => {
                let lingering = self.lingering(trip, step);
                let noticed = self.knowledge.noticed(&self.observed(trip, step));
                self.record.passed(trip, step, &lingering, noticed);
            }
            Command::End { trip, step, passed: false } => self.record.failed(trip, step, self.machine.ending(trip)),
            Command::Verdict { trip, ending } => self.verdict(trip, ending),
            Command::RemoveShared => self.begin_budget(None),
            Command::Finished => {}
        }
    }

    /// What a step waited for to go, and has not seen go.
    fn lingering(&self, trip: usize, step: StepId) -> Vec<ObjectName> {
        let program = self.knowledge.program(trip);
        let awaited = program.acts().iter().filter_map(|(of, act)| match act {
            Act::AwaitGone(object) if *of == step => Some(program.item(trip, *object)),
            _ => None,
        });
        let left = awaited.filter(|item| self.machine.ledger().state(*item) != State::Gone);
        left.filter_map(|item| self.place(item).map(|place| place.object())).collect()
    }

    /// Says that a create is sent again, and why; how long the server asks to wait.
    fn retrying(&self, item: Item) -> Option<Duration> {
        let (object, failure) = self.failures.get(&item)?;
        let request = format!("create {} {}", object.kind, object.name);
        self.record.tell(Happening::Retrying { request, reason: failure.to_string() });
        failure.retry_after
    }

    pub(super) fn begin(&mut self, trip: usize, step: StepId) {
        self.record.begin(trip, step);
        if step == StepId::Cleanup {
            self.begin_budget(Some(trip));
            return;
        }
        let timeout = self.options.step_timeouts.get(&step).copied().unwrap_or(STEP_TIMEOUT);
        if !timeout.is_zero() {
            self.after(timeout, Input::TimedOut { trip, step });
        }
    }

    pub(super) fn dry_run(&mut self, trip: Option<usize>) {
        if let Some(index) = trip
            && let Some(diagnosis) = self.knowledge.foreseen(index)
        {
            self.record.diagnose(index, diagnosis);
            self.next(Input::Admitted { trip, user: None });
            return;
        }
        let program = self.knowledge.program(trip.unwrap_or_default());
        let created: Vec<Item> = match trip {
            None => program.created_shared().map(Item::Shared).collect(),
            Some(trip) => {
                self.watch();
                let items = program.created().iter().map(|id| program.item(trip, *id));
                items.filter(|item| item.trip().is_some()).collect()
            }
        };
        let manifest = |item: &Item, user| self.knowledge.manifest(*item, user, &Seen::default());
        let manifests = |user| created.iter().filter_map(|item| manifest(item, user)).collect();
        let tries: Vec<(PodUser, Vec<Manifest>)> =
            self.knowledge.pod_users(trip).iter().map(|user| (*user, manifests(*user))).collect();
        let server = self.server.clone();
        self.work
            .push(async move { Message::DryRun { trip, admission: admission::ask(&server, tries).await } }.boxed());
    }

    /// All that is known of a round trip's objects.
    pub(super) fn seen_of(&self, trip: Option<usize>) -> Seen<'_> {
        let of_trip = |(other, object)| {
            let other: &Item = other;
            (other.trip().is_none() || other.trip() == trip).then_some((other.object(), object))
        };
        self.objects.iter().filter_map(of_trip).collect()
    }

    pub(super) fn create(&mut self, item: Item) {
        // Nothing is created before its dry run, but for a namespace that the dry run takes: that of what all round trips have
        // in common is over.
        let user = self.machine.pod_user(item.trip()).or_else(|| self.machine.pod_user(None));
        let user = user.unwrap_or(PodUser::NonRoot);
        let manifest = self.knowledge.manifest(item, user, &self.seen_of(item.trip()));
        let server = self.server.clone();
        self.may_land(item);
        self.work.push(
            async move {
                let answer = match &manifest {
                    Some(manifest) => server.create(&manifest.place(), &manifest.body).await,
                    None => Err(Failure::invalid("the object cannot be made from what is known")),
                };
                Message::Created { item, answer }
            }
            .boxed(),
        );
    }

    pub(super) fn ask(&mut self, item: Item, later: bool) {
        let looks = self.looks.entry(item).or_default();
        let pause = if later {
            *looks = looks.saturating_add(1);
            Duration::from_millis(u64::from(*looks).saturating_mul(100).min(1_000))
        } else {
            Duration::ZERO
        };
        let Some(place) = self.place(item) else {
            match self.among(item) {
                Some(among) => self.look_among(item, among, pause),
                // What was never named was never made.
                None => self.after(pause, Input::Asked { item, sight: Sight::Absent }),
            }
            return;
        };
        // What is not there gives no sign either, so a watch would tell nothing of a create that comes to nothing.
        let exists = matches!(self.machine.ledger().state(item), State::Exists | State::Deleting);
        let followed = self.watching && item.trip().is_some() && place.namespace.is_some() && self.is_own(item);
        if later && exists && !followed {
            let server = self.server.clone();
            let mut lookout = self.lookout(item, place);
            self.work.push(
                async move {
                    let answer = lookout.next(&server, pause).await;
                    Message::Asked { item, answer, lookout: Some(lookout) }
                }
                .boxed(),
            );
            return;
        }
        self.look(item, place, pause);
    }

    /// Looks for an object after a pause.
    pub(super) fn look(&mut self, item: Item, place: Place, pause: Duration) {
        let server = self.server.clone();
        self.work.push(
            async move {
                tokio::time::sleep(pause).await;
                Message::Asked { item, answer: server.get(&place).await, lookout: None }
            }
            .boxed(),
        );
    }

    /// Looks for the member of a group after a pause.
    pub(super) fn look_among(&mut self, item: Item, among: Among, pause: Duration) {
        let server = self.server.clone();
        self.work.push(
            async move {
                tokio::time::sleep(pause).await;
                Message::Asked { item, answer: among.find(&server).await, lookout: None }
            }
            .boxed(),
        );
    }

    /// What follows an object that lies there, and no watch of a namespace shows.
    pub(super) fn lookout(&mut self, item: Item, place: Place) -> ObjectWatch {
        let known = self.lookouts.remove(&item).filter(|lookout| *lookout.place() == place);
        known.unwrap_or_else(|| ObjectWatch::new(place))
    }

    pub(super) fn delete(&mut self, item: Item, uid: Uid) {
        let Some(place) = self.place(item) else {
            return;
        };
        self.looks.remove(&item);
        let unseen = self.unseen_members(item);
        let server = self.server.clone();
        let run = self.knowledge.run().to_owned();
        let retained = |what: &Object| match (what.by, item.trip()) {
            (By::Controller { policy, .. }, Some(trip)) => self.knowledge.retains(trip, policy),
            _ => false,
        };
        let made = self.machine.made_for(item).into_iter().filter(|(_, what)| retained(what));
        let made: Vec<_> = made.filter_map(|(of, what)| Some((self.objects.get(&of)?.clone(), what))).collect();
        self.work.push(
            async move {
                let members = find_all(&server, unseen).await;
                let_go(&server, &run, &made).await;
                let answer = server.delete(&place, &uid.to_string()).await.map(DeleteAnswer::from);
                Message::Deleted { item, answer, members }
            }
            .boxed(),
        );
    }

    /// Takes over what a controller made.
    fn take_over(&mut self, item: Item, uid: &Uid) {
        let change = self.knowledge.manifest(item, PodUser::NonRoot, &self.seen_of(item.trip()));
        let (Some(place), Some(change)) = (self.place(item), change) else { return };
        let pause = self.pause(item);
        let server = self.server.clone();
        // The UID is a precondition: another object of this name answers with a conflict.
        let mut change = json!({ "metadata": change.body.get("metadata"), "spec": change.body.get("spec") });
        if let Some(Value::Object(metadata)) = change.get_mut("metadata") {
            metadata.insert("uid".to_owned(), json!(uid.to_string()));
            metadata.remove("name");
        }
        self.work.push(
            async move {
                tokio::time::sleep(pause).await;
                let refused = server.merge(&place, &change).await.err();
                Message::TakenOver { item, refused, answer: server.get(&place).await }
            }
            .boxed(),
        );
    }

    /// How long to wait before an object is asked for once more; at first not at all.
    fn pause(&mut self, item: Item) -> Duration {
        let looks = self.looks.entry(item).or_default();
        let pause = Duration::from_millis(u64::from(*looks).saturating_mul(100).min(1_000));
        *looks = looks.saturating_add(1);
        pause
    }

    /// Removes what is retained although what it was made for has gone.
    pub(super) fn free(&mut self, item: Item, uid: Uid) {
        let (Some(place), Some(what)) = (self.place(item), self.object(item).cloned()) else { return };
        let server = self.server.clone();
        self.work
            .push(async move { Message::Freed { item, answer: free(&server, &place, &what, &uid).await } }.boxed());
    }

    /// Starts to follow the namespace's objects and events.
    pub(super) fn watch(&mut self) {
        if self.watching {
            return;
        }
        self.watching = true;
        let labels = Some(format!("{}={},{RUN_LABEL}={}", MANAGED_BY.0, MANAGED_BY.1, self.knowledge.run()));
        for (namespace, kinds) in self.watched() {
            for kind in kinds {
                let objects = watch_namespace(self.server.clone(), kind, &namespace, labels.clone());
                let name = kind.name.to_owned();
                self.watches.push(objects.map(move |seen| Message::Followed { kind: name.clone(), seen }).boxed());
            }
            let events = watch_namespace(self.server.clone(), Kind::EVENT, &namespace, None);
            self.watches.push(events.map(Message::Events).boxed());
        }
    }

    /// The namespaces that the run's objects lie in, and their kinds.
    fn watched(&self) -> BTreeMap<String, BTreeSet<Kind>> {
        let mut watched: BTreeMap<String, BTreeSet<Kind>> = BTreeMap::new();
        for object in self.names.keys() {
            let kind = Kind::ALL.iter().find(|kind| kind.name == object.kind);
            if let (Some(namespace), Some(kind)) = (&object.namespace, kind) {
                watched.entry(namespace.clone()).or_default().insert(*kind);
            }
        }
        watched
    }
}
