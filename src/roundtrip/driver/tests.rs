//! The driver against a real cluster, which `SNAPREADY_TEST_KUBECONFIG` names: with the plainest objects that make a round
//! trip. `cargo test --lib roundtrip::driver -- --ignored` runs them.

use std::time::Duration;

use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use snapready_checks::model::check::{Group, Severity};
use snapready_checks::model::finding::Status;
use tokio::sync::{mpsc, watch};

use super::observe::{MANAGED_BY, RUN_LABEL};
use super::{Diagnosis, Failure, Judgement, Knowledge, Manifest, Observed, Options, Signals, Trip, resource, run};
use crate::report::document::{CheckResult, DataVerdict, ObjectName, StepId, VolumeMode};
use crate::report::events::{Happening, Target};
use crate::roundtrip::cleanup::{Which, cleanup};
use crate::roundtrip::ledger::{Item, Role};

struct Plain {
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
            },
            driver: None,
        };
        Self { run: run.to_owned(), namespace: format!("snapready-{run}"), trips: (0..trips).map(trip).collect() }
    }

    fn pod(init: &str, main: &str, claim: &str) -> Value {
        let container = |name: &str, script: &str| {
            json!({"name": name, "image": "docker.io/library/busybox:1.36", "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", script], "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}})
        };
        let mut spec = json!({"restartPolicy": "Never", "containers": [container("main", main)],
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]});
        if !init.is_empty() {
            spec["initContainers"] = json!([container("write", init)]);
        }
        json!({"spec": spec})
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

    fn own_namespace(&self) -> bool {
        true
    }

    fn trips(&self) -> &[Trip] {
        &self.trips
    }

    fn manifest(&self, item: Item, _snapshot: Option<&Value>) -> Option<Manifest> {
        let (resource, name, mut body) = match item {
            Item::Namespace => (resource("", "v1", "Namespace", "namespaces"), self.namespace.clone(), json!({})),
            Item::Of(trip, role) => {
                let name = |word: &str| format!("{word}-{trip}");
                let pods = || resource("", "v1", "Pod", "pods");
                let claim = |source: Value| {
                    let mut spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "snap-wffc",
                        "resources": {"requests": {"storage": "16Mi"}}});
                    if !source.is_null() {
                        spec["dataSource"] = source;
                    }
                    (resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"), json!({"spec": spec}))
                };
                match role {
                    Role::SourceClaim => {
                        let (resource, body) = claim(Value::Null);
                        (resource, name("source"), body)
                    }
                    Role::Writer => {
                        let main = "trap 'echo after > /data/f; sync; exit 0' TERM; while :; do sleep 0.1; done";
                        let init = "echo before > /data/f; sync; echo written > /dev/termination-log";
                        (pods(), name("writer"), Self::pod(init, main, &name("source")))
                    }
                    Role::Overwriter => {
                        (pods(), name("overwriter"), Self::pod("", "echo after > /data/f; sync", &name("source")))
                    }
                    Role::Snapshot => (
                        resource("snapshot.storage.k8s.io", "v1", "VolumeSnapshot", "volumesnapshots"),
                        name("snapshot"),
                        json!({"spec": {"source": {"persistentVolumeClaimName": name("source")}}}),
                    ),
                    Role::RestoredClaim => {
                        let (resource, body) = claim(json!({"apiGroup": "snapshot.storage.k8s.io",
                            "kind": "VolumeSnapshot", "name": name("snapshot")}));
                        (resource, name("restored"), body)
                    }
                    Role::Reader => {
                        (pods(), name("reader"), Self::pod("", "cat /data/f > /dev/termination-log", &name("restored")))
                    }
                    Role::Content | Role::SourceVolume | Role::RestoredVolume => return None,
                }
            }
        };
        let namespace = (item != Item::Namespace).then(|| self.namespace.clone());
        body["apiVersion"] = json!(resource.api_version);
        body["kind"] = json!(resource.kind);
        body["metadata"] = json!({"name": name, "labels": {(MANAGED_BY.0): MANAGED_BY.1, (RUN_LABEL): self.run}});
        if let Some(namespace) = &namespace {
            body["metadata"]["namespace"] = json!(namespace);
        }
        Some(Manifest { resource, namespace, name, body })
    }

    fn written(&self, _trip: usize, message: &str) -> Result<(), Box<CheckResult>> {
        if message.trim() == "written" { Ok(()) } else { Err(Box::new(Self::result(message))) }
    }

    fn read(&self, _trip: usize, message: &str) -> Result<Judgement, Box<CheckResult>> {
        let data = match message.trim() {
            "before" => DataVerdict::Intact,
            "after" => DataVerdict::LiveData,
            _ => DataVerdict::Corrupted,
        };
        let diagnosis = (data != DataVerdict::Intact).then(|| Box::new(Self::result(message)));
        Ok(Judgement { data, message: message.trim().to_owned(), diagnosis })
    }

    fn diagnose(&self, observed: &Observed<'_>) -> Diagnosis {
        Diagnosis::Waiting {
            waiting_for: observed.step.title().to_owned(),
            last_seen: format!("{} objects, {} events", observed.objects.len(), observed.events.len()),
        }
    }

    fn timed_out(&self, observed: &Observed<'_>) -> CheckResult {
        Self::result(format!("{} timed out", observed.step.title()))
    }

    fn refused(&self, _trip: usize, failure: &Failure, object: &ObjectName) -> CheckResult {
        Self::result(format!("{} {}: {} {}", object.kind, object.name, failure.status, failure.message))
    }

    fn vanished(&self, _trip: usize, object: &ObjectName) -> CheckResult {
        Self::result(format!("{} {} vanished", object.kind, object.name))
    }

    fn stuck(&self, object: ObjectName, _seen: &Value) -> String {
        format!("{} {} is stuck", object.kind, object.name)
    }
}

