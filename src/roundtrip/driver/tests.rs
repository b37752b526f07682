//! The driver on its own clock, with an API server that is a function: for what takes minutes on a real one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};
use snapready_checks::diagnosis::Diagnosis;
use snapready_checks::model::check::{Group, Severity};
use snapready_checks::model::finding::Status;
use snapready_checks::model::object::Kind;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Failure, Knowledge, Manifest, Observed, Options, Outcome, ReadResult, Signals, Trip, run};
use crate::api::Client;
use crate::model::{CheckResult, DataVerdict, ObjectName, PodUser, StepId, Target, VolumeMode};
use crate::roundtrip::kinds::{MANAGED_BY, RUN_LABEL};
use crate::roundtrip::known_facts::Look;
use crate::roundtrip::ledger::Item;
use crate::roundtrip::modes::{Seen, Shape, plain};
use crate::roundtrip::program::{ObjectId, Policy, Program};

/// What has to be known of a run that does not come further than its namespace.
struct Plain {
    own_namespace: bool,
    foreseen: Option<CheckResult>,
    run: String,
    namespace: String,
    trips: Vec<Trip>,
}

impl Plain {
    fn new(run: &str, trips: usize) -> Self {
        let trip = |index| Trip {
            target: Target {
                index,
                storage_class: "snap-wffc".to_owned(),
                snapshot_class: Some("snapclass".to_owned()),
                volume_mode: VolumeMode::Filesystem,
                mode: "plain".to_owned(),
                size_bytes: None,
            },
            driver: None,
            source: None,
            caveat: None,
            passed: |_| None,
        };
        let (own_namespace, foreseen) = (true, None);
        Self {
            own_namespace,
            foreseen,
            run: run.to_owned(),
            namespace: format!("snapready-{run}"),
            trips: (0..trips).map(trip).collect(),
        }
    }

    fn result(message: impl Into<String>) -> CheckResult {
        CheckResult {
            id: "SR300".to_owned(),
            slug: "test".to_owned(),
            group: Group::Roundtrip,
            title: "it works".to_owned(),
            target: None,
            status: Status::Fail,
            severity: Severity::Error,
            message: message.into(),
            evidence: Vec::new(),
            cause: None,
            fix: None,
            follows_from: None,
            may_follow_from: Vec::new(),
        }
    }
}

impl Knowledge for Plain {
    fn run(&self) -> &str {
        &self.run
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn program(&self, _trip: usize) -> Program {
        plain::program(Shape { own_namespace: self.own_namespace, immediate: false })
    }

    fn trips(&self) -> &[Trip] {
        &self.trips
    }

    fn foreseen(&self, _trip: usize) -> Option<CheckResult> {
        self.foreseen.clone()
    }

    fn manifest(&self, item: Item, _user: PodUser, _seen: &Seen<'_>) -> Option<Manifest> {
        (item == Item::Shared(plain::SPACE)).then(|| Manifest {
            kind: Kind::NAMESPACE,
            namespace: None,
            name: self.namespace.clone(),
            body: json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace,
                "labels": {(MANAGED_BY.0): MANAGED_BY.1, (RUN_LABEL): self.run}}}),
        })
    }

    fn pod_users(&self, _trip: Option<usize>) -> &'static [PodUser] {
        PodUser::tried(VolumeMode::Filesystem)
    }

    fn admitted(&self, _trip: Option<usize>, _user: PodUser, _refused: &[(ObjectName, Failure)]) -> Option<String> {
        None
    }

    fn retains(&self, _: usize, _: Policy) -> bool {
        false
    }

    fn written(&self, _trip: usize, _pod: ObjectId, message: &str) -> Result<(), Box<CheckResult>> {
        Err(Box::new(Self::result(message)))
    }

    fn read(
        &self,
        _trip: usize,
        _pod: ObjectId,
        message: &str,
        _seen: &Seen<'_>,
    ) -> Result<ReadResult, Box<CheckResult>> {
        Ok(ReadResult { data: DataVerdict::Corrupted, contents: None, message: message.to_owned(), diagnosis: None })
    }

    fn capacity(&self, _trip: usize, _seen: &Seen<'_>) -> Option<u64> {
        None
    }

    fn look_again(&self) -> Option<BoxFuture<'static, Look>> {
        None
    }

    fn learn(&self, _: Look) {}

    fn diagnose(&self, observed: &Observed<'_>) -> Diagnosis<CheckResult> {
        Diagnosis::Waiting {
            waiting_for: observed.step.title().to_owned(),
            last_seen: format!("{} objects, {} events", observed.objects.len(), observed.events.len()),
        }
    }

    fn noticed(&self, _observed: &Observed<'_>) -> Option<String> {
        None
    }

    fn timed_out(&self, observed: &Observed<'_>) -> CheckResult {
        Self::result(format!("{} timed out", observed.step.title()))
    }

    fn refused(&self, _trip: usize, failure: &Failure, object: &ObjectName) -> CheckResult {
        Self::result(format!("{} {}: {} {}", object.kind, object.name, failure.status, failure.message))
    }

    fn vanished(&self, _trip: usize, _step: StepId, object: &ObjectName) -> CheckResult {
        Self::result(format!("{} {} vanished", object.kind, object.name))
    }

    fn stayed(&self, _trip: usize, object: ObjectName, _seen: &Value) -> CheckResult {
        Self::result(format!("{} {} has stayed", object.kind, object.name))
    }

    fn stuck(&self, object: ObjectName, _seen: &Value) -> String {
        format!("{} {} is stuck", object.kind, object.name)
    }
}

