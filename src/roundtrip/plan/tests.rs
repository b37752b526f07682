use serde_json::{Value, json};
use snapready_checks::model::need::Rule;
use snapready_checks::model::probe::Probe;

use super::*;

fn class(name: &str, provisioner: &str, default: bool, created: &str) -> Value {
    let annotations =
        if default { json!({ "storageclass.kubernetes.io/is-default-class": "true" }) } else { json!({}) };
    json!({
        "metadata": { "name": name, "annotations": annotations, "creationTimestamp": created },
        "provisioner": provisioner,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    })
}

fn snapshot_class(name: &str, driver: &str, default: &str) -> Value {
    let annotations = json!({ "snapshot.storage.kubernetes.io/is-default-class": default });
    json!({ "metadata": { "name": name, "annotations": annotations }, "driver": driver, "deletionPolicy": "Delete" })
}

fn facts() -> Facts {
    let seen = |value: Value| json!({ "state": "seen", "value": value });
    serde_json::from_value(json!({
        "storageClasses": seen(json!([
            class("local", "rancher.io/local-path", false, "2026-01-03T00:00:00Z"),
            class("old", "a.csi", true, "2026-01-01T00:00:00Z"),
            class("new", "b.csi", true, "2026-01-02T00:00:00Z"),
        ])),
        "csiDrivers": seen(json!([{ "metadata": { "name": "a.csi" } }])),
        "csiNodes": seen(json!([{ "metadata": { "name": "n" }, "spec": { "drivers": [{ "name": "b.csi" }] } }])),
        "volumeSnapshotClasses": seen(json!([
            snapshot_class("a1", "a.csi", "true"),
            snapshot_class("a2", "a.csi", "True"),
            snapshot_class("b1", "b.csi", "true"),
            snapshot_class("b2", "b.csi", "true"),
        ])),
    }))
    .unwrap()
}

fn plan(selection: &Selection) -> Result<Plan, PlanError> {
    let run = "7f3a9c".parse().unwrap();
    Plan::new(selection, &facts(), run, "2026-01-01T01:00:00Z".parse().unwrap())
}

fn storage_classes(plan: &Plan) -> Vec<&str> {
    plan.targets.iter().map(|target| target.storage_class.as_str()).collect()
}

#[test]
fn openshift_assigns_the_user() {
    let user = |constraints: Probe<bool>, version: &str| {
        let server_version = json!({ "state": "seen", "value": { "gitVersion": version } });
        let server_version = serde_json::from_value(server_version).unwrap();
        let facts = Facts { security_context_constraints: constraints, server_version, ..facts() };
        let run = "7f3a9c".parse().unwrap();
        Plan::new(&Selection::default(), &facts, run, Timestamp::UNIX_EPOCH).unwrap().user
    };
    assert_eq!(user(Probe::from(true), "v1.33.4+6b9dba0"), None);
    assert_eq!(user(Probe::from(true), "v1.33.4"), None);
    assert_eq!(user(Probe::from(false), "v1.33.4+6b9dba0"), Some(65_534));
    // Where nobody could look the version tells.
    assert_eq!(user(Probe::Failed { reason: "no answer".to_owned() }, "v1.33.4+6b9dba0"), None);
    assert_eq!(user(Probe::NotCollected, "v1.33.4+k3s1"), Some(65_534));
}

#[test]
fn the_default_is_the_newest_default_class_in_both_modes() {
    let plan = plan(&Selection::default()).unwrap();
    assert_eq!(storage_classes(&plan), ["new", "new"]);
    assert_eq!(plan.targets[1].volume_mode, VolumeMode::Block);
    // Two defaults of the driver: Kubernetes takes none, and neither does snapready.
    assert_eq!(plan.targets[0].snapshot_class, None);
    assert_eq!((plan.namespace.as_str(), plan.own_namespace), ("snapready-7f3a9c", true));
    assert_eq!(plan.image, "docker.io/library/busybox:1.36");
    assert_eq!(plan.targets[0].size_bytes, 1 << 30);
    assert_eq!(plan.user, Some(65_534));
}