/// A client of the cluster that was named.
async fn client() -> Client {
    let path = std::env::var("SNAPREADY_TEST_KUBECONFIG").expect("SNAPREADY_TEST_KUBECONFIG names a kubeconfig");
    let kubeconfig = Kubeconfig::read_from(path).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

async fn nothing_is_left(client: &Client, run: &str) {
    let labels = ListParams::default().labels(&format!("{RUN_LABEL}={run}"));
    for (group, kind, plural) in [
        ("", "Namespace", "namespaces"),
        ("", "Pod", "pods"),
        ("", "PersistentVolumeClaim", "persistentvolumeclaims"),
        ("snapshot.storage.k8s.io", "VolumeSnapshot", "volumesnapshots"),
    ] {
        let api: Api<kube::api::DynamicObject> = Api::all_with(client.clone(), &resource(group, "v1", kind, plural));
        assert!(api.list(&labels).await.unwrap().items.is_empty(), "{plural} of run {run} are left");
    }
}

fn show(since: tokio::time::Instant, event: &Happening) {
    let text = serde_json::to_string(event).unwrap();
    let line = format!("{:6.2} {text}\n", since.elapsed().as_secs_f64());
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

#[tokio::test]
#[ignore = "needs a real cluster, named by SNAPREADY_TEST_KUBECONFIG"]
async fn a_good_run_passes_and_leaves_nothing() {
    let client = client().await;
    let since = tokio::time::Instant::now();
    let run_id = format!("{:06x}", std::process::id());
    let knowledge = Plain::new(&run_id, 2);
    let (_signals, signal) = watch::channel(Signals::default());
    let (events, mut told) = mpsc::unbounded_channel();
    let options = Options { parallel: 2, timeout: Some(Duration::from_secs(60)), ..Options::default() };
    let printer = async {
        while let Some(event) = told.recv().await {
            show(since, &event);
        }
    };
    let (outcome, ()) = tokio::join!(run(client.clone(), &knowledge, &options, signal, events), printer);
    nothing_is_left(&client, &run_id).await;
    assert_eq!(outcome.leftovers, []);
    for trip in &outcome.round_trips {
        assert_eq!(trip.status, Status::Pass, "{trip:#?}");
        assert_eq!(trip.data, Some(DataVerdict::Intact));
        assert!(trip.objects.iter().all(|object| object.removed), "{:#?}", trip.objects);
    }
}

/// A run that is told to stop after so many events, waits apart. How many there were, and what is left.
async fn interrupted(client: &Client, run_id: &str, at: usize) -> (usize, Vec<ObjectName>) {
    let knowledge = Plain::new(run_id, 1);
    let (signals, signal) = watch::channel(Signals::default());
    let (events, mut told) = mpsc::unbounded_channel();
    let options = Options::default();
    let interrupter = async {
        let mut count = 0;
        while let Some(event) = told.recv().await {
            if matches!(event, Happening::StepWaiting { .. }) {
                continue;
            }
            if count == at {
                let _ = signals.send(Signals { count: 1, name: "SIGINT" });
            }
            count += 1;
        }
        count
    };
    let run = run(client.clone(), &knowledge, &options, signal, events);
    let (outcome, count) = tokio::join!(run, interrupter);
    nothing_is_left(client, run_id).await;
    (count, outcome.leftovers)
}

#[tokio::test]
#[ignore = "needs a real cluster, named by SNAPREADY_TEST_KUBECONFIG"]
async fn a_signal_at_every_event_leaves_nothing() {
    let client = client().await;
    let run_id = |at: usize| format!("{:06x}", 0x10_0000 + (std::process::id() as usize % 0x1_0000) * 0x20 + at);
    let (count, _) = interrupted(&client, &run_id(31), usize::MAX).await;
    let runs = (0..count).map(|at| {
        let (client, run_id) = (client.clone(), run_id(at));
        async move { (at, interrupted(&client, &run_id, at).await.1) }
    });
    let left: Vec<_> =
        futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(runs), 6)).await;
    for (at, leftovers) in left {
        assert_eq!(leftovers, [], "signal at event {at}");
    }
}

