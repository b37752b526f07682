//! Texts of real drivers (`checks/tests/driver-texts.tsv`), replayed: the embedded cluster answers with each of them, wrapped as
//! the sidecars wrap it, and the real program says what is wrong, as soon as it is certain.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

mod program;

use std::fmt::Write as _;

use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};
use snapready_sim::scenario::{self, Component, DRIVER, Driver, Scenario};
use snapready_sim::{Effect, Fault};

use program::Place;

/// A row of the table; see `checks/tests/cases/texts.rs`, where each of them is a test of its own.
struct Row {
    name: &'static str,
    place: &'static str,
    code: &'static str,
    text: String,
    check: &'static str,
    within: Option<u64>,
    says: &'static str,
    silent: &'static str,
}

fn rows() -> Vec<Row> {
    let table = include_str!("../checks/tests/driver-texts.tsv").lines().skip(1);
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, place, code, text, check, within, says, silent, _source] = cells[..] else { panic!("{line}") };
        Row { name, place, code, text: plain(text), check, within: within.parse().ok(), says, silent }
    };
    table.map(row).collect()
}

fn plain(text: &str) -> String {
    let text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\u001b", "\u{1b}");
    let Some((before, rest)) = text.split_once('⟦') else { return text };
    let (repeated, after) = rest.split_once('⟧').unwrap();
    let (part, times) = repeated.rsplit_once('*').unwrap();
    format!("{before}{}{after}", part.repeat(times.parse().unwrap()))
}

fn healthy() -> Scenario {
    *scenario::find("healthy").unwrap()
}

/// A cluster with classes that make the driver answer so.
async fn with_classes(rows: &[&Row]) -> Place {
    let place = Place::of(&healthy()).await;
    let config = kube::Config::new(place.cluster.url().parse().unwrap());
    let client = kube::Client::try_from(config).unwrap();
    for row in rows {
        let parameters = json!({ row.place: format!("error:{}", row.code), "message": row.text });
        let (group, kind, object) = if row.place == "snapshot" {
            ("snapshot.storage.k8s.io", "VolumeSnapshotClass", json!({ "driver": DRIVER, "deletionPolicy": "Delete" }))
        } else {
            let class = json!({ "provisioner": DRIVER, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate" });
            ("storage.k8s.io", "StorageClass", class)
        };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let mut object = object;
        object["apiVersion"] = json!(format!("{group}/v1"));
        object["kind"] = json!(kind);
        object["metadata"] = json!({ "name": row.name });
        object["parameters"] = parameters;
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        api.create(&PostParams::default(), &object).await.unwrap();
    }
    place
}

/// A cluster in which this does not come from the driver.
fn without_driver(row: &Row) -> Scenario {
    let text = row.text.as_str();
    let refusal = |component| {
        let refusals: &'static [(Component, &'static str)] = vec![(component, &*text.to_owned().leak())].leak();
        Scenario { refusals, ..healthy() }
    };
    match row.place {
        "create" => {
            let webhook = text.split('"').nth(1).unwrap().to_owned().leak();
            let sentence = text.split_once("denied the request: ").unwrap().1.to_owned().leak();
            let denied = Fault::always(&["create"], &["volumesnapshots"], Effect::Denied(webhook, sentence));
            Scenario { api: vec![denied].leak(), ..healthy() }
        }
        "controller" => refusal(Component::SnapshotController),
        "content" => refusal(Component::Snapshotter),
        "provisioner" => refusal(Component::Provisioner),
        "restorer" => refusal(Component::Restorer),
        "mount" => {
            let answer = format!("rpc error: code = {} desc = {text}", row.code);
            let text = format!("MountVolume.SetUp failed for volume \"pvc-1\" : {answer}");
            let refusals = vec![(Component::Kubelet, &*text.leak())].leak();
            Scenario { refusals, ..healthy() }
        }
        other => panic!("nothing comes from {other}"),
    }
}

/// After these a csi-snapshotter lets nobody delete the content: the call may still be running.
const NOT_FINAL: [&str; 5] = ["Canceled", "DeadlineExceeded", "Unavailable", "ResourceExhausted", "Aborted"];

