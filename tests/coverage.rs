//! `coverage`: the real program on a simulated cluster with claims of several kinds.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

#[path = "program/mod.rs"]
mod program;

use program::{Ended, Place};
use serde_json::{Value, json};
use snapready_sim::{Effect, Fault, scenario};

/// A cluster whose lists of claims and volumes hold these: claim, volume's source, phase.
async fn place(scenario: &str, claims: Vec<(&'static str, Value, &'static str)>) -> Place {
    let place = Place::of(scenario::find(scenario).unwrap()).await;
    place.cluster.tamper(move |answer| {
        let of = |kind: &str| answer["kind"] == json!(format!("{kind}List"));
        let items: Vec<Value> = if of("PersistentVolumeClaim") {
            let claim = |(name, _, phase): &(&str, Value, &str)| {
                let (namespace, name) = name.split_once('/').unwrap();
                json!({
                    "metadata": {"name": name, "namespace": namespace},
                    "spec": {"storageClassName": "standard", "volumeName": format!("pv-{name}")},
                    "status": {"phase": phase, "capacity": {"storage": "10Gi"}},
                })
            };
            claims.iter().map(claim).collect()
        } else if of("PersistentVolume") {
            let volume = |(name, source, _): &(&str, Value, &str)| {
                let name = name.split_once('/').unwrap().1;
                let mut spec = source.clone();
                spec["capacity"] = json!({"storage": "10Gi"});
                json!({"metadata": {"name": format!("pv-{name}")}, "spec": spec})
            };
            claims.iter().filter(|(_, _, phase)| *phase == "Bound").map(volume).collect()
        } else {
            return;
        };
        answer["items"] = json!(items);
    });
    place
}

fn simulated() -> Value {
    json!({"csi": {"driver": "csi.simulated.snapready.dev"}})
}

