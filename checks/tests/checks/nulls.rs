//! An API server, or whoever answers in its place, may write null wherever a field can be left out.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use snapready_checks::model::kubernetes::{
    CsiDriver, CsiNode, CustomResourceDefinition, Lease, Pod, StorageClass, VolumeSnapshotClass, VolumeSnapshotContent,
    Workload,
};
use snapready_checks::model::nulls;

/// Pointers to everything in a value but what lies in CRDs' schemas, which are kept as they are.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(values) => values.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, value) in below {
        let pointer = format!("{at}/{key}");
        if key != "schema" {
            pointers(value, &pointer, found);
        }
        found.push(pointer);
    }
}

fn remove(value: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Value::Array(values) => drop(values.remove(key.parse().unwrap())),
        other => panic!("{other} has no parts"),
    }
}

fn every_field_may_be_null<T: DeserializeOwned + PartialEq + std::fmt::Debug>(facts: &Value, field: &str) {
    let objects = facts[field]["value"].as_array().unwrap();
    assert!(!objects.is_empty(), "{field}");
    for object in objects.iter().take(3) {
        let mut found = Vec::new();
        pointers(object, "", &mut found);
        for pointer in found {
            let (mut null, mut absent) = (object.clone(), object.clone());
            *null.pointer_mut(&pointer).unwrap() = Value::Null;
            remove(&mut absent, &pointer);
            let read = |value: &Value| nulls::from_slice::<T>(value.to_string().as_bytes());
            let read_null = read(&null).unwrap_or_else(|error| panic!("{field} {pointer}: {error}"));
            assert_eq!(nulls::from_ref::<T>(&null).unwrap(), read_null, "{field} {pointer}");
            if !(field == "customResourceDefinitions" && pointer.starts_with("/spec")) {
                assert_eq!(read_null, read(&absent).unwrap(), "{field} {pointer}");
            }
        }
    }
}

#[test]
fn null_is_absent_everywhere() {
    let mut facts: Value = serde_json::from_str(include_str!("healthy-cluster.json")).unwrap();
    facts["volumeSnapshotContents"]["value"] = json!([{
        "metadata": {"name": "snapcontent-1"},
        "spec": {"driver": "a.csi", "source": {"volumeHandle": "v"}, "volumeSnapshotRef": {"name": "s", "namespace": "n"}},
        "status": {"readyToUse": true, "snapshotHandle": "h", "restoreSize": 1, "error": {"message": "m"}},
    }]);
    every_field_may_be_null::<CustomResourceDefinition>(&facts, "customResourceDefinitions");
    every_field_may_be_null::<StorageClass>(&facts, "storageClasses");
    every_field_may_be_null::<VolumeSnapshotClass>(&facts, "volumeSnapshotClasses");
    every_field_may_be_null::<VolumeSnapshotContent>(&facts, "volumeSnapshotContents");
    every_field_may_be_null::<CsiDriver>(&facts, "csiDrivers");
    every_field_may_be_null::<CsiNode>(&facts, "csiNodes");
    every_field_may_be_null::<Pod>(&facts, "pods");
    every_field_may_be_null::<Workload>(&facts, "workloads");
    every_field_may_be_null::<Lease>(&facts, "leases");
}
