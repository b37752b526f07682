//! `--from`: what a dump of a cluster shows is what the cluster shows, and what is not in it is unknown.

#![expect(clippy::unwrap_used, reason = "a test may")]

#[path = "program/dump.rs"]
mod dump;
mod program;

use std::collections::BTreeMap;
use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use snapready_sim::scenario;
use tar::Builder;

use crate::dump::{dump, offline};
use crate::program::Place;

/// Status and message of each result by check and target.
fn results(report: &Value) -> BTreeMap<(String, String), (String, String)> {
    let text = |result: &Value, field: &str| result[field].as_str().unwrap_or_default().to_owned();
    let results = report["results"].as_array().unwrap().iter();
    let all = results.map(|result| {
        ((text(result, "id"), text(result, "target")), (text(result, "status"), text(result, "message")))
    });
    all.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_shows_what_the_cluster_shows() {
    let names = [
        "healthy",
        "no-crds",
        "v1beta1-only",
        "no-controller",
        "no-sidecar",
        "unknown-flag",
        "missing-right",
        "controller-role-gone",
        "csi-driver-gone",
        "left-over-webhook",
        "two-classes",
    ];
    for name in names {
        let Some(scenario) = scenario::find(name) else { panic!("{name}") };
        let place = Place::of(scenario).await;
        let folder = tempfile::tempdir().unwrap();
        dump(&place, folder.path()).await;
        let live = place.call(&["check", "-o", "json"]).await;
        assert!(matches!(live.code, Some(0 | 1)), "{name}: {}", live.errors);
        let live: Value = serde_json::from_str(&live.lines.join("\n")).unwrap();
        let (_, report, errors) = offline(&["check", "--from", folder.path().to_str().unwrap()], None);
        assert_eq!(report["source"]["kind"], "files", "{name}: {errors} {report:#}");
        assert_eq!(report["source"]["serverVersion"], live["source"]["serverVersion"], "{name}");
        let (mut live, offline) = (results(&live), results(&report));
        // Offline there is nobody whose rights could be asked about.
        live.retain(|(id, _), _| !id.starts_with("SR4"));
        let unseen = offline.iter().filter(|(_, (_, message))| message.contains("not collected"));
        let unseen: Vec<&str> = unseen.map(|((id, _), _)| id.as_str()).collect();
        for (what, found) in live.iter().filter(|((id, _), _)| !unseen.contains(&id.as_str())) {
            let told = offline.get(what).unwrap_or_else(|| panic!("{name}: {what:?} is not told offline"));
            assert_eq!(told, found, "{name}: {what:?}");
        }
        // The services of webhooks and the switches of drivers are asked for by name.
        assert_eq!(unseen, ["SR108", "SR206"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_shows_what_the_folder_shows() {
    let place = Place::of(scenario::find("no-controller").unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    dump(&place, folder.path()).await;
    let archives = tempfile::tempdir().unwrap();
    let (packed, cut) = (archives.path().join("dump.tar.gz"), archives.path().join("cut.tar.gz"));
    let mut tar = Builder::new(GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::default()));
    tar.append_dir_all("dump", folder.path()).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    let bytes = fs::read(&packed).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();

    let (code, of_folder, _) = offline(&["check", "--from", folder.path().to_str().unwrap()], None);
    assert_eq!(code, Some(1));
    for (from, input) in [(packed.to_str().unwrap(), None), ("-", Some(packed.as_path()))] {
        let (code, report, errors) = offline(&["check", "--from", from], input);
        assert_eq!((code, results(&report)), (Some(1), results(&of_folder)), "{errors}");
    }
    let (code, report, errors) = offline(&["check", "--from", cut.to_str().unwrap()], None);
    assert_eq!((code, report), (Some(2), Value::Null));
    assert!(errors.contains("an archive that ends too early"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_dump_is_no_cluster_without_the_rest() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    dump(&place, folder.path()).await;
    let classes = folder.path().join("volumesnapshotclasses.snapshot.storage.k8s.io.json");
    let (code, report, errors) = offline(&["check", "--from", "-"], Some(&classes));
    assert_eq!(code, Some(3), "{errors} {report:#}");
    for result in report["results"].as_array().unwrap() {
        let status = result["status"].as_str().unwrap();
        assert!(matches!(status, "pass" | "unknown" | "skip"), "{result:#}");
    }
    let (code, document, errors) = offline(&["drivers", "--from", folder.path().to_str().unwrap()], None);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(document["drivers"].as_array().unwrap().len(), 1, "{document:#}");
    let (_, document, errors) = offline(&["coverage", "--from", folder.path().to_str().unwrap()], None);
    assert!(document["total"].is_object(), "{errors} {document:#}");
}

#[test]
fn a_wrong_call_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for (arguments, word) in [
        (&["check", "--from", "/nowhere"][..], "No such file"),
        (&["check", "--from", folder], "no object of Kubernetes"),
        (&["check", "--from", folder, "--context", "x"], "how to reach a cluster"),
        (&["coverage", "--from", folder], "no object of Kubernetes"),
    ] {
        let (code, _, errors) = offline(arguments, None);
        assert_eq!(code, Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(word), "{arguments:?}: {errors}");
    }
}
