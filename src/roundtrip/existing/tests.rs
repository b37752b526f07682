use jiff::Timestamp;
use serde_json::{Value, json};
use snapready_checks::model::facts::Facts;

use super::*;
use crate::model::PodUser;
use crate::roundtrip::carry::Carry;
use crate::roundtrip::driver::Knowledge as _;
use crate::roundtrip::known_facts::KnownFacts;
use crate::roundtrip::ledger::Item;
use crate::roundtrip::modes::Seen;
use crate::roundtrip::plan::{Plan, PlanError, Selection};
use crate::roundtrip::program::By;

fn reference(given: Given) -> Reference {
    Reference { given, named: "team/data".parse().unwrap() }
}

fn claim(changes: &[(&str, Value)]) -> Value {
    let claim = json!({
        "metadata": { "name": "data", "namespace": "team" },
        "spec": { "accessModes": ["ReadWriteOncePod"], "storageClassName": "fast", "volumeName": "pv",
            "resources": { "requests": { "storage": "1Gi" } } },
        "status": { "phase": "Bound", "capacity": { "storage": "2Gi" } },
    });
    changed(claim, changes)
}

fn snapshot(changes: &[(&str, Value)]) -> Value {
    let snapshot = json!({
        "metadata": { "name": "data", "namespace": "team" },
        "spec": { "source": { "persistentVolumeClaimName": "data" }, "volumeSnapshotClassName": "gold" },
        "status": { "readyToUse": true, "restoreSize": "3Gi", "boundVolumeSnapshotContentName": "content" },
    });
    changed(snapshot, changes)
}

fn changed(mut object: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    object
}

fn csi() -> Value {
    json!({ "metadata": { "name": "pv" }, "spec": { "csi": { "driver": "good.csi" } } })
}

fn content() -> Value {
    json!({ "spec": { "driver": "good.csi", "sourceVolumeMode": "Block" }, "status": { "restoreSize": 4096 } })
}

fn of_claim(claim: Option<Value>, volume: Option<Value>) -> Result<Existing, Unusable> {
    understand(&reference(Given::Claim), &Objects { claim, volume, ..Objects::default() })
}

fn of_snapshot(snapshot: Value, content: Option<Value>, claim: Option<Value>) -> Result<Existing, Unusable> {
    let objects = Objects { snapshot: Some(snapshot), content, claim, ..Objects::default() };
    understand(&reference(Given::Snapshot), &objects)
}

#[test]
fn a_claim_says_how_it_is_restored() {
    let existing = of_claim(Some(claim(&[])), Some(csi())).unwrap();
    assert_eq!((existing.storage_class.as_deref(), existing.driver.as_deref()), (Some("fast"), Some("good.csi")));
    assert_eq!((existing.volume_mode, existing.bytes), (Some(VolumeMode::Filesystem), Some(2 << 30)));
    assert_eq!(existing.access_mode, "ReadWriteOnce", "the restored claim is for one pod, and is another claim");
    for (modes, wanted) in [
        (json!(["ReadWriteMany"]), "ReadWriteMany"),
        (json!(["ReadOnlyMany", "ReadWriteOnce"]), "ReadWriteOnce"),
        (json!([]), "ReadWriteOnce"),
        (json!([7]), "ReadWriteOnce"),
    ] {
        let existing = of_claim(Some(claim(&[("/spec/accessModes", modes)])), None).unwrap();
        assert_eq!((existing.access_mode.as_str(), existing.driver), (wanted, None));
    }
    // Of a size that cannot be read nothing is known.
    let sizes = [("/spec/resources/requests/storage", json!("large")), ("/status/capacity", Value::Null)];
    assert_eq!(of_claim(Some(claim(&sizes)), None).unwrap().bytes, None);
}

#[test]
fn a_claim_is_used_by_pods_that_have_not_ended() {
    let pod = |claim: &str, phase: &str| {
        json!({ "metadata": { "name": "app" }, "status": { "phase": phase },
            "spec": { "volumes": [{ "name": "a", "persistentVolumeClaim": { "claimName": claim } }] } })
    };
    for (pods, wanted) in [
        (vec![], false),
        (vec![pod("other", "Running")], false),
        (vec![pod("data", "Succeeded"), json!("no pod")], false),
        (vec![pod("other", "Running"), pod("data", "Pending")], true),
    ] {
        let objects = Objects { claim: Some(claim(&[])), pods, ..Objects::default() };
        assert_eq!(understand(&reference(Given::Claim), &objects).unwrap().is_used, wanted, "{objects:?}");
    }
}