/// What a run says of its round trips; it leaves nothing but what the report says.
async fn trips(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let before = place.cluster.objects();
    let ended = place.call(&[&["roundtrip", "--volume-mode", "filesystem", "-o", "json"], arguments].concat()).await;
    let report: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap_or_else(|_| panic!("{}", ended.errors));
    let told = report["leftovers"].as_array().unwrap();
    for left in place.cluster.objects().iter().filter(|left| !before.contains(left)) {
        assert!(told.iter().any(|told| told["name"] == *left.name), "{left} is left: {told:#?}");
    }
    report["roundTrips"].as_array().unwrap().clone()
}

/// What is wrong with what is said of a row; how long the step took that failed, in seconds.
fn judge(row: &Row, trip: &Value) -> (Vec<String>, f64) {
    let mut wrong = Vec::new();
    let diagnosis = &trip["diagnosis"];
    if trip["status"] != "fail" || diagnosis["id"] != row.check {
        wrong.push(format!("{} {}, expected {}", trip["status"], diagnosis["id"], row.check));
    }
    let fix = &diagnosis["fix"];
    let said = format!("{}\n{}\n{fix}", diagnosis["cause"].as_str().unwrap_or_default(), fix["text"].as_str().unwrap());
    let has = |part: &&str| said.to_lowercase().contains(&part.to_lowercase());
    let parts = |parts: &'static str| parts.split("; ").filter(|part| !part.is_empty());
    // Of advice the program makes commands.
    let is_advice = |part: &str| part == "Size";
    wrong.extend(
        parts(row.says).filter(|part| !is_advice(part) && !has(part)).map(|part| format!("{said:?} lacks {part:?}")),
    );
    wrong.extend(parts(row.silent).filter(has).map(|part| format!("{said:?} has {part:?}")));
    let message = diagnosis["message"].as_str().unwrap_or_default();
    if message.chars().count() > 600 || message.contains(['\n', '\u{1b}']) {
        wrong.push(format!("not one short line: {message:?}"));
    }
    let failed = trip["steps"].as_array().unwrap().iter().find(|step| step["status"] == "fail");
    let seconds = failed.and_then(|step| step["durationMs"].as_f64()).unwrap_or_default() / 1000.0;
    // On a busy machine everything takes longer; what is waited out takes 300 s.
    if row.within == Some(10) && (seconds > 25.0 || message.starts_with("timed out")) {
        wrong.push(format!("it took {seconds:.1} s: {message}"));
    }
    (wrong, seconds)
}

/// Fails with what is wrong, and shows the times of all.
fn sum_up(judged: &[(&str, (Vec<String>, f64))]) {
    let mut table = String::new();
    for (name, (wrong, seconds)) in judged {
        writeln!(table, "{seconds:6.1} s  {}  {name}", if wrong.is_empty() { "right" } else { "WRONG" }).unwrap();
        for line in wrong {
            writeln!(table, "            {line}").unwrap();
        }
    }
    assert!(judged.iter().all(|(_, (wrong, _))| wrong.is_empty()), "{table}");
}

/// Those that end as soon as they are certain, and those that are given five seconds for what may pass.
async fn replay(operation: &'static str) {
    let rows = rows();
    let rows: Vec<&Row> = rows.iter().filter(|row| row.place == operation).collect();
    let place = with_classes(&rows).await;
    let mut judged = Vec::new();
    for (certain, is_final) in [(true, true), (true, false), (false, true), (false, false)] {
        let of_kind = |row: &&&Row| (row.within == Some(10)) == certain && NOT_FINAL.contains(&row.code) != is_final;
        let rows: Vec<&&Row> = rows.iter().filter(of_kind).collect();
        if rows.is_empty() {
            continue;
        }
        let (flag, class) = match operation {
            "snapshot" => ("--snapshot-class", "snapshotClass"),
            _ => ("--storage-class", "storageClass"),
        };
        let limit = format!("{operation}=5s");
        // A content of which a snapshot may still be taken stays, however long one waits.
        let patience = if is_final || operation != "snapshot" { "30s" } else { "2s" };
        let mut arguments = vec!["--parallel", "40", "--cleanup-timeout", patience];
        if operation == "snapshot" {
            arguments.extend(["--storage-class", "standard"]);
        }
        if !certain {
            arguments.extend(["--step-timeout", &limit]);
        }
        for row in &rows {
            arguments.extend([flag, row.name]);
        }
        let trips = trips(&place, &arguments).await;
        assert_eq!(trips.len(), rows.len(), "{operation}");
        for row in rows {
            let trip = trips.iter().find(|trip| trip[class] == row.name).unwrap();
            judged.push((row.name, judge(row, trip)));
        }
    }
    sum_up(&judged);
}

