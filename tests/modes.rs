//! Every mode of the round trip on the embedded cluster: it ends ready and leaves nothing, sees every restore that is none, and
//! shows what the plain mode does not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use serde_json::Value;

const MODES: [&str; 14] = [
    "plain",
    "larger",
    "odd-size",
    "unmounted",
    "writing",
    "source-gone",
    "snapshot-first",
    "content-first",
    "other-namespace",
    "other-node",
    "read-only",
    "clone",
    "twice",
    "group",
];

/// What is wrong with a cluster, and what a mode says of it.
struct Row {
    mode: &'static str,
    scenario: &'static str,
    flags: &'static [&'static str],
    /// The id of the diagnosis, and a word of it.
    fault: (&'static str, &'static str),
}

const fn row(
    mode: &'static str,
    scenario: &'static str,
    flags: &'static [&'static str],
    fault: (&'static str, &'static str),
) -> Row {
    Row { mode, scenario, flags, fault }
}

/// What the plain mode passes; `tests/scenarios.rs` shows that.
#[rustfmt::skip]
const FAULTS: [Row; 13] = [
    row("larger", "restore-not-grown", &[], ("SR309", "intact, but the")),
    row("odd-size", "sizes-rounded-up", &[], ("SR309", "is less than size")),
    row("unmounted", "snapshot-needs-pod", &[], ("SR307", "volume is not attached to a node")),
    row("writing", "snapshots-lose-order", &[], ("SR302", "the snapshot did not keep the order of writes")),
    row("source-gone", "snapshots-go-with-source", &[], ("SR309", " does not exist")),
    row("snapshot-first", "restores-need-snapshot", &[], ("SR302", "only the beginning of the data")),
    row("content-first", "restores-need-snapshot", &[], ("SR302", "only the beginning of the data")),
    row("other-namespace", "handle-unknown", &[], ("SR309", "can not find snapshot for snapshotID")),
    row("other-node", "node-local", &[], ("SR309", "the snapshot lies on node node-1")),
    row("read-only", "restore-needs-recovery", &["--volume-mode", "filesystem"], ("SR310", "journal cannot be replayed")),
    row("clone", "clones-share-blocks", &[], ("SR302", "made a clone that changes with its source")),
    row("twice", "snapshots-need-each-other", &[], ("SR302", "only the beginning of the data")),
    row("group", "group-members-exchanged", &[], ("SR302", "data of another volume of the group")),
];

/// A run of `demo`: its exit code and its report.
fn demo(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_snapready")).args(["demo", "-o", "json"]).args(arguments).output();
    let output = output.unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

/// What `demo` says in this mode, apart from the clean-up: nothing may be left.
fn trips(mode: &str, scenario: &str, flags: &[&str]) -> (Option<i32>, Vec<Value>) {
    let (code, report) = demo(&[&["--mode", mode, "--scenario", scenario], flags].concat());
    assert_eq!(report["leftovers"].as_array().unwrap().len(), 0, "{mode} {scenario}: {report:#}");
    let trips = report["roundTrips"].as_array().unwrap().clone();
    for trip in &trips {
        let named = if mode == "plain" { Value::Null } else { mode.into() };
        assert_eq!(trip["mode"], named, "{scenario}: {trip:#}");
        let removed = trip["objects"].as_array().unwrap().iter().all(|object| object["removed"] == true);
        assert!(removed, "{mode} {scenario}: {trip:#}");
    }
    (code, trips)
}

/// Does something for each of many, a few at a time, and fails with all that failed.
fn each<T: Sync>(all: &[T], act: impl Fn(&T) + Sync) {
    let queue = Mutex::new(all.iter());
    let work = || {
        let mut failed = 0;
        loop {
            let next = queue.lock().unwrap().next();
            let Some(next) = next else { return failed };
            // The panic's own message is shown where it happens.
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(next)));
            failed += usize::from(outcome.is_err());
        }
    };
    let failed: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(failed, 0, "see the messages above");
}

#[test]
fn every_mode_ends_ready() {
    let classes = [&[] as &[&str], &["--storage-class", "immediate"]];
    let all: Vec<_> = MODES.iter().flat_map(|mode| classes.map(|class| (*mode, class))).collect();
    each(&all, |(mode, class)| {
        let (code, trips) = trips(mode, "healthy", class);
        assert_eq!(code, Some(0), "{mode}: {trips:#?}");
        assert_eq!(trips.len(), 2, "{mode}: {trips:#?}");
        for trip in trips {
            assert_eq!((&trip["status"], &trip["data"]), (&"pass".into(), &"intact".into()), "{mode}: {trip:#}");
        }
    });
}