/// A run that is killed, as by SIGKILL, at its snapshot.
#[tokio::test]
#[ignore = "needs a real cluster, named by SNAPREADY_TEST_KUBECONFIG"]
async fn a_clean_up_removes_what_a_killed_run_left() {
    let client = client().await;
    let run_id = format!("{:06x}", 0xf0_0000 + std::process::id());
    let knowledge = Plain::new(&run_id, 1);
    let (_signals, signal) = watch::channel(Signals::default());
    let (events, mut told) = mpsc::unbounded_channel();
    let options = Options::default();
    let killer = async {
        while let Some(event) = told.recv().await {
            let over = |step: &crate::report::document::Step| step.id == StepId::Snapshot;
            if matches!(&event, Happening::StepFinished { step, .. } if over(step)) {
                return;
            }
        }
    };
    tokio::select! {
        _ = run(client.clone(), &knowledge, &options, signal, events) => panic!("the run was not killed"),
        () = killer => {}
    }
    let (events, _told) = mpsc::unbounded_channel();
    let which = Which::Run(run_id.clone());
    let limit = Duration::from_secs(60);
    let outcome = cleanup(client.clone(), &which, None, limit, options.request_timeout, events).await;
    nothing_is_left(&client, &run_id).await;
    assert_eq!((outcome.leftovers, outcome.unseen), (Vec::new(), Vec::new()));
    assert_eq!(outcome.found_runs.into_iter().collect::<Vec<_>>(), [run_id]);
    let kinds: Vec<_> = outcome.removed.iter().map(|object| object.kind.as_str()).collect();
    for kind in ["Pod", "PersistentVolumeClaim", "VolumeSnapshot", "Namespace"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}
