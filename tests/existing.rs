//! Restores of what exists already, by the real program on the embedded cluster: somebody's claim and somebody's snapshot are read, and
//! nothing else is done to them.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "program/mod.rs"]
mod program;
#[path = "program/right.rs"]
mod right;

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, PostParams, WatchEvent, WatchParams};
use kube::{Client, Config};
use program::{Ended, Place};
use right::{Right, right, rights};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use snapready::roundtrip::existing::Given;
use snapready::roundtrip::rights::{of_existing, quota_rules};
use snapready_checks::model::need::Need;
use snapready_sim::{Request, scenario};

const CLAIM: &str = "team/data";
const SNAPSHOT: &str = "team/backup";
/// How many runs go on at a time. Each is a cluster, its pods' processes and the program.
const AT_A_TIME: usize = 4;

/// A cluster with a claim, a snapshot of it, and perhaps a pod that uses the claim.
struct Theirs {
    place: Place,
    client: Client,
    /// What exists before anything is restored, and what the storage holds.
    before: (BTreeSet<String>, BTreeSet<String>),
    /// How many requests were made by then.
    requests: usize,
}

/// What is theirs.
#[derive(Clone, Copy)]
struct Volume {
    scenario: &'static str,
    class: &'static str,
    mode: &'static str,
    is_used: bool,
    is_empty: bool,
}

const DATA: Volume =
    Volume { scenario: "healthy", class: "standard", mode: "Filesystem", is_used: true, is_empty: false };

fn api(client: &Client, group: &str, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    match kind {
        "Namespace" | "StorageClass" => Api::all_with(client.clone(), &resource),
        _ => Api::namespaced_with(client.clone(), "team", &resource),
    }
}

async fn create(client: &Client, group: &str, kind: &str, name: &str, fields: Value) {
    let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name } });
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api(client, group, kind).create(&PostParams::default(), &object).await.unwrap();
}

/// Waits until an object is so.
async fn until(client: &Client, group: &str, kind: &str, name: &str, is_so: impl Fn(&Value) -> bool) {
    let api = api(client, group, kind);
    let only = WatchParams::default().fields(&format!("metadata.name={name}"));
    let object = api.get(name).await.unwrap();
    let version = object.metadata.resource_version.clone().unwrap();
    if is_so(&object.data) {
        return;
    }
    let mut watch = api.watch(&only, &version).await.unwrap().boxed();
    while let Some(event) = watch.try_next().await.unwrap() {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) if is_so(&object.data) => return,
            WatchEvent::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    panic!("{kind} {name} was not seen to be so");
}

const SNAPSHOTS: &str = "snapshot.storage.k8s.io";

/// A pod that runs a script with the claim at `DATA`.
async fn pod(client: &Client, name: &str, script: &str, mode: &str) {
    let mut container = json!({ "name": "app", "image": "app", "command": ["sh", "-c", script] });
    let (path, list) = if mode == "Block" { ("/dev/data", "volumeDevices") } else { ("/data", "volumeMounts") };
    container["env"] = json!([{ "name": "DATA", "value": path }]);
    let path_key = if mode == "Block" { "devicePath" } else { "mountPath" };
    container[list] = json!([{ "name": "data", (path_key): path }]);
    let volumes = json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }]);
    let spec = json!({ "containers": [container], "volumes": volumes, "restartPolicy": "Never" });
    create(client, "", "Pod", name, json!({ "spec": spec })).await;
}

impl Theirs {
    async fn new(volume: Volume) -> Self {
        let place = Place::of(scenario::find(volume.scenario).unwrap()).await;
        let client = Client::try_from(Config::new(place.cluster.url().parse().unwrap())).unwrap();
        create(&client, "", "Namespace", "team", json!({})).await;
        let spec = json!({
            "accessModes": ["ReadWriteOnce"], "storageClassName": volume.class, "volumeMode": volume.mode,
            "resources": { "requests": { "storage": "64Mi" } },
        });
        create(&client, "", "PersistentVolumeClaim", "data", json!({ "spec": spec })).await;
        let script = match (volume.mode, volume.is_empty) {
            (_, true) => "true",
            ("Block", false) => "printf somebodys-data | dd of=\"$DATA\" bs=512 seek=7 conv=notrunc 2>/dev/null",
            (_, false) => {
                "mkdir -p \"$DATA/wal/archive\"; printf 0123456789 >\"$DATA/table\"; printf 01 >\"$DATA/wal/a b\""
            }
        };
        pod(&client, "fill", script, volume.mode).await;
        until(&client, "", "Pod", "fill", |pod| pod["status"]["phase"] == "Succeeded").await;
        until(&client, "", "PersistentVolumeClaim", "data", |claim| claim["status"]["phase"] == "Bound").await;
        if volume.is_used {
            pod(&client, "app", "trap 'exit 0' TERM; sleep 600 & wait", volume.mode).await;
            until(&client, "", "Pod", "app", |pod| pod["status"]["phase"] == "Running").await;
        }
        let spec = json!({ "source": { "persistentVolumeClaimName": "data" } });
        create(&client, SNAPSHOTS, "VolumeSnapshot", "backup", json!({ "spec": spec })).await;
        until(&client, SNAPSHOTS, "VolumeSnapshot", "backup", |snapshot| snapshot["status"]["readyToUse"] == true)
            .await;
        let mut theirs = Self { place, client, before: Default::default(), requests: 0 };
        theirs.before = theirs.now();
        theirs.requests = theirs.place.cluster.requests().len();
        theirs
    }