#[tokio::test]
async fn what_create_volume_answers() {
    replay("provision").await;
}

#[tokio::test]
async fn what_create_snapshot_answers() {
    replay("snapshot").await;
}

#[tokio::test]
async fn what_a_restore_answers() {
    replay("restore").await;
}

#[tokio::test]
async fn what_others_than_the_driver_say() {
    let rows = rows();
    let rows = rows.iter().filter(|row| !["provision", "snapshot", "restore"].contains(&row.place));
    let all = rows.map(async |row| {
        let place = Place::of(&without_driver(row)).await;
        let limit: &[&str] = if row.within == Some(10) { &[] } else { &["--step-timeout", "snapshot=5s"] };
        let trips = trips(&place, &[&["--storage-class", "standard"], limit].concat()).await;
        (row.name, judge(row, &trips[0]))
    });
    sum_up(&futures::future::join_all(all).await);
}

#[tokio::test]
async fn a_restore_size_that_is_none_does_not_keep_the_data_from_coming_back() {
    for (size, said) in [(0, "it has no restoreSize"), (292 << 10, "its restoreSize is 292Ki, less than its source")] {
        let place = Place::of(&Scenario { snapshot: Driver::Sized(size), ..healthy() }).await;
        let trips = trips(&place, &["--storage-class", "standard"]).await;
        assert_eq!((&trips[0]["status"], &trips[0]["data"]), (&json!("pass"), &json!("intact")), "{trips:#?}");
        let step = trips[0]["steps"].as_array().unwrap().iter().find(|step| step["id"] == "snapshot").unwrap();
        let message = step["message"].as_str().unwrap();
        assert!(message.contains(said) && message.contains("a tool that restores to that size fails"), "{message}");
    }
}

#[tokio::test]
async fn a_snapshot_on_another_node_is_the_likely_cause_of_a_restore_that_does_not_come() {
    let restore = Driver::Fails("Internal", "snapshot 1 is not on this node");
    for (node, restore) in [("elsewhere", restore), ("elsewhere", Driver::Hangs)] {
        let place = Place::of(&Scenario { snapshot: Driver::KeptOn(node), restore, ..healthy() }).await;
        let arguments = ["--storage-class", "standard", "--step-timeout", "restore=5s", "--cleanup-timeout", "30s"];
        let trips = trips(&place, &arguments).await;
        let diagnosis = &trips[0]["diagnosis"];
        assert_eq!(diagnosis["id"], "SR309", "{diagnosis:#}");
        let cause = diagnosis["cause"].as_str().unwrap();
        assert!(cause.starts_with("likely: the snapshot lies on node elsewhere"), "{diagnosis:#}");
    }
}

#[tokio::test]
async fn a_class_whose_snapshots_are_not_deleted_leaves_what_the_report_says() {
    let place = Place::of(&healthy()).await;
    let config = kube::Config::new(place.cluster.url().parse().unwrap());
    let resource =
        ApiResource::from_gvk(&GroupVersionKind::gvk("snapshot.storage.k8s.io", "v1", "VolumeSnapshotClass"));
    let api: Api<DynamicObject> = Api::all_with(kube::Client::try_from(config).unwrap(), &resource);
    let class = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": { "name": "kept" },
        "driver": DRIVER, "deletionPolicy": "Delete",
        "parameters": { "delete": "error:FailedPrecondition", "message": "a clone\nis made of it" },
    });
    api.create(&PostParams::default(), &serde_json::from_value(class).unwrap()).await.unwrap();
    let call = ["roundtrip", "--volume-mode", "filesystem", "-o", "json", "--storage-class", "standard"];
    let ended = place.call(&[&call, &["--snapshot-class", "kept", "--cleanup-timeout", "3s"][..]].concat()).await;
    let report: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap();
    assert_eq!(ended.code, Some(4), "{report:#}");
    assert_eq!(report["roundTrips"][0]["data"], "intact");
    let left: Vec<&str> =
        report["leftovers"].as_array().unwrap().iter().filter_map(|one| one["kind"].as_str()).collect();
    assert!(left.contains(&"VolumeSnapshotContent"), "{report:#}");
}