#[test]
fn all_of_them_run_beside_each_other() {
    let (code, report) = demo(&["--mode", "all", "--volume-mode", "filesystem"]);
    assert_eq!(code, Some(0), "{report:#}");
    let trips = report["roundTrips"].as_array().unwrap();
    let modes: Vec<&str> = trips.iter().map(|trip| trip["mode"].as_str().unwrap_or("plain")).collect();
    assert_eq!(modes, MODES);
    let objects: Vec<String> =
        trips.iter().flat_map(|trip| trip["objects"].as_array().unwrap()).map(Value::to_string).collect();
    assert_eq!(
        objects.iter().collect::<BTreeSet<_>>().len(),
        objects.len(),
        "an object is two round trips': {report:#}"
    );
}

/// Each size is a round trip of its own, with a name that is the same in every run.
#[test]
fn several_sizes_are_tried_one_after_another() {
    let flags = ["--size", "1Gi,64Mi", "--size", "10Gi", "--volume-mode", "block", "--mode", "plain,larger"];
    let (code, report) = demo(&flags);
    assert_eq!(code, Some(0), "{report:#}");
    let trips = report["roundTrips"].as_array().unwrap();
    let tried =
        trips.iter().map(|trip| (trip["mode"].as_str().unwrap_or("plain"), trip["sizeBytes"].as_u64().unwrap()));
    let sizes = [64 << 20, 1 << 30, 10 << 30];
    let wanted = ["plain", "larger"].into_iter().flat_map(|mode| sizes.map(|size| (mode, size)));
    assert!(tried.eq(wanted), "{report:#}");
    let began = |step: &Value| step["startedAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    for (trip, next) in trips.iter().zip(&trips[1..]) {
        assert_eq!(trip["sizeBytes"], trip["capacityBytes"], "{trip:#}");
        let last = trip["steps"].as_array().unwrap().last().unwrap();
        assert!(began(last) <= began(&next["steps"][0]), "{trip:#} and {next:#} at once");
    }
    let sweeps = report["sweeps"].as_array().unwrap();
    assert_eq!(sweeps.len(), 2, "{sweeps:#?}");
    for sweep in sweeps {
        assert_eq!(sweep["sizes"].as_array().unwrap().len(), 3, "{sweep:#}");
    }
    let (_, one) = demo(&["--size", "64Mi", "--volume-mode", "block"]);
    assert_eq!((&one["sweeps"], &one["roundTrips"][0]["sizeBytes"]), (&Value::Null, &Value::Null), "{one:#}");
}

#[test]
fn a_restore_that_is_none_is_seen_in_every_mode() {
    let bad = [
        ("restore-empty", "freshly-formatted", "empty"),
        ("restore-stale", "live-data", "live-data"),
        ("restore-truncated", "truncated", "truncated"),
        ("restore-bit-flipped", "corrupted", "corrupted"),
        ("restore-other-volume", "wrong-volume", "wrong-volume"),
    ];
    // What is read is judged by the volume mode, whatever the mode: in turn is enough.
    let volume_modes = ["filesystem", "block"].iter().cycle();
    let all = MODES.iter().flat_map(|mode| bad.map(|bad| (*mode, bad)));
    let all: Vec<_> = all.zip(volume_modes).collect();
    each(&all, |((mode, (scenario, filesystem, block)), volume_mode)| {
        let (code, trips) = trips(mode, scenario, &["--volume-mode", volume_mode]);
        assert_eq!(code, Some(1), "{mode} {scenario}: {trips:#?}");
        assert_eq!(trips.len(), 1, "{mode} {scenario}: {trips:#?}");
        for trip in trips {
            assert_eq!(trip["status"], "fail", "{mode} {scenario}: {trip:#}");
            // What copies the live volume has nothing to copy where it is gone.
            if (*mode, *scenario) == ("source-gone", "restore-stale") {
                assert_eq!(trip["diagnosis"]["id"], "SR309", "{trip:#}");
                continue;
            }
            let data = if trip["volumeMode"] == "Block" { block } else { filesystem };
            assert_eq!(trip["data"], *data, "{mode} {scenario}: {trip:#}");
            assert_eq!(trip["diagnosis"]["id"], "SR302", "{mode} {scenario}: {trip:#}");
        }
    });
}

