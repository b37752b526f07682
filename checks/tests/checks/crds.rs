//! The CRD procedure against every release of upstream's.

use serde_json::{Value, json};
use snapready_checks::knowledge::crds::release::{Release, Together, of_group_contents, together};
use snapready_checks::model::kubernetes::CustomResourceDefinition;

use crate::definitions::{definition, fingerprints};

const NAMES: [&str; 3] = [
    "volumesnapshots.snapshot.storage.k8s.io",
    "volumesnapshotcontents.snapshot.storage.k8s.io",
    "volumesnapshotclasses.snapshot.storage.k8s.io",
];
const GROUP_CONTENTS: &str = "volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io";

fn read(crd: Value) -> CustomResourceDefinition {
    serde_json::from_value(crd).unwrap()
}

fn tags(name: &str) -> Vec<String> {
    let fingerprints = fingerprints();
    let revisions = fingerprints["crds"][name].as_array().unwrap().clone();
    let tags = revisions.iter().flat_map(|revision| revision["releases"].as_array().unwrap().clone());
    tags.map(|tag| tag.as_str().unwrap().to_owned()).collect()
}

/// The class of a tag, from its number alone.
fn class(tag: &str) -> Release {
    match tag.trim_start_matches('v').rsplit_once('.').unwrap() {
        ("2.0", _) => Release::V2_0,
        ("2.1", _) => Release::V2_1,
        ("2.2" | "3.0", _) => Release::V3,
        ("4.0", _) => Release::V4_0,
        ("4.1", _) => Release::V4_1,
        ("4.2", _) => Release::V4_2,
        ("5.0", _) => Release::V5_0,
        ("6.0", "0") => Release::V6_0_0,
        ("6.0" | "6.1" | "6.2", _) => Release::V6_2,
        ("6.3", _) => Release::V6_3,
        ("7.0", _) => Release::V7_0,
        _ => Release::V8,
    }
}

#[test]
fn every_release_is_recognised() {
    let tags = tags(NAMES[0]);
    assert!(tags.len() >= 46, "{tags:?}");
    for tag in tags {
        for rules_dropped in [false, true] {
            let [snapshots, contents, classes] = NAMES.map(|name| read(definition(name, &tag, rules_dropped)));
            let release = class(&tag);
            let expected = Together::Release { release, rules_dropped: rules_dropped && release == Release::V8 };
            assert_eq!(together(&snapshots, &contents, &classes), expected, "{tag}, rules dropped: {rules_dropped}");
        }
    }
}

/// The CRDs of release 8.6.0 as an API server gives them back, whole.
fn real(name: &str) -> Value {
    let facts: Value = serde_json::from_str(include_str!("healthy-cluster.json")).unwrap();
    let crds = facts["customResourceDefinitions"]["value"].as_array().unwrap().clone();
    crds.into_iter().find(|crd| crd["metadata"]["name"] == name).unwrap()
}

/// Takes the validation rules away, as an API server below 1.25 does.
fn drop_rules(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("x-kubernetes-validations");
            fields.values_mut().for_each(drop_rules);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_rules),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_crds_of_8_6_0_are_recognised_from_a_real_api_server() {
    for rules_dropped in [false, true] {
        let [snapshots, contents, classes] = NAMES.map(|name| {
            let mut crd = real(name);
            if rules_dropped {
                drop_rules(&mut crd);
            }
            read(crd)
        });
        let expected = Together::Release { release: Release::V8, rules_dropped };
        assert_eq!(together(&snapshots, &contents, &classes), expected);
    }
    assert_eq!(of_group_contents(&read(real(GROUP_CONTENTS))), "8.6 to 8.7");
}

#[test]
fn crds_older_than_2_0_are_recognised() {
    let [snapshots, contents, classes] = NAMES.map(|name| {
        read(json!({ "metadata": { "name": name }, "spec": { "versions": [{ "name": "v1alpha1", "served": true, "storage": true }] } }))
    });
    let expected = Together::Release { release: Release::Below2, rules_dropped: false };
    assert_eq!(together(&snapshots, &contents, &classes), expected);
}

#[test]
fn an_upgrade_that_stopped_halfway_is_told_wherever_the_crds_differ() {
    // One CRD of a much newer release than the other two.
    for (old, new) in [("v3.0.3", "v4.0.0"), ("v4.0.0", "v4.1.0"), ("v5.0.0", "v8.6.0"), ("v6.3.0", "v7.0.0")] {
        for newer in NAMES {
            let [snapshots, contents, classes] =
                NAMES.map(|name| read(definition(name, if name == newer { new } else { old }, false)));
            let together = together(&snapshots, &contents, &classes);
            assert!(matches!(together, Together::HalfDone { .. }), "{old}, {newer} of {new}: {together:?}");
        }
    }
}

#[test]
fn the_releases_of_group_crds_are_recognised() {
    for tag in tags(GROUP_CONTENTS) {
        let expected = match &tag[..4] {
            "v6.3" => "6.3",
            "v7.0" => "7.0",
            "v8.0" | "v8.1" => "8.0 to 8.1",
            "v8.2" | "v8.3" => "8.2 to 8.3",
            "v8.4" | "v8.5" => "8.4 to 8.5",
            _ => "8.6 to 8.7",
        };
        assert_eq!(of_group_contents(&read(definition(GROUP_CONTENTS, &tag, false))), expected, "{tag}");
    }
}

#[test]
fn hostile_definitions_do_no_harm() {
    let deep = (0..200).fold(json!({}), |node, _| json!({ "properties": { "spec": node } }));
    for spec in [
        json!(null),
        json!([]),
        json!({ "versions": {} }),
        json!({ "versions": [1, "v1", { "name": 1 }] }),
        json!({ "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": deep } }] }),
    ] {
        let crd = read(json!({ "metadata": { "name": NAMES[0] }, "spec": spec }));
        // Only that it ends counts.
        let _ = together(&crd, &crd, &crd);
        let _ = of_group_contents(&crd);
    }
}
