use serde_json::{Value, json};
use snapready_checks::model::need::Rule;
use snapready_checks::model::probe::Probe;

use super::*;
use crate::roundtrip::modes::source_gone;

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

/// The same with other `VolumeSnapshotClasses`: name, driver, whether it is the default, deletion policy.
fn facts_with(classes: &[(&str, &str, bool, &str)]) -> Facts {
    let class = |(name, driver, default, policy): &(&str, &str, bool, &str)| {
        let mut class = snapshot_class(name, driver, &default.to_string());
        class["deletionPolicy"] = (*policy).into();
        class
    };
    let classes: Value = classes.iter().map(class).collect();
    Facts { volume_snapshot_classes: Probe::from(serde_json::from_value::<Vec<_>>(classes).unwrap()), ..facts() }
}

/// The modes of a plan's round trips, with their labels.
fn labels(modes: &[&'static Mode]) -> Vec<String> {
    let selection = Selection { modes: modes.to_vec(), ..Selection::default() };
    plan(&selection).unwrap().targets.iter().map(Target::label).collect()
}

#[test]
fn each_class_and_volume_mode_is_tried_in_each_mode() {
    let plain = labels(&[]);
    assert_eq!(plain, labels(&[&plain::MODE]));
    assert!(plain.iter().all(|label| label.ends_with(", Filesystem") || label.ends_with(", Block")), "{plain:?}");
    let both = labels(&[&source_gone::MODE, &plain::MODE, &source_gone::MODE]);
    let wanted: Vec<String> = plain.into_iter().flat_map(|label| [label.clone(), label + ", source-gone"]).collect();
    assert_eq!(both, wanted);
}

#[test]
fn each_size_is_tried_and_named_only_where_there_are_several() {
    let tried = |sizes: &[&str]| {
        let selection =
            Selection { sizes: names(sizes), volume_modes: vec![VolumeMode::Block], ..Selection::default() };
        let selection = Selection { storage_classes: names(&["old"]), snapshot_classes: names(&["a1"]), ..selection };
        plan(&selection).unwrap().targets.iter().map(Target::label).collect::<Vec<_>>()
    };
    assert_eq!(tried(&[]), ["old → a1, Block"]);
    assert_eq!(tried(&["2Gi"]), ["old → a1, Block"]);
    assert_eq!(tried(&["1Gi", "1024Mi"]), ["old → a1, Block"]);
    assert_eq!(tried(&["10Gi", "1Gi", "1024Mi"]), ["old → a1, Block, 1Gi", "old → a1, Block, 10Gi"]);
    let too_small = Selection { sizes: names(&["10Gi", "1Mi"]), ..Selection::default() };
    assert_eq!(plan(&too_small), Err(PlanError::TooSmall(Quantity(1 << 20))));
}

fn plan(selection: &Selection) -> Result<Plan, PlanError> {
    plan_of(selection, &facts())
}

fn plan_of(selection: &Selection, facts: &Facts) -> Result<Plan, PlanError> {
    let run = "7f3a9c".parse().unwrap();
    Plan::new(selection, facts, run, "2026-01-01T01:00:00Z".parse().unwrap())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What is tried in one volume mode, as `StorageClass VolumeSnapshotClass`.
fn pairs(selection: Selection, facts: &Facts) -> Vec<String> {
    let plan = plan_of(&Selection { volume_modes: vec![VolumeMode::Block], ..selection }, facts).unwrap();
    let pair =
        |target: &Target| format!("{} {}", target.storage_class, target.snapshot_class.as_deref().unwrap_or("-"));
    plan.targets.iter().map(pair).collect()
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
    // Two defaults of the driver: Kubernetes takes none, so each is tried.
    assert_eq!(storage_classes(&plan), ["new"; 4]);
    let tried = |target: &Target| (target.index, target.snapshot_class.clone().unwrap(), target.volume_mode);
    assert_eq!(
        plan.targets.iter().map(tried).collect::<Vec<_>>(),
        [
            (0, "b1".to_owned(), VolumeMode::Filesystem),
            (1, "b1".to_owned(), VolumeMode::Block),
            (2, "b2".to_owned(), VolumeMode::Filesystem),
            (3, "b2".to_owned(), VolumeMode::Block),
        ]
    );
    assert_eq!((plan.namespace.as_str(), plan.own_namespace), ("snapready-7f3a9c", true));
    assert_eq!(plan.image, "docker.io/library/busybox:1.36");
    assert_eq!(plan.targets[0].size_bytes, 1 << 30);
    assert_eq!(plan.user, Some(65_534));
}

#[test]
fn all_are_those_with_a_csi_driver() {
    let selection = Selection { all: true, volume_modes: vec![VolumeMode::Block], ..Selection::default() };
    let plan = plan(&selection).unwrap();
    assert_eq!(storage_classes(&plan), ["new", "new", "old"]);
    assert_eq!(plan.targets[2].snapshot_class.as_deref(), Some("a1"));
    assert_eq!(plan.targets[2].index, 2);
}

#[test]
fn names_are_looked_up() {
    let named =
        |name: &str| Selection { storage_classes: vec![name.to_owned(), name.to_owned()], ..Selection::default() };
    assert_eq!(plan(&named("old")).unwrap().targets.len(), 2);
    let error = plan(&named("olt")).unwrap_err().to_string();
    assert!(error.contains("\"olt\"") && error.contains("local, new, old"), "{error}");
    let selection = Selection { snapshot_classes: names(&["b2"]), ..named("old") };
    let target = plan(&selection).unwrap().targets.remove(0);
    assert_eq!((target.snapshot_class.as_deref(), target.snapshot_driver.as_deref()), (Some("b2"), Some("b.csi")));
    let selection = Selection { snapshot_classes: names(&["a1", "zz"]), ..named("old") };
    assert!(plan(&selection).unwrap_err().to_string().contains("a1, a2, b1, b2"));
}

#[test]
fn without_a_default_each_class_of_the_driver_is_tried() {
    let tried = |classes: &[(&str, &str, bool, &str)]| pairs(Selection::default(), &facts_with(classes));
    assert_eq!(tried(&[("b1", "b.csi", true, "Retain"), ("b2", "b.csi", false, "Delete")]), ["new b1"]);
    assert_eq!(tried(&[("b1", "b.csi", false, "Retain"), ("a1", "a.csi", true, "Delete")]), ["new b1"]);
    assert_eq!(tried(&[("b2", "b.csi", false, "Delete"), ("b1", "b.csi", false, "Delete")]), ["new b1", "new b2"]);
    assert_eq!(tried(&[("b2", "b.csi", false, "Delete"), ("b1", "b.csi", false, "Retain")]), ["new b2"]);
    // None of the driver, and none at all: the snapshot names none, and the cluster's answer decides.
    assert_eq!(tried(&[("a1", "a.csi", true, "Delete")]), ["new -"]);
    assert_eq!(tried(&[]), ["new -"]);
}

#[test]
fn named_classes_are_for_the_storage_classes_of_their_driver() {
    let tried = |storage: &[&str], snapshot: &[&str]| {
        let selection = Selection {
            storage_classes: names(storage),
            snapshot_classes: names(snapshot),
            all: storage.is_empty(),
            ..Selection::default()
        };
        pairs(selection, &facts())
    };
    assert_eq!(tried(&["old"], &["a2", "a1", "a2"]), ["old a2", "old a1"]);
    assert_eq!(tried(&[], &["a2", "b1"]), ["new b1", "old a2"]);
    // Those for whose driver none is named are tried as if none were.
    assert_eq!(tried(&[], &["a2"]), ["new b1", "new b2", "old a2"]);
    // One that fits none of them is tried with all: SR306 says what is wrong with it.
    assert_eq!(tried(&["old"], &["a1", "b1"]), ["old a1", "old b1"]);
    assert_eq!(tried(&["new", "local"], &["a1"]), ["new a1", "local a1"]);
}

#[test]
fn every_class_of_the_driver_on_demand() {
    let all = |storage_class: &str| Selection {
        storage_classes: names(&[storage_class]),
        all_snapshot_classes: true,
        ..Selection::default()
    };
    assert_eq!(pairs(all("old"), &facts()), ["old a1", "old a2"]);
    assert_eq!(pairs(all("local"), &facts()), ["local -"]);
    let retain = [("b1", "b.csi", true, "Delete"), ("b2", "b.csi", false, "Retain")];
    assert_eq!(pairs(all("new"), &facts_with(&retain)), ["new b1", "new b2"]);

    let with = |volume_snapshot_classes| Facts { volume_snapshot_classes, ..facts() };
    assert_eq!(pairs(all("old"), &with(Probe::NotServed)), ["old -"], "the round trip says that there is no API");
    let unseen = with(Probe::Failed { reason: "no answer".to_owned() });
    let error = plan_of(&all("old"), &unseen).unwrap_err();
    assert!(!error.is_usage() && error.to_string().contains("could not be seen (no answer)"), "{error}");
    let storage_classes = Probe::Failed { reason: "no answer".to_owned() };
    let error = plan_of(&all("old"), &Facts { storage_classes, ..facts() }).unwrap_err();
    assert!(!error.is_usage() && error.to_string().contains("could not be seen (no answer)"), "{error}");
}

#[test]
fn products_choose_by_their_own_rules() {
    let facts = |products: &[&str], marks: &[(&str, &str)]| {
        let mut facts = Facts { for_products: names(products), ..facts() };
        let mut classes = facts.volume_snapshot_classes.seen().unwrap().clone();
        for class in &mut classes {
            let own = marks.iter().filter(|(name, _)| *name == class.metadata.name);
            class.metadata.labels.extend(own.clone().map(|(_, key)| ((*key).to_owned(), "true".to_owned())));
            class.metadata.annotations.extend(own.map(|(_, key)| ((*key).to_owned(), "true".to_owned())));
        }
        facts.volume_snapshot_classes = Probe::from(classes);
        facts
    };
    let (velero, kasten) = ("velero.io/csi-volumesnapshot-class", "k10.kasten.io/is-snapshot-class");
    let modes = || vec![&plain::MODE];
    let old = || Selection { storage_classes: names(&["old"]), modes: modes(), ..Selection::default() };
    let marks = [("a2", velero), ("a1", kasten), ("b2", kasten)];
    assert_eq!(pairs(old(), &facts(&[], &marks)), ["old a1"]);
    assert_eq!(pairs(old(), &facts(&["velero"], &marks)), ["old a2"]);
    assert_eq!(pairs(old(), &facts(&["kasten", "velero", "kasten"], &marks)), ["old a2", "old a1"]);
    // For one StorageClass it takes its class; for another none that can be told, which SR601 says.
    let all = Selection { all: true, modes: modes(), ..Selection::default() };
    assert_eq!(pairs(all, &facts(&["velero"], &marks)), ["new b1", "new b2", "old a2"]);
    assert_eq!(pairs(old(), &facts(&["netbackup", "longhorn"], &marks)), ["old a1"]);
    // What is named stands above it.
    let named = Selection { snapshot_classes: names(&["a1"]), ..old() };
    assert_eq!(pairs(named, &facts(&["velero"], &marks)), ["old a1"]);
    let every = Selection { all_snapshot_classes: true, ..old() };
    assert_eq!(pairs(every, &facts(&["velero"], &marks)), ["old a1", "old a2"]);
}

#[test]
fn modes_are_those_of_the_products_unless_others_are_named() {
    let modes = |products: &[&str], modes: &[&'static Mode]| -> Vec<&str> {
        let selection = Selection {
            modes: modes.to_vec(),
            volume_modes: vec![VolumeMode::Block],
            storage_classes: names(&["old"]),
            ..Selection::default()
        };
        let plan = plan_of(&selection, &Facts { for_products: names(products), ..facts() }).unwrap();
        plan.targets.iter().map(|target| target.mode.name).collect()
    };
    assert_eq!(modes(&[], &[]), ["plain"]);
    assert_eq!(modes(&["trilio"], &[]), ["plain", "unmounted"]);
    assert_eq!(modes(&["velero", "trilio"], &[]), ["plain", "unmounted", "source-gone", "other-namespace"]);
    assert_eq!(modes(&["k8up"], &[]), ["plain"]);
    assert_eq!(modes(&["velero"], &[Mode::find("larger").unwrap()]), ["larger"]);
}

#[test]
fn a_target_knows_what_a_snapshot_without_a_class_comes_to() {
    let first = |classes: &[(&str, &str, bool, &str)], named: &[&str]| {
        let selection = Selection { snapshot_classes: names(named), ..Selection::default() };
        let target = plan_of(&selection, &facts_with(classes)).unwrap().targets.remove(0);
        (target.unnamed_fails(), target.needs_name)
    };
    let (b1, b2) = (("b1", "b.csi", false, "Delete"), ("b2", "b.csi", false, "Delete"));
    let default = |class: (&'static str, &'static str, bool, &'static str)| (class.0, class.1, true, class.3);
    let (none, two) = (Some("the driver has no default class"), Some("the driver has 2 default classes"));
    for (classes, named, fails, needs_name) in [
        (&[default(b1), b2][..], &[][..], None, false),
        (&[default(b1), b2], &["b2"], None, true),
        (&[b1], &[], none, false),
        (&[b1, b2], &[], none, true),
        (&[default(b1), default(b2)], &[], two, true),
        // None is there to be named.
        (&[], &[], None, false),
    ] {
        assert_eq!(first(classes, named), (fails.map(ToOwned::to_owned), needs_name), "{classes:?} {named:?}");
    }
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
    assert!(with(&|selection| selection.sizes = vec!["45".to_owned()]).contains("number of bytes"));
    assert!(with(&|selection| selection.sizes = vec!["10GB".to_owned()]).contains("not a Kubernetes quantity"));
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