#[test]
fn all_are_those_with_a_csi_driver() {
    let selection = Selection { all: true, volume_modes: vec![VolumeMode::Block], ..Selection::default() };
    let plan = plan(&selection).unwrap();
    assert_eq!(storage_classes(&plan), ["new", "old"]);
    assert_eq!(plan.targets[1].snapshot_class.as_deref(), Some("a1"));
    assert_eq!(plan.targets[1].index, 1);
}

#[test]
fn names_are_looked_up() {
    let named =
        |name: &str| Selection { storage_classes: vec![name.to_owned(), name.to_owned()], ..Selection::default() };
    assert_eq!(plan(&named("old")).unwrap().targets.len(), 2);
    let error = plan(&named("olt")).unwrap_err().to_string();
    assert!(error.contains("\"olt\"") && error.contains("local, new, old"), "{error}");
    let selection = Selection { snapshot_class: Some("b2".to_owned()), ..named("old") };
    let target = plan(&selection).unwrap().targets.remove(0);
    assert_eq!((target.snapshot_class.as_deref(), target.snapshot_driver.as_deref()), (Some("b2"), Some("b.csi")));
    let selection = Selection { snapshot_class: Some("zz".to_owned()), ..named("old") };
    assert!(plan(&selection).unwrap_err().to_string().contains("a1, a2, b1, b2"));
}

#[test]
fn what_could_not_be_seen_is_no_reason_to_guess() {
    let run = || "7f3a9c".parse().unwrap();
    let storage_classes = Probe::Forbidden { rule: Rule::new("storage.k8s.io", "storageclasses", &["list"]) };
    let facts = Facts { storage_classes, ..Facts::default() };
    let error = Plan::new(&Selection::default(), &facts, run(), Timestamp::UNIX_EPOCH).unwrap_err().to_string();
    assert!(error.contains("list storageclasses.storage.k8s.io"), "{error}");
    let selection = Selection { storage_classes: vec!["fast".to_owned()], ..Selection::default() };
    let plan = Plan::new(&selection, &facts, run(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(plan.targets[0].driver, None);
}

#[test]
fn bad_input_is_one_clear_error() {
    let with = |change: &dyn Fn(&mut Selection)| {
        let mut selection = Selection::default();
        change(&mut selection);
        plan(&selection).unwrap_err().to_string()
    };
    assert!(with(&|selection| selection.size = Some("45".to_owned())).contains("number of bytes"));
    assert!(with(&|selection| selection.size = Some("10GB".to_owned())).contains("not a Kubernetes quantity"));
    assert!(with(&|selection| selection.image = Some("Not An Image".to_owned())).contains("image reference"));
    assert!(with(&|selection| selection.namespace = Some("Bad_Name".to_owned())).contains("not a name"));
    assert!(with(&|selection| selection.storage_classes = vec!["$(rm)".to_owned()]).contains("not a name"));
    assert!(with(&|selection| selection.image_pull_secret = Some("pull".to_owned())).contains("--namespace"));
    for text in ["", "7F3A9C", "7f3a9", "7f3a9cc", "../../"] {
        assert!(text.parse::<RunId>().is_err(), "{text}");
    }
    assert_eq!(RunId::from_bytes([0x7f, 0x3a, 0x0c]).to_string(), "7f3a0c");
}

#[test]
fn a_restored_volume_is_as_large_as_the_largest() {
    assert_eq!(restore_size(1 << 30, None, None), Ok(1 << 30));
    assert_eq!(restore_size(1 << 30, Some("1Gi"), Some("5Gi")), Ok(5 << 30));
    assert_eq!(restore_size(1 << 30, Some("10737418240"), Some("1Gi")), Ok(10 << 30));
    assert_eq!(restore_size(1 << 30, Some("0"), None), Ok(1 << 30));
    assert!(restore_size(1 << 30, Some("lots"), None).is_err());
}