#[test]
fn a_snapshot_says_how_it_is_restored() {
    let existing = of_snapshot(snapshot(&[]), Some(content()), None).unwrap();
    assert_eq!((existing.storage_class, existing.driver.as_deref()), (None, Some("good.csi")));
    assert_eq!((existing.volume_mode, existing.bytes), (Some(VolumeMode::Block), Some(3 << 30)));
    assert_eq!(existing.snapshot_class.as_deref(), Some("gold"));
    // The content's mode counts before that of a claim that may have been made anew, and its size where the snapshot has none.
    let none = [("/status/restoreSize", Value::Null)];
    let existing = of_snapshot(snapshot(&none), Some(content()), Some(claim(&[]))).unwrap();
    assert_eq!((existing.volume_mode, existing.bytes), (Some(VolumeMode::Block), Some(4096)));
    let existing = of_snapshot(snapshot(&none), None, Some(claim(&[]))).unwrap();
    assert_eq!((existing.volume_mode, existing.bytes, existing.driver), (Some(VolumeMode::Filesystem), None, None));
}

#[test]
fn what_cannot_be_restored_from_is_named() {
    let in_tree = json!({ "metadata": { "name": "pv" }, "spec": { "nfs": {} } });
    let deleting = [("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"))];
    let error = [("/status/readyToUse", json!(false)), ("/status/error", json!({ "message": "no\nroom" }))];
    for (found, wanted) in [
        (of_claim(None, None), "PersistentVolumeClaim team/data does not exist"),
        (of_claim(Some(claim(&deleting)), None), "is being deleted"),
        (of_claim(Some(claim(&[("/status/phase", json!("Lost"))])), None), "is not bound (Lost)"),
        (of_claim(Some(claim(&[("/status", Value::Null)])), None), "is not bound (it has no phase)"),
        (of_claim(Some(claim(&[])), Some(in_tree)), "of no CSI driver (PersistentVolume pv)"),
        (of_snapshot(snapshot(&deleting), None, None), "is being deleted"),
        (of_snapshot(snapshot(&error), None, None), "is not ready to use: no room"),
        (of_snapshot(snapshot(&[("/status", json!({}))]), None, None), "status.readyToUse is not true"),
    ] {
        let said = found.unwrap_err().to_string();
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_name_has_its_namespace() {
    assert_eq!("a/b".parse::<Named>().unwrap(), Named { namespace: "a".to_owned(), name: "b".to_owned() });
    for text in ["", "a", "/", "a/", "/b", "a/b/c", "A/b", "a/b c", "a/../b"] {
        assert!(text.parse::<Named>().is_err(), "{text}");
    }
}

fn planned(existing: &Existing, selection: &Selection) -> Result<Plan, PlanError> {
    let class = |name: &str, driver: &str, default: bool| {
        json!({ "metadata": { "name": name, "annotations": {
            "storageclass.kubernetes.io/is-default-class": default.to_string() } }, "provisioner": driver })
    };
    let classes =
        json!([class("fast", "good.csi", false), class("slow", "good.csi", true), class("other", "bad.csi", false)]);
    let facts: Facts =
        serde_json::from_value(json!({ "storageClasses": { "state": "seen", "value": classes } })).unwrap();
    Plan::of_existing(selection, existing, &facts, "7f3a9c".parse().unwrap(), Timestamp::UNIX_EPOCH)
}

#[test]
fn the_plan_follows_from_what_exists() {
    let existing = of_claim(Some(claim(&[])), Some(csi())).unwrap();
    let plan = planned(&existing, &Selection::default()).unwrap();
    assert_eq!((plan.namespace.as_str(), plan.own_namespace), ("team", false));
    let [target] = plan.targets.as_slice() else { panic!("{plan:?}") };
    assert_eq!(
        (target.storage_class.as_str(), target.size_bytes, target.mode.name),
        ("fast", 2 << 30, "existing-claim")
    );
    assert_eq!((target.existing_of(Given::Claim), target.existing_of(Given::Snapshot)), (Some("data"), None));

    // Its class has gone: the driver's default takes its place.
    let snapshot = of_snapshot(snapshot(&[]), Some(content()), None).unwrap();
    let plan = planned(&snapshot, &Selection::default()).unwrap();
    assert_eq!((plan.targets[0].storage_class.as_str(), plan.targets[0].volume_mode), ("slow", VolumeMode::Block));
    assert_eq!(plan.targets[0].snapshot_class.as_deref(), Some("gold"));

    let named = |name: &str| Selection { storage_classes: vec![name.to_owned()], ..Selection::default() };
    assert_eq!(planned(&existing, &named("slow")).unwrap().targets[0].storage_class, "slow");
    let sized = Selection { sizes: vec!["64Mi".to_owned()], ..Selection::default() };
    let unsized_snapshot = Existing { bytes: None, ..snapshot.clone() };
    assert_eq!(planned(&unsized_snapshot, &sized).unwrap().targets[0].size_bytes, 64 << 20);
    let block = Selection { volume_modes: vec![VolumeMode::Block], ..Selection::default() };
    let unknown_driver = Existing { driver: None, storage_class: None, ..existing.clone() };
    for (existing, selection, wanted) in [
        (
            &existing,
            &named("other"),
            "StorageClass \"other\" is of driver bad.csi, but PersistentVolumeClaim team/data is of driver good.csi",
        ),
        (&existing, &named("none"), "StorageClass \"none\" does not exist"),
        (&existing, &block, "PersistentVolumeClaim team/data is of volume mode Filesystem; leave --volume-mode out"),
        (&unsized_snapshot, &Selection::default(), "VolumeSnapshot team/data does not say how large it is"),
        (&unknown_driver, &Selection::default(), "name one of its driver with --storage-class"),
    ] {
        let error = planned(existing, selection).unwrap_err();
        assert!(error.is_usage(), "{error}");
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

/// Everything that a restore makes, with pods of the user that the driver tries last.
fn made(plan: &Plan) -> Vec<Value> {
    let carry = Carry::new(plan, KnownFacts::new(Facts::default(), None), b"seed");
    let program = carry.program(0);
    let ids = program.objects().iter().filter(|object| object.by == By::Run && !object.shared).map(|object| object.id);
    ids.map(|id| carry.manifest(Item::Of(0, id), PodUser::NonRoot, &Seen::default()).unwrap().body).collect()
}

/// What belongs to others keeps its owner, and is not written to: a kubelet changes the owner of all files for an `fsGroup`.
#[test]
fn what_is_restored_is_mounted_as_it_is() {
    let claim = claim(&[("/spec/accessModes", json!(["ReadOnlyMany"]))]);
    let existing = of_claim(Some(claim), Some(csi())).unwrap();
    let plan = planned(&existing, &Selection::default()).unwrap();
    let objects = made(&plan);
    let of_kind = |kind: &str| objects.iter().filter(move |object| object["kind"] == kind).collect::<Vec<_>>();
    let (pods, claims, snapshots) = (of_kind("Pod"), of_kind("PersistentVolumeClaim"), of_kind("VolumeSnapshot"));
    assert_eq!((pods.len(), claims.len(), snapshots.len()), (2, 1, 1), "{objects:#?}");
    for pod in &pods {
        let spec = &pod["spec"];
        assert_eq!(spec["securityContext"]["runAsUser"], 65_534);
        assert!(spec["securityContext"].get("fsGroup").is_none(), "{spec:#}");
        assert!(spec["volumes"][0]["persistentVolumeClaim"]["claimName"].as_str().unwrap().starts_with("snapready-"));
    }
    let mounts = pods.iter().flat_map(|pod| pod["spec"]["containers"].as_array().unwrap());
    let mounts: Vec<&Value> = mounts.flat_map(|container| container["volumeMounts"].as_array().unwrap()).collect();
    let data: Vec<_> = mounts.iter().filter(|mount| mount["name"] == "data").collect();
    assert!(!data.is_empty() && data.iter().all(|mount| mount["readOnly"] == true), "{data:?}");
    assert_eq!(snapshots[0]["spec"]["source"]["persistentVolumeClaimName"], "data");
    assert_eq!(claims[0]["spec"]["accessModes"], json!(["ReadOnlyMany"]));
    assert!(objects.iter().all(|object| object["metadata"]["namespace"] == "team"), "{objects:#?}");

    let snapshot = of_snapshot(snapshot(&[]), Some(content()), None).unwrap();
    let objects = made(&planned(&snapshot, &Selection::default()).unwrap());
    let claim = objects.iter().find(|object| object["kind"] == "PersistentVolumeClaim").unwrap();
    assert_eq!(claim["spec"]["dataSource"]["name"], "data");
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "3Gi");
    assert!(objects.iter().all(|object| object["kind"] != "VolumeSnapshot"), "{objects:#?}");
}
