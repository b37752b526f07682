//! `why`: objects that somebody made by hand, and that do not get on. Live and in a dump the answer is the same.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

#[path = "program/dump.rs"]
mod dump;
mod program;

use std::fs;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use kube::{Client, Config};
use serde_json::{Value, json};
use snapready_sim::{Effect, Fault, scenario};

use crate::dump::{dump, offline};
use crate::program::{HANGS, Place};

fn api(place: &Place, api_version: &str, kind: &str) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let client = Client::try_from(Config::new(place.cluster.url().parse().unwrap())).unwrap();
    Api::namespaced_with(client, "default", &resource)
}

async fn create(place: &Place, object: Value) {
    let api = api(place, object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
}

fn claim(name: &str, class: &str, snapshot: Option<&str>) -> Value {
    let source =
        snapshot.map(|name| json!({ "apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": name }));
    json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name },
        "spec": { "accessModes": ["ReadWriteOnce"], "storageClassName": class, "dataSource": source,
            "resources": { "requests": { "storage": "1Gi" } } } })
}

fn snapshot(name: &str, of: &str, class: Option<&str>) -> Value {
    json!({ "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": { "name": name },
        "spec": { "volumeSnapshotClassName": class, "source": { "persistentVolumeClaimName": of } } })
}

/// Asks until an object is stuck: what waits only for a few seconds is not.
async fn stuck(place: &Place, object: &str) -> Value {
    let start = Instant::now();
    loop {
        let ended = place.call(&["why", object, "-n", "default", "-o", "json"]).await;
        let document: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap_or_default();
        if ended.code == Some(1) {
            return document;
        }
        assert!(start.elapsed() < HANGS, "{object}: {ended:?}");
    }
}