/// An API server that answers no create of a namespace, and knows nothing else.
#[derive(Clone, Copy)]
struct Api {
    /// So long it is silent before it answers with 504.
    silent: Duration,
    /// So long after it was sent, the create with this number takes effect; counted from 1.
    lands: Option<(usize, Duration)>,
}

#[derive(Default)]
struct World {
    sent: Vec<Instant>,
    deleted: bool,
}

impl Api {
    fn exists(self, world: &World) -> bool {
        let landed = self.lands.and_then(|(number, after)| Some(*world.sent.get(number - 1)? + after));
        landed.is_some_and(|landed| landed <= Instant::now()) && !world.deleted
    }

    async fn answer(self, world: Arc<Mutex<World>>, request: Request<Body>) -> Response<Body> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let mut after = Duration::ZERO;
        let (code, body) = {
            let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
            let exists = self.exists(&world);
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "uid": "1",
                "labels": {(MANAGED_BY.0): MANAGED_BY.1, (RUN_LABEL): "abcdef"}}});
            match *request.method() {
                Method::POST if query.contains("dryRun") => (201, object),
                Method::POST if exists => (409, json!({"reason": "AlreadyExists", "message": "it is there"})),
                Method::POST => {
                    world.sent.push(Instant::now());
                    after = self.silent;
                    (504, json!({"reason": "Timeout", "message": "no answer"}))
                }
                _ if query.contains("watch") => (403, json!({"reason": "Forbidden", "message": "no watch"})),
                Method::DELETE if exists => {
                    world.deleted = true;
                    (200, object)
                }
                Method::GET if exists => (200, object),
                _ => (404, json!({"reason": "NotFound", "message": "not found"})),
            }
        };
        tokio::time::sleep(after).await;
        let mut response = Response::new(Body::from(body.to_string().into_bytes()));
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        response
    }
}

/// A run against it: what came of it, whether the namespace is there in the end or comes later, and how long it was from
/// the last create to the end.
async fn run_against(api: Api, options: Options) -> (Outcome, bool, Duration) {
    let world = Arc::new(Mutex::new(World::default()));
    let shared = Arc::clone(&world);
    let service = tower::service_fn(move |request| {
        let world = Arc::clone(&shared);
        async move { Ok::<_, std::convert::Infallible>(api.answer(world, request).await) }
    });
    let (_signals, signal) = watch::channel(Signals::default());
    let (events, _told) = mpsc::unbounded_channel();
    let client = Client::new(kube::Client::new(service, "n"), None);
    let outcome = run(&client, &Plain::new("abcdef", 1), &options, signal, events).await;
    let took = world.lock().unwrap().sent.last().unwrap().elapsed();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let exists = api.exists(&world.lock().unwrap());
    (outcome, exists, took)
}

const AT_ONCE: Duration = Duration::ZERO;
/// As long as one request may take.
const TOO_LONG: Duration = Duration::from_secs(31);

#[tokio::test(start_paused = true)]
async fn a_namespace_that_never_came_is_waited_for_until_it_cannot_come() {
    for silent in [AT_ONCE, TOO_LONG] {
        let (outcome, _, took) = run_against(Api { silent, lands: None }, Options::default()).await;
        assert_eq!(outcome.leftovers, []);
        // A look that is under way when the time is over says nothing; the next one does.
        assert!((65..=67).contains(&took.as_secs()), "{silent:?} {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_comes_at_the_last_moment_is_removed() {
    for silent in [AT_ONCE, TOO_LONG] {
        // Three creates are sent.
        for number in 1..=3 {
            let lands = Some((number, Duration::from_millis(64_900)));
            let (outcome, exists, _) = run_against(Api { silent, lands }, Options::default()).await;
            assert_eq!(outcome.leftovers, [], "{silent:?} {number}");
            assert!(!exists, "create {number} after {silent:?} has left the namespace");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_asked_for_is_kept_and_what_may_come_is_listed() {
    let options = Options { cleanup_timeout: Some(Duration::from_secs(10)), ..Options::default() };
    let (outcome, _, took) = run_against(Api { silent: AT_ONCE, lands: None }, options).await;
    let namespace = ObjectName { kind: "Namespace".to_owned(), namespace: None, name: "snapready-abcdef".to_owned() };
    assert_eq!(outcome.leftovers, [namespace.into()]);
    assert!(took.as_secs() < 12, "{took:?}");
}

/// What the driver cannot do is no failure, and no pass.
#[tokio::test(start_paused = true)]
async fn a_round_trip_that_is_skipped_creates_nothing_and_says_why() {
    let service = tower::service_fn(|request: Request<Body>| async move {
        assert_eq!(request.method(), Method::GET, "{}", request.uri());
        let mut response = Response::new(Body::from(b"{}".to_vec()));
        *response.status_mut() = StatusCode::FORBIDDEN;
        Ok::<_, std::convert::Infallible>(response)
    });
    let (_signals, signal) = watch::channel(Signals::default());
    let (events, _told) = mpsc::unbounded_channel();
    let client = Client::new(kube::Client::new(service, "n"), None);
    let skip = CheckResult { status: Status::Skip, ..Plain::result("it cannot clone") };
    let knowledge = Plain { own_namespace: false, foreseen: Some(skip), ..Plain::new("abcdef", 1) };
    let outcome = run(&client, &knowledge, &Options::default(), signal, events).await;
    assert_eq!(outcome.leftovers, []);
    let [trip] = outcome.round_trips.as_slice() else { panic!("{outcome:#?}") };
    assert_eq!(trip.status, Status::Skip, "{trip:#?}");
    assert!(trip.objects.is_empty(), "{trip:#?}");
    assert!(trip.steps.iter().all(|step| step.status == Status::Skip), "{trip:#?}");
    assert_eq!(trip.steps[0].message, "it cannot clone");
}
