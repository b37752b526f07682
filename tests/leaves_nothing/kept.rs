//! `--keep`: what is left in the cluster on purpose, is said to be, and goes with the command that is printed.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use serde_json::Value;
use snapready_sim::scenario;

use crate::program::Place;
use crate::{AT_A_TIME, nothing_is_left};

/// `Kind namespace/name` of objects in a report.
fn named(objects: &Value) -> BTreeSet<String> {
    let text = |object: &Value, field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let objects = objects.as_array().into_iter().flatten();
    objects
        .map(|object| format!("{} {}/{}", text(object, "kind"), text(object, "namespace"), text(object, "name")))
        .collect()
}

/// The same of what is in the cluster and was not made by the cluster itself for a namespace.
fn in_the_cluster(place: &Place) -> BTreeSet<String> {
    let kind = |resource: &str| match resource.split('.').next() {
        Some("pods") => Some("Pod"),
        Some("persistentvolumeclaims") => Some("PersistentVolumeClaim"),
        Some("persistentvolumes") => Some("PersistentVolume"),
        Some("volumesnapshots") => Some("VolumeSnapshot"),
        Some("volumesnapshotcontents") => Some("VolumeSnapshotContent"),
        Some("namespaces") => Some("Namespace"),
        _ => None,
    };
    let objects = place.cluster.objects();
    let named = objects.iter().filter_map(|object| Some((kind(&object.resource)?, object)));
    named.map(|(kind, object)| format!("{kind} {}/{}", object.namespace, object.name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_told_and_goes_with_the_command_that_is_printed() {
    // Scenario, flags, exit code, whether anything is kept.
    let cases: [(&str, &[&str], i32, bool); 8] = [
        ("healthy", &["--keep", "always"], 0, true),
        ("healthy", &["--keep", "always", "-n", "default"], 0, true),
        ("healthy", &["--keep", "on-failure"], 0, false),
        ("healthy", &["--keep", "never"], 0, false),
        ("restore-stale", &["--keep", "on-failure"], 1, true),
        ("restore-stale", &["--keep", "on-failure", "-n", "default"], 1, true),
        ("snapshot-error", &["--keep", "on-failure"], 1, true),
        ("restore-stale", &[], 1, false),
    ];
    let runs = stream::iter(cases).map(async |(name, flags, code, keeps)| {
        let what = format!("{name} {flags:?}");
        let place = Place::of(scenario::find(name).unwrap()).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let report = format!("json={}", file.path().display());
        let ended =
            place.call(&[&["roundtrip", "--volume-mode", "filesystem", "--report", &report], flags].concat()).await;
        assert_eq!(ended.code, Some(code), "{what}: {ended:?}");
        let report: Value = serde_json::from_str(&std::fs::read_to_string(file.path()).unwrap()).unwrap();
        assert_eq!(report["leftovers"], Value::Array(Vec::new()), "{what}");
        let kept = named(&report["kept"]);
        assert_eq!(kept, in_the_cluster(&place), "{what}");
        assert_eq!(!kept.is_empty(), keeps, "{what}");

        let run = report["run"]["id"].as_str().unwrap();
        let command = report["cleanupCommand"].as_str().unwrap_or_default();
        let screen = ended.lines.join("\n");
        assert_eq!(!command.is_empty(), keeps, "{what}: {command}");
        if keeps {
            assert!(command.starts_with(&format!("snapready cleanup --run {run}")), "{what}: {command}");
            assert!(screen.contains(command), "{what}: {screen}");
            for object in &kept {
                let name = object.rsplit('/').next().unwrap();
                assert!(screen.contains(name), "{what}: {object} is not in {screen}");
            }
        }
        let cleaned = place.call(&["cleanup", "--run", run]).await;
        assert_eq!(cleaned.code, Some(0), "{what}: {cleaned:?}");
        nothing_is_left(&place, &cleaned, &what);
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}