/// What is said of the first object, without times and ages.
fn said(document: &Value) -> Value {
    let one = &document["objects"][0];
    let broken: Vec<&Value> = one["chain"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|link| link["broken"] == true)
        .map(|link| &link["object"])
        .collect();
    json!({ "object": one["object"], "state": one["state"], "certainty": one["certainty"], "id": one["result"]["id"],
        "cause": one["result"]["cause"], "broken": broken })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_snapshot_is_named_live_and_in_a_dump() {
    for (name, class, id, cause) in [
        ("no-controller", None, "SR303", "no snapshot-controller is installed"),
        ("no-sidecar", None, "SR304", "without it"),
        ("healthy", Some("nope"), "SR305", "the class was named, but is not there"),
    ] {
        let place = Place::of(scenario::find(name).unwrap()).await;
        create(&place, claim("data", "immediate", None)).await;
        create(&place, snapshot("nightly", "data", class)).await;
        create(&place, claim("restored", "immediate", Some("nightly"))).await;
        let live = stuck(&place, "vs/nightly").await;
        let told = said(&live);
        assert_eq!(told["id"], id, "{name}: {live:#}");
        assert_eq!(told["certainty"], "certain", "{name}: {live:#}");
        assert!(told["cause"].as_str().unwrap().contains(cause), "{name}: {told:#}");

        // The claim that is to be made from it waits for the same.
        let restored = said(&stuck(&place, "pvc/restored").await);
        assert_eq!((&restored["id"], &restored["broken"]), (&told["id"], &told["broken"]), "{name}");

        let folder = tempfile::tempdir().unwrap();
        dump(&place, folder.path()).await;
        // The time of a dump is the newest in it; nodes renew their leases all the time.
        let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "node-1", "namespace": "kube-node-lease" }, "spec": { "renewTime": Timestamp::now() } });
        fs::write(folder.path().join("lease.json"), lease.to_string()).unwrap();
        let from = folder.path().to_str().unwrap();
        let (code, document, errors) = offline(&["why", "vs/nightly", "--from", from], None);
        assert_eq!((code, said(&document)), (Some(1), told), "{name}: {errors}");
        // Both have one cause.
        let all = place.call(&["why", "-n", "default"]).await;
        assert_eq!(all.code, Some(1));
        assert!(all.lines[0].starts_with("2 objects are stuck for one reason"), "{name}: {:#?}", all.lines);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fine_or_waits_by_design_is_not_called_stuck() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    create(&place, claim("data", "standard", None)).await;
    for (object, word) in [("pvc/data", "WaitForFirstConsumer"), ("PersistentVolumeClaim/data", "waits")] {
        let ended = place.call(&["why", object, "-n", "default"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.lines[0].contains(word), "{ended:?}");
    }
    let none = place.call(&["why", "-n", "kube-system"]).await;
    assert_eq!((none.code, none.lines), (Some(0), vec!["nothing is stuck".to_owned()]));
    let missing = place.call(&["why", "vs/missing", "-n", "default"]).await;
    assert_eq!(missing.code, Some(2));
    assert!(missing.errors.contains("there is no VolumeSnapshot default/missing"), "{missing:?}");
    let wrong = place.call(&["why", "deployment/a"]).await;
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.errors.contains("the kind is one of vs"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_hangs_says_who_must_end_it() {
    let place = Place::of(scenario::find("no-controller").unwrap()).await;
    let mut kept = snapshot("kept", "data", None);
    kept["metadata"]["finalizers"] = json!(["snapshot.storage.kubernetes.io/volumesnapshot-bound-protection"]);
    create(&place, kept).await;
    api(&place, "snapshot.storage.k8s.io/v1", "VolumeSnapshot").delete("kept", &DeleteParams::default()).await.unwrap();
    let document = stuck(&place, "vs/kept").await;
    let result = &document["objects"][0]["result"];
    assert_eq!(result["id"], "SR312", "{document:#}");
    assert!(result["cause"].as_str().unwrap().contains("snapshot-controller"), "{result:#}");
    let also: Vec<&str> =
        document["alsoFound"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(also.contains(&"SR111"), "{also:?}");
}

/// What lies in a namespace that was not listed is not called absent.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_in_another_namespace_is_not_called_absent() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    let mut restored = claim("restored", "immediate", None);
    restored["spec"]["dataSourceRef"] = json!({ "apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot",
        "name": "nightly", "namespace": "kube-system" });
    create(&place, restored).await;
    let ended = place.call(&["why", "-n", "default", "-o", "json"]).await;
    let document: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap();
    let text = document.to_string();
    assert!(text.contains("was not looked at") && !text.contains("does not exist"), "{document:#}");
}

/// What cannot be read is not called fine.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_told() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    let resources = &["events", "volumesnapshots", "persistentvolumeclaims"];
    place.cluster.fault(Fault::always(&["list"], resources, Effect::Forbidden));
    let all = place.call(&["why", "-A"]).await;
    assert_eq!(all.code, Some(3), "{all:?}");
    assert_eq!(all.lines[0], "nothing that could be read is stuck");
    let told = all.lines.join("\n");
    assert!(resources.iter().all(|what| told.contains(what)), "{told}");
    let one = place.call(&["why", "vs/nightly"]).await;
    assert_eq!(one.code, Some(3), "{one:?}");
    assert!(one.lines[0].contains("cannot be judged: VolumeSnapshot default/nightly could not be read"), "{one:?}");

    // A group snapshot is looked at where the API is served, and is none where it is not.
    let group = place.call(&["why", "vgs/nightly", "-n", "default"]).await;
    assert_eq!(group.code, Some(2), "{group:?}");

    let without = Place::of(scenario::find("no-crds").unwrap()).await;
    let one = without.call(&["why", "vs/nightly"]).await;
    assert_eq!(one.code, Some(2));
    assert!(one.errors.contains("the CRDs are not installed"), "{one:?}");
    assert_eq!(without.call(&["why", "-A"]).await.code, Some(0));
}

fn write(folder: &Path, objects: &[Value]) {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    fs::write(folder.join("objects.json"), list.to_string()).unwrap();
}

/// A kind that is not in the files is not absent, and a name that is there twice is not guessed.
#[test]
fn what_files_do_not_hold_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().to_str().unwrap();
    let of = |namespace: &str| {
        let mut restored = claim("restored", "fast", Some("nightly"));
        restored["metadata"] =
            json!({ "name": "restored", "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z" });
        restored["status"] = json!({ "phase": "Pending" });
        restored
    };
    write(folder.path(), &[of("shop"), of("bank")]);
    let (code, _, errors) = offline(&["why", "pvc/restored", "--from", from], None);
    assert_eq!(code, Some(2));
    assert!(errors.contains("2 of the name"), "{errors}");
    let (_, document, errors) = offline(&["why", "pvc/restored", "-n", "shop", "--from", from], None);
    let chain = document["objects"][0]["chain"].as_array().unwrap();
    assert_eq!(chain[0]["object"]["kind"], "VolumeSnapshot", "{errors} {document:#}");
    assert_eq!(chain[0]["state"], "could not be read: it is not in the files");
    assert_ne!(document["objects"][0]["certainty"], "certain");
}

/// A wait that is no fault of a driver is not blamed on one.
#[test]
fn what_a_claim_waits_for_beside_a_driver_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().to_str().unwrap();
    for (change, code, word) in [
        (json!({ "storageClassName": "" }), 0, "made by hand"),
        (json!({ "dataSourceRef": { "kind": "ReplicationDestination", "name": "r" } }), 3, "ReplicationDestination r"),
    ] {
        let mut waiting = claim("waiting", "fast", None);
        waiting["metadata"] =
            json!({ "name": "waiting", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z" });
        waiting["status"] = json!({ "phase": "Pending" });
        for (field, value) in change.as_object().unwrap() {
            waiting["spec"][field] = value.clone();
        }
        let later = json!({ "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": "n", "creationTimestamp": "2026-01-02T00:00:00Z" } });
        let pods = json!({ "apiVersion": "v1", "kind": "PodList", "items": [] });
        write(folder.path(), &[waiting, later, pods]);
        let (ended, document, errors) = offline(&["why", "pvc/waiting", "--from", from], None);
        assert_eq!(ended, Some(code), "{errors} {document:#}");
        assert!(document["objects"][0]["note"].as_str().unwrap().contains(word), "{document:#}");
        assert_eq!(document["objects"][0]["result"], Value::Null);
    }
}
