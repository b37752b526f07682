//! Everything that the parts of a running cluster share.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clock;
use super::data_plane::DataPlane;
use super::faults::Faults;
use super::lock::lock;
use super::object::Object;
use super::requests::Request;
use super::resources::EVENTS;
use super::scenario::{Component, Scenario};
use super::store::{Key, Store};
#[cfg(feature = "hooks")]
use super::tamper::Tamper;

/// Everything that the parts of a running cluster share.
#[derive(Debug)]
pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) store: Store,
    pub(super) data: DataPlane,
    pub(super) faults: Faults,
    #[cfg(feature = "hooks")]
    pub(super) tamper: Tamper,
    /// Every request, in order of arrival.
    pub(super) requests: Mutex<Vec<Request>>,
    /// How many requests that are to change something were answered.
    #[cfg(feature = "hooks")]
    pub(super) changes: watch::Sender<usize>,
    /// Changes when all watches are to break.
    pub(super) watches: watch::Sender<u64>,
    /// Process groups of containers that run.
    pub(super) processes: Mutex<BTreeSet<i32>>,
    tasks: Mutex<JoinSet<()>>,
    busy: Mutex<BTreeSet<String>>,
    failures: Mutex<BTreeMap<String, u32>>,
}

/// What a component says of an object.
pub(super) struct Event<'a> {
    pub(super) about: &'a Value,
    /// The part of the object that it is about; empty for the whole.
    pub(super) field: &'a str,
    pub(super) component: &'a str,
    /// `Normal` or `Warning`.
    pub(super) kind: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

impl World {
    pub(super) fn new(scenario: &Scenario, data: DataPlane) -> Arc<Self> {
        Arc::new(Self {
            scenario: *scenario,
            store: Store::new(),
            data,
            faults: Faults::new(scenario.api),
            #[cfg(feature = "hooks")]
            tamper: Tamper::default(),
            requests: Mutex::default(),
            #[cfg(feature = "hooks")]
            changes: watch::Sender::new(0),
            watches: watch::Sender::new(0),
            processes: Mutex::default(),
            tasks: Mutex::default(),
            busy: Mutex::default(),
            failures: Mutex::default(),
        })
    }

    /// What a component says instead of doing its work.
    pub(super) fn refusal(&self, component: Component) -> Option<&'static str> {
        self.scenario.refusals.iter().find(|(who, _)| *who == component).map(|(_, text)| *text)
    }

    /// An answer, or a line of a watch, as it leaves for the client.
    #[cfg_attr(not(feature = "hooks"), expect(clippy::unused_self, reason = "only tests change answers"))]
    pub(super) fn sent(&self, answer: Value) -> Value {
        #[cfg(feature = "hooks")]
        let answer = self.tamper.apply(answer);
        answer
    }

    /// Runs something that ends with the cluster.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Runs something unless the same is already under way, and makes the controllers look again after it.
    pub(super) fn once(self: &Arc<Self>, what: String, task: impl Future<Output = ()> + Send + 'static) {
        if lock(&self.busy).insert(what.clone()) {
            let world = Arc::clone(self);
            self.spawn(async move {
                task.await;
                lock(&world.busy).remove(&what);
                world.store.poke();
            });
        }
    }

    /// Whether something is under way.
    pub(super) fn is_under_way(&self, what: &str) -> bool {
        lock(&self.busy).contains(what)
    }

    /// Waits as long as a controller does after another failure of the same thing.
    pub(super) async fn back_off(&self, what: &str) {
        let failures = {
            let mut all = lock(&self.failures);
            let count = all.entry(what.to_owned()).or_default();
            *count += 1;
            *count
        };
        tokio::time::sleep(clock::backoff(failures)).await;
    }

    /// The tasks that are under way, taken out of the world: who drops them ends them.
    pub(super) fn take_tasks(&self) -> JoinSet<()> {
        std::mem::take(&mut *lock(&self.tasks))
    }

    /// Records an event about an object; the same again raises its count.
    pub(super) fn event(&self, about: &Value, component: &str, kind: &str, reason: &str, message: &str) {
        self.record(&Event { about, field: "", component, kind, reason, message }, true);
    }

    /// Records an event about an object unless it is there already.
    pub(super) fn event_once(&self, about: &Value, component: &str, kind: &str, reason: &str, message: &str) {
        self.record(&Event { about, field: "", component, kind, reason, message }, false);
    }

    /// Records an event; the same again raises its count, if it counts.
    pub(super) fn record(&self, event: &Event<'_>, again: bool) {
        let Event { about, field, component, kind, reason, message } = *event;
        let namespace = if about.namespace().is_empty() { "default" } else { about.namespace() };
        let same = |event: &Value| {
            event.text("/involvedObject/uid") == about.uid()
                && event.text("/reason") == reason
                && event.text("/message") == message
                && event.text("/source/component") == component
                && event.text("/involvedObject/fieldPath") == field
        };
        let now = clock::now();
        if let Some(event) = self.store.all(&EVENTS).into_iter().find(|event| same(event)) {
            if again {
                self.store.change(&Key::of(&EVENTS, &event), |event| {
                    let count = event.get("count").and_then(Value::as_u64).unwrap_or(1);
                    event.set(&["count"], json!(count + 1));
                    event.set(&["lastTimestamp"], json!(now));
                });
            }
            return;
        }
        let unique: String = self.store.new_uid().chars().filter(|character| *character != '-').take(16).collect();
        let mut event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": { "name": format!("{}.{unique}", about.name()), "namespace": namespace },
            "involvedObject": {
                "apiVersion": about.text("/apiVersion"), "kind": about.text("/kind"), "name": about.name(),
                "namespace": about.namespace(), "uid": about.uid(),
                "resourceVersion": about.text("/metadata/resourceVersion"),
            },
            "reason": reason, "message": message, "type": kind, "count": 1,
            "source": { "component": component }, "reportingComponent": component, "reportingInstance": "",
            "firstTimestamp": now, "lastTimestamp": now, "eventTime": null,
        });
        if !field.is_empty() {
            event.set(&["involvedObject", "fieldPath"], json!(field));
        }
        // In a namespace that is being deleted there are no new events.
        let _refused = self.store.create(&EVENTS, event, false);
    }
}
