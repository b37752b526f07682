//! In a namespace that is given, a run keeps to its `ResourceQuotas`: fewer round trips at a time, and none that does not fit.

#![expect(clippy::unwrap_used, reason = "a test may")]

#[path = "program/mod.rs"]
mod program;

use std::collections::BTreeSet;

use program::Place;
use serde_json::{Value, json};
use snapready_sim::scenario;

/// A cluster in which every namespace has a quota of so many claims. Nothing enforces it: what is asked for is what counts.
async fn with_claims(hard: &str) -> Place {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    let quota = json!({
        "metadata": { "name": "team", "namespace": "default" },
        "status": { "hard": { "persistentvolumeclaims": hard }, "used": { "persistentvolumeclaims": "0" } },
    });
    place.cluster.tamper(move |answer| {
        if answer["kind"] == "ResourceQuotaList" {
            answer["items"] = json!([quota]);
        }
    });
    place
}

const FOUR: [&str; 7] = ["roundtrip", "-n", "default", "--mode", "plain,unmounted", "-o", "ndjson"];

#[tokio::test(flavor = "multi_thread")]
async fn as_many_run_at_a_time_as_have_room() {
    let place = with_claims("5").await;
    let ended = place.call(&FOUR).await;
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let mut running = BTreeSet::new();
    let (mut most, mut planned) = (0, Value::Null);
    for line in &ended.lines {
        let event = serde_json::from_str::<Value>(line).unwrap()["event"].take();
        match (event["type"].as_str().unwrap(), &event["step"]) {
            ("round-trips-planned", _) => planned = event.clone(),
            ("step-started", _) => {
                running.insert(event["target"].as_u64().unwrap());
            }
            ("step-finished", step) if step["id"] == "cleanup" => {
                running.remove(&event["target"].as_u64().unwrap());
            }
            _ => {}
        }
        most = most.max(running.len());
    }
    assert_eq!(planned["targets"].as_array().unwrap().len(), 4, "{planned:#}");
    assert_eq!(planned["limited"], "2 at a time: ResourceQuota team has no room for more persistentvolumeclaims");
    assert_eq!(most, 2, "{:#?}", ended.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_and_nothing_is_created() {
    let place = with_claims("1").await;
    // A clone takes room as well, although it takes no snapshot.
    let six = ["roundtrip", "-n", "default", "--mode", "plain,unmounted,clone", "-o", "ndjson"];
    let ended = place.call(&six).await;
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    let last: Value = serde_json::from_str(ended.lines.last().unwrap()).unwrap();
    let trips = last["event"]["report"]["roundTrips"].as_array().unwrap();
    assert_eq!(trips.len(), 6);
    for trip in trips {
        let diagnosis = &trip["diagnosis"];
        assert_eq!(diagnosis["id"], "SR311", "{trip:#}");
        let said =
            "ResourceQuota team of namespace default leaves 1 of 1 persistentvolumeclaims, and the round trip needs 2";
        assert_eq!(diagnosis["message"], said, "{trip:#}");
    }
    let created: Vec<_> = place
        .cluster
        .requests()
        .into_iter()
        .filter(|request| request.method == "POST" && request.path.contains("/namespaces/default/"))
        .map(|request| request.path)
        .collect();
    assert!(created.is_empty(), "{created:?}");
}