fn text(ended: &Ended) -> String {
    ended.lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_covered() {
    let place = place("healthy", vec![("shop/db", simulated(), "Bound")]).await;
    let ended = place.call(&["coverage"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    assert!(text(&ended).ends_with("1 of 1 claim can be snapshotted, 10 GiB of 10 GiB"), "{}", text(&ended));
    for line in &ended.lines {
        assert!(line.len() <= 80, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_covered_has_a_reason_and_a_way() {
    let claims = vec![
        ("shop/db", simulated(), "Bound"),
        ("shop/files", json!({"nfs": {"server": "s", "path": "/"}}), "Bound"),
        ("logs/=cmd", json!({"csi": {"driver": "efs.csi.aws.com"}}), "Bound"),
        ("logs/scratch", json!({"hostPath": {"path": "/tmp"}}), "Bound"),
        ("logs/waiting", json!({}), "Pending"),
    ];
    let place = place("healthy", claims).await;
    let ended = place.call(&["coverage", "-o", "json"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    let document: Value = serde_json::from_str(&text(&ended)).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../schema/coverage.v1.json")).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&document));
    let ways: Vec<String> = document["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|claim| format!("{} {} {}", claim["name"], claim["snapshot"], claim["way"]).replace('"', ""))
        .collect();
    assert_eq!(
        ways,
        [
            "=cmd no file-system backup",
            "scratch no none",
            "waiting no none",
            "db yes data movement from a snapshot",
            "files no file-system backup",
        ]
    );
    let total = &document["total"];
    assert_eq!(
        (&total["all"]["claims"], &total["snapshot"]["claims"], &total["none"]["claims"]),
        (&json!(5), &json!(1), &json!(2))
    );
    let csv = text(&place.call(&["coverage", "--csv", "-n", "logs"]).await);
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.contains("logs,'=cmd,"), "{csv}");
    let shown = text(&place.call(&["coverage"]).await);
    for part in [
        "efs.csi.aws.com has no snapshots",
        "back up by: file-system backup",
        ", which no pod mounts",
        "logs/scratch",
        "1 of 5 claims",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_without_its_sidecar_covers_nothing() {
    let place = place("no-sidecar", vec![("shop/db", simulated(), "Bound")]).await;
    let ended = place.call(&["coverage", "-q"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert!(text(&ended).contains("has no csi-snapshotter"), "{}", text(&ended));
    let checked = place.call(&["check", "--select", "volumes,sidecars", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&text(&checked)).unwrap();
    let result = report["results"].as_array().unwrap().iter().find(|result| result["id"] == "SR501").unwrap();
    assert_eq!((&result["status"], &result["followsFrom"]["id"]), (&json!("warn"), &json!("SR121")), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rights_there_is_no_table_and_the_right_is_named() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    place.cluster.fault(Fault::always(&["list"], &["persistentvolumes"], Effect::Forbidden));
    let ended = place.call(&["coverage"]).await;
    assert_eq!((ended.code, ended.lines.len()), (Some(3), 0));
    assert!(ended.errors.contains("list persistentvolumes"), "{}", ended.errors);
    assert_eq!(place.call(&["coverage", "-o", "junit"]).await.code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn drivers_show_what_the_cluster_shows() {
    let place = place("healthy", vec![("shop/db", simulated(), "Bound")]).await;
    let ended = place.call(&["drivers", "-o", "json"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let document: Value = serde_json::from_str(&text(&ended)).unwrap();
    let driver = &document["drivers"][0];
    assert_eq!((&driver["driver"], &driver["claims"]), (&json!("csi.simulated.snapready.dev"), &json!(1)));
    let snapshot = &driver["abilities"]["snapshot"];
    assert_eq!((&snapshot["answer"], &snapshot["certain"]), (&json!("yes"), &json!(false)), "{snapshot}");
    assert_eq!(driver["abilities"]["clone"]["answer"], json!("unknown"));
    let table = place.call(&["drivers"]).await;
    assert!(table.lines.iter().all(|line| line.len() <= 100), "{:?}", table.lines);
    place.cluster.fault(Fault::always(&["list"], &["pods"], Effect::Forbidden));
    let blind = place.call(&["drivers"]).await;
    assert_eq!(blind.code, Some(3), "{}", blind.errors);
    assert!(text(&blind).contains("could not be read") && text(&blind).contains("snapshot ?"), "{}", text(&blind));
}

#[tokio::test(flavor = "multi_thread")]
async fn drivers_take_in_what_a_round_trip_has_shown() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.json");
    let run = place.call(&["roundtrip", "-o", "json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.errors);
    let write = |report: &Value| std::fs::write(&file, report.to_string()).unwrap();
    let abilities = async || {
        let ended = place.call(&["drivers", "-o", "json", "--round-trips", file.to_str().unwrap()]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        let document: Value = serde_json::from_str(&text(&ended)).unwrap();
        let found = document["drivers"][0]["abilities"].clone();
        ["snapshot", "restore", "block"].map(|word| {
            assert!(found[word]["because"].as_str().unwrap().starts_with("the round trip of "), "{found}");
            (found[word]["answer"].as_str().unwrap().to_owned(), found[word]["certain"].as_bool().unwrap())
        })
    };
    let (yes, no) = (("yes".to_owned(), true), ("no".to_owned(), true));
    let mut report: Value = serde_json::from_str(&text(&run)).unwrap();
    write(&report);
    assert_eq!(abilities().await, [yes.clone(), yes.clone(), yes.clone()]);
    // One that gave other data back counts, whichever comes last.
    report["roundTrips"][0]["data"] = json!("live-data");
    write(&report);
    assert_eq!(abilities().await, [yes.clone(), no, yes]);

    let refused = async |report: &Value, why: &str| {
        write(report);
        let ended = place.call(&["drivers", "--round-trips", file.to_str().unwrap()]).await;
        assert_eq!(ended.code, Some(2), "{}", ended.errors);
        assert!(ended.errors.contains(why), "{}", ended.errors);
    };
    let changed = |at: &str, value: Value| {
        let mut changed = report.clone();
        *changed.pointer_mut(at).unwrap() = value;
        changed
    };
    refused(&changed("/source/server", json!("https://other.example.org")), "about the cluster at https://other").await;
    refused(&changed("/source/kind", json!("simulated")), "about a simulated cluster").await;
    refused(&changed("/roundTrips", json!([])), "no round trip in it").await;
    refused(&json!({}), "no report of snapready").await;
}