#[test]
fn every_mode_shows_what_the_plain_one_does_not() {
    each(&FAULTS, |Row { mode, scenario, flags, fault: (id, word) }| {
        let (code, trips) = trips(mode, scenario, flags);
        assert_eq!(code, Some(1), "{mode}: {trips:#?}");
        for trip in trips {
            assert_eq!(
                (&trip["status"], &trip["diagnosis"]["id"]),
                (&"fail".into(), &(*id).into()),
                "{mode}: {trip:#}"
            );
            assert!(trip["diagnosis"].to_string().contains(word), "{mode}: {word} is not in {trip:#}");
            let again = trip["diagnosis"]["fix"]["commands"].to_string();
            assert!(!again.contains("roundtrip") || again.contains(&format!("--mode {mode}")), "{mode}: {trip:#}");
        }
    });
    let modes: Vec<&str> = FAULTS.iter().map(|row| row.mode).collect();
    assert_eq!(modes, MODES[1..]);
}

/// What a driver does not offer is no fault of it.
#[test]
fn a_mode_that_the_driver_refuses_is_skipped() {
    let (code, trips) = trips("read-only", "one-node-only", &[]);
    assert_eq!(code, Some(3), "nothing is shown: {trips:#?}");
    for trip in trips {
        assert_eq!((&trip["status"], &trip["diagnosis"]["id"]), (&"skip".into(), &"SR301".into()), "{trip:#}");
        assert!(trip["diagnosis"]["cause"].as_str().unwrap().contains("MULTI_NODE_READER_ONLY"), "{trip:#}");
    }
}

/// What a class keeps stays in the storage when its content is deleted.
#[test]
fn a_content_that_its_class_keeps_is_not_deleted_first() {
    let (code, trips) = trips("content-first", "retain", &[]);
    assert_eq!(code, Some(3), "nothing is shown: {trips:#?}");
    for trip in trips {
        assert_eq!((&trip["status"], &trip["diagnosis"]["id"]), (&"skip".into(), &"SR301".into()), "{trip:#}");
        let cause = trip["diagnosis"]["cause"].as_str().unwrap();
        assert_eq!(cause, "VolumeSnapshotClass standard-snapshots has deletionPolicy Retain");
    }
}

/// The restore is in a namespace of its own, and so is what is said of it.
#[test]
fn what_another_namespace_holds_is_named_with_it() {
    let (_, trips) = trips("other-namespace", "restore-truncated", &["--volume-mode", "filesystem"]);
    let other = trips[0]["objects"].as_array().unwrap().iter().find(|object| object["object"]["name"] == "reader");
    let other = &other.unwrap()["object"]["namespace"];
    assert_ne!(*other, trips[0]["namespace"], "{trips:#?}");
    let evidence = trips[0]["diagnosis"]["evidence"].as_array().unwrap();
    assert!(!evidence.is_empty() && evidence.iter().all(|one| one["namespace"] == *other), "{evidence:#?}");
}

/// Not every storage deletes a volume that has snapshots. The restore is tried all the same, and the step says so.
#[test]
fn a_source_volume_that_stays_is_named() {
    for said in said_by("source-gone", "source-stays", "overwrite") {
        assert!(said.contains("PersistentVolume pvc-") && said.ends_with("is still there"), "{said}");
    }
}

/// Nor does every storage delete a snapshot that volumes were restored from.
#[test]
fn a_snapshot_that_stays_is_named() {
    for said in said_by("snapshot-first", "snapshot-stays", "restore") {
        let (snapshot, content) = said.rsplit_once("; ").unwrap();
        assert!(snapshot.contains("; VolumeSnapshot snapready-") && snapshot.ends_with("is still there"), "{said}");
        assert!(content.starts_with("VolumeSnapshotContent snapcontent-"), "{said}");
    }
}

/// What a step says that waits for three seconds, and then goes on all the same.
fn said_by(mode: &str, scenario: &str, step: &str) -> Vec<String> {
    let (code, trips) = trips(mode, scenario, &["--step-timeout", &format!("{step}=3s")]);
    assert_eq!(code, Some(0), "{trips:#?}");
    let of_step = |trip: &Value| {
        let steps = trip["steps"].as_array().unwrap();
        steps.iter().find(|one| one["id"] == step).unwrap()["message"].as_str().unwrap().to_owned()
    };
    trips.iter().map(of_step).collect()
}