    fn now(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let objects = self.place.cluster.objects();
        let named =
            |object: &snapready_sim::ObjectRef| format!("{} {}/{}", object.resource, object.namespace, object.name);
        (objects.iter().map(named).collect(), self.place.cluster.storage().into_iter().collect())
    }

    /// The requests of the program.
    fn asked(&self) -> Vec<Request> {
        let all = self.place.cluster.requests();
        all.into_iter().skip(self.requests).filter(|request| request.user_agent.starts_with("snapready")).collect()
    }

    /// Everything of theirs is there, nothing else is, and nobody wrote to it.
    fn is_as_before(&self, what: &str) {
        assert_eq!(self.now(), self.before, "{what}");
        assert_eq!(self.place.cluster.missing(), [], "{what}");
        let wrote = self.asked().into_iter().filter(|request| request.method != "GET");
        let theirs = |path: &str| {
            let path = path.split('?').next().unwrap_or_default();
            ["/data", "/backup", "/app", "/fill"].iter().any(|name| path.ends_with(name))
        };
        let touched: Vec<Request> = wrote.filter(|request| theirs(&request.path)).collect();
        assert!(touched.is_empty(), "{what}: {touched:?}");
    }

    async fn restore(&self, flags: &[&str]) -> (Ended, Value) {
        let ended = self.place.call(&[&["roundtrip", "-o", "json"], flags].concat()).await;
        let report = serde_json::from_str(&ended.lines.join("\n")).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        (ended, report)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_is_restored_counted_and_left_alone() {
    let volumes =
        ["Filesystem", "Block"].into_iter().flat_map(|mode| ["standard", "immediate"].map(|class| (mode, class)));
    let all =
        volumes.flat_map(|volume| [("--source-pvc", CLAIM), ("--from-snapshot", SNAPSHOT)].map(|flag| (volume, flag)));
    let runs = stream::iter(all).map(async |((mode, class), (flag, name))| {
        let what = format!("{flag} {mode} {class}");
        let theirs = Theirs::new(Volume { class, mode, ..DATA }).await;
        let (ended, report) = theirs.restore(&[flag, name]).await;
        assert_eq!(ended.code, Some(0), "{what}: {report:#}");
        let trip = &report["roundTrips"][0];
        assert_eq!((&trip["status"], &trip["data"]), (&json!("pass"), &json!("readable")), "{what}: {trip:#}");
        assert_eq!(trip["namespace"], "team", "{what}");
        assert_eq!(trip["source"]["name"], name.split_once('/').unwrap().1, "{what}");
        assert_eq!((&trip["storageClass"], &trip["volumeMode"]), (&json!(class), &json!(mode)), "{what}");
        let contents = &trip["contents"];
        assert_eq!(contents["readToEnd"], true, "{what}: {contents}");
        if mode == "Block" {
            assert_eq!((&contents["size"], &contents["bytes"]), (&json!(64 << 20), &json!(14)), "{what}: {contents}");
        } else {
            assert_eq!((&contents["files"], &contents["folders"]), (&json!(2), &json!(2)), "{what}: {contents}");
            assert_eq!((&contents["bytes"], &contents["read"]), (&json!(12), &json!(12)), "{what}: {contents}");
        }
        let removed = trip["objects"].as_array().unwrap().iter().all(|object| object["removed"] == true);
        assert!(removed, "{what}: {trip:#}");
        let verify = trip["steps"].as_array().unwrap().iter().find(|step| step["id"] == "verify").unwrap();
        let said = verify["message"].as_str().unwrap();
        let wanted = if mode == "Block" {
            "restored, attached, readable: 64 MiB were read to its end, 14 bytes"
        } else {
            "restored, mounted, readable: 2 files and 2 folders with 12 bytes"
        };
        assert!(said.starts_with(wanted), "{what}: {said}");
        let steps: Vec<&str> =
            trip["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
        assert_eq!(steps.contains(&"snapshot"), flag == "--source-pvc", "{what}: {steps:?}");
        assert!(!steps.contains(&"write") && !steps.contains(&"overwrite"), "{what}: {steps:?}");
        theirs.is_as_before(&what);
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}

/// A drill of a backup whose volume is lost: class and size follow from the snapshot.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_restored_whose_claim_has_gone() {
    let mut theirs = Theirs::new(Volume { is_used: false, class: "immediate", ..DATA }).await;
    let claims = api(&theirs.client, "", "PersistentVolumeClaim");
    api(&theirs.client, "", "Pod").delete("fill", &DeleteParams::default()).await.unwrap();
    let is_there = |theirs: &Theirs| theirs.now().0.iter().any(|object| object.ends_with("team/data"));
    let gone = WatchParams::default().fields("metadata.name=data");
    let version = claims.get("data").await.unwrap().metadata.resource_version.unwrap();
    claims.delete("data", &DeleteParams::default()).await.unwrap();
    let mut watch = claims.watch(&gone, &version).await.unwrap().boxed();
    while is_there(&theirs) {
        watch.try_next().await.unwrap().unwrap();
    }
    // The volume goes some time after its claim; here only the namespaced objects are compared.
    theirs.before = Default::default();
    let (ended, report) = theirs.restore(&["--from-snapshot", SNAPSHOT]).await;
    assert_eq!(ended.code, Some(0), "{report:#}");
    let trip = &report["roundTrips"][0];
    assert_eq!((&trip["storageClass"], &trip["contents"]["files"]), (&json!("standard"), &json!(2)), "{trip:#}");
    assert!(theirs.now().0.iter().any(|object| object.ends_with("team/backup")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_gives_nothing_back_is_no_pass() {
    let used = [("restore-empty", true, false, 1, "fail"), ("restore-empty", false, false, 3, "unknown")];
    // Nobody can tell the restore of an empty volume from an empty restore.
    let rows = used.into_iter().chain([("healthy", false, true, 3, "unknown"), ("healthy", true, true, 1, "fail")]);
    let all = rows.flat_map(|row| ["Filesystem", "Block"].map(|mode| (row, mode)));
    let runs = stream::iter(all).map(async |((scenario, is_used, is_empty, code, status), mode)| {
        let what = format!("{scenario} {mode}, used: {is_used}, empty: {is_empty}");
        let theirs = Theirs::new(Volume { scenario, mode, is_used, is_empty, ..DATA }).await;
        for (flag, name) in [("--source-pvc", CLAIM), ("--from-snapshot", SNAPSHOT)] {
            let (ended, report) = theirs.restore(&[flag, name]).await;
            let trip = &report["roundTrips"][0];
            assert_eq!((ended.code, &trip["status"]), (Some(code), &json!(status)), "{flag} {what}: {trip:#}");
            assert_eq!(trip["diagnosis"]["id"], "SR302", "{flag} {what}: {trip:#}");
            let commands = trip["diagnosis"]["fix"]["commands"].to_string();
            assert!(commands.contains(&format!("{flag} {name}")), "{flag} {what}: {commands}");
            theirs.is_as_before(&format!("{flag} {what}"));
        }
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_be_carried_out_says_why_and_makes_nothing() {
    let theirs = Theirs::new(DATA).await;
    let spec = json!({ "accessModes": ["ReadWriteOnce"], "storageClassName": "standard",
        "resources": { "requests": { "storage": "64Mi" } } });
    create(&theirs.client, "", "PersistentVolumeClaim", "waiting", json!({ "spec": spec })).await;
    let source = json!({ "source": { "persistentVolumeClaimName": "waiting" } });
    create(&theirs.client, SNAPSHOTS, "VolumeSnapshot", "unready", json!({ "spec": source })).await;
    let other = json!({ "provisioner": "other.csi.example.org" });
    create(&theirs.client, "storage.k8s.io", "StorageClass", "other", other).await;
    let theirs = Theirs { before: theirs.now(), ..theirs };
    let rows: [(&[&str], &str); 12] = [
        (&["--source-pvc", "team/none"], "PersistentVolumeClaim team/none does not exist"),
        (&["--source-pvc", "data"], "want NAMESPACE/NAME"),
        (&["--source-pvc", "team/waiting"], "PersistentVolumeClaim team/waiting is not bound (Pending)"),
        (&["--from-snapshot", "team/none"], "VolumeSnapshot team/none does not exist"),
        (&["--from-snapshot", "team/unready"], "VolumeSnapshot team/unready is not ready to use"),
        (
            &["--source-pvc", CLAIM, "--storage-class", "other"],
            "StorageClass \"other\" is of driver other.csi.example.org",
        ),
        (&["--from-snapshot", SNAPSHOT, "--storage-class", "none"], "StorageClass \"none\" does not exist"),
        (&["--source-pvc", CLAIM, "-n", "default"], "leave --namespace \"default\" out"),
        (&["--source-pvc", CLAIM, "--mode", "larger"], "--mode does not go with --source-pvc"),
        (&["--from-snapshot", SNAPSHOT, "--snapshot-class", "x"], "--snapshot-class does not go with --from-snapshot"),
        (&["--from-snapshot", SNAPSHOT, "--source-pvc", CLAIM], "cannot be used with"),
        (&["--source-pvc", CLAIM, "--volume-mode", "block"], "is of volume mode Filesystem"),
    ];
    for (flags, wanted) in rows {
        let ended = theirs.place.call(&[&["roundtrip"], flags].concat()).await;
        assert_eq!(ended.code, Some(2), "{flags:?}: {ended:?}");
        assert!(ended.errors.contains(wanted), "{flags:?}: {}", ended.errors);
        theirs.is_as_before(&format!("{flags:?}"));
    }
    assert!(theirs.asked().iter().all(|request| request.method == "GET" || request.path.contains("accessreviews")));
}

/// Whether this event says that a step began.
fn begins(line: &str, step: &str) -> bool {
    let event: Value = serde_json::from_str(line).unwrap();
    event["event"]["type"] == "step-started" && event["event"]["step"] == step
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_leaves_what_was_there_and_nothing_else() {
    let claim = ["snapshot", "restore", "verify", "cleanup"].map(|step| ("--source-pvc", CLAIM, step));
    let snapshot = ["restore", "verify", "cleanup"].map(|step| ("--from-snapshot", SNAPSHOT, step));
    let calls = claim.into_iter().chain(snapshot);
    let all = calls.flat_map(|call| {
        [("healthy", Signal::KILL), ("retain", Signal::KILL), ("healthy", Signal::INT)].map(|how| (call, how))
    });
    let runs = stream::iter(all).map(async |((flag, name, step), (scenario, signal))| {
        let what = format!("{flag} {scenario} {signal:?} at {step}");
        let theirs = Theirs::new(Volume { scenario, ..DATA }).await;
        let mut sent = false;
        let ended = theirs
            .place
            .follow(&["roundtrip", "-o", "ndjson", flag, name], async |_, line, pid| {
                if !sent && begins(line, step) {
                    sent = true;
                    // A process that has ended by itself is not there to get it.
                    let _gone = kill_process(pid, signal);
                }
            })
            .await;
        assert!(sent, "{what}: {ended:?}");
        if signal == Signal::KILL {
            let begun: Value = serde_json::from_str(&ended.lines[0]).unwrap();
            let run = begun["event"]["run"].as_str().unwrap();
            let cleaned = theirs.place.call(&["cleanup", "--run", run]).await;
            assert_eq!(cleaned.code, Some(0), "{what}: {cleaned:?}");
        } else {
            assert!([Some(130), Some(0)].contains(&ended.code), "{what}: {ended:?}");
        }
        theirs.is_as_before(&what);
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}

/// How many runs may pass before a right that none of them used counts as unused.
const RUNS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_what_is_used() {
    for (given, name) in [(Given::Claim, CLAIM), (Given::Snapshot, SNAPSHOT)] {
        let of_existing = of_existing(given);
        let cluster = [of_existing.cluster, of_existing.watch].concat();
        let within = [of_existing.within, quota_rules()].concat();
        let granted: BTreeSet<Right> = rights(cluster, false).chain(rights(within, true)).collect();
        let mut used = BTreeSet::new();
        for _ in 0..RUNS {
            let theirs = Theirs::new(DATA).await;
            let (ended, _) = theirs.restore(&[given.flag(), name]).await;
            assert_eq!(ended.code, Some(0), "{}", ended.errors);
            used.extend(theirs.asked().iter().filter_map(right));
            if granted.is_subset(&used) {
                break;
            }
        }
        // A snapshot is looked at by its name only where no watch has told in time that it has gone.
        let is_spare = |right: &&Right| {
            given == Given::Claim
                && (right.0.as_str(), right.2) == ("get", true)
                && right.1.starts_with("volumesnapshots.")
        };
        let unused: Vec<_> = granted.difference(&used).filter(|right| !is_spare(right)).collect();
        assert!(unused.is_empty(), "{}: granted, but not used: {unused:?}", given.flag());
        // It also looks at what the checks look at, for its diagnosis, and does without what it may not see.
        let looking = Need::ALL.into_iter().flat_map(Need::rules).collect();
        let looking: BTreeSet<Right> = rights(looking, false).collect();
        let missing: Vec<_> = used.difference(&granted).filter(|right| !looking.contains(*right)).collect();
        assert!(missing.is_empty(), "{}: used, but not granted: {missing:?}", given.flag());
    }
}
