//! Every scenario of `demo`, by the real program: what it says, and that it never says ready of what is not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

mod program;

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use serde_json::Value;
use snapready_sim::scenario;

use program::Place;

/// What a scenario is expected to come to.
struct Row {
    name: &'static str,
    /// Limits for what would take minutes, and one volume mode where a second tells nothing new.
    flags: &'static [&'static str],
    code: i32,
    /// Checks above pass, as `id status`.
    checks: &'static [&'static str],
    trips: Trips,
}

/// What becomes of each round trip.
enum Trips {
    /// There is none: the run did not come so far.
    None,
    Pass,
    /// They pass with each of these `VolumeSnapshotClasses`, and say why a snapshot that names none fails.
    Named(&'static [&'static str], &'static str),
    /// Nothing can be told: a diagnosis, and words that have to be in it.
    Unknown(&'static str, &'static [&'static str]),
    /// A diagnosis, and words that have to be in it.
    Fail(&'static str, &'static [&'static str]),
    /// The data is bad: of the file system, and of the block device.
    Bad(&'static str, &'static str),
}

const ONE: &[&str] = &["--volume-mode", "filesystem"];
const BLOCK: &[&str] = &["--volume-mode", "block"];
const BOTH: &[&str] = &[];
const STUCK: &[&str] = &["--volume-mode", "filesystem", "--cleanup-timeout", "3s"];
const FORCED: &[&str] = &["--volume-mode", "filesystem", "--cleanup-timeout", "3s", "--force"];
const PROVISION: &[&str] = &["--volume-mode", "filesystem", "--step-timeout", "provision=4s"];
const SNAPSHOT: &[&str] = &["--volume-mode", "filesystem", "--step-timeout", "snapshot=4s", "--cleanup-timeout", "3s"];
const RESTORE: &[&str] = &["--volume-mode", "filesystem", "--step-timeout", "restore=4s"];

const fn row(
    name: &'static str,
    flags: &'static [&'static str],
    code: i32,
    checks: &'static [&'static str],
    trips: Trips,
) -> Row {
    Row { name, flags, code, checks, trips }
}

use Trips::{Bad, Fail, Named, Pass, Unknown};

const BLIND: &[&str] = &[
    "SR115 unknown",
    "SR121 unknown",
    "SR125 unknown",
    "SR201 unknown",
    "SR202 unknown",
    "SR204 unknown",
    "SR211 unknown",
    "SR212 unknown",
    "SR213 unknown",
    "SR214 unknown",
    "SR215 unknown",
    "SR401 warn",
];

#[rustfmt::skip]
const ROWS: [Row; 66] = [
    row("healthy", BOTH, 0, &[], Pass),
    row("no-crds", ONE, 1, &["SR102 fail", "SR111 fail"], Fail("SR311", &["does not serve VolumeSnapshot objects", "CRD"])),
    row("v1beta1-only", ONE, 1, &["SR104 fail", "SR106 warn", "SR114 warn", "SR123 fail", "SR124 fail"], Fail("SR311", &["does not serve VolumeSnapshot objects", "another version"])),
    row("no-controller", ONE, 1, &["SR111 fail"], Fail("SR303", &["no snapshot-controller is installed"])),
    row("two-controllers", ONE, 0, &["SR113 warn"], Pass),
    row("no-sidecar", BOTH, 1, &["SR121 fail"], Fail("SR304", &["not started", "--force"])),
    row("no-sidecar", FORCED, 1, &["SR121 fail"], Fail("SR304", &["no csi-snapshotter of this driver is installed"])),
    row("wrong-socket", ONE, 1, &["SR125 unknown", "SR128 fail"], Fail("SR304", &["not started", "--force"])),
    row("unknown-flag", ONE, 1, &["SR122 fail"], Fail("SR304", &["not started", "--force"])),
    row("missing-right", ONE, 1, &["SR127 fail"], Fail("SR304", &["not started", "--force"])),
    row("controller-role-gone", ONE, 1, &["SR116 fail"], Fail("SR303", &["no snapshot-controller works on it: RBAC grants", "kind: ClusterRole"])),
    row("csi-driver-gone", ONE, 1, &["SR201 fail"], Fail("SR310", &["its CSIDriver object is gone", "no csi-attacher"])),
    row("class-without-provisioner", ONE, 1, &["SR211 warn"], Fail("SR308", &["not started", "made by hand", "whose driver has a VolumeSnapshotClass: immediate", "--storage-class"])),
    row("left-over-webhook", ONE, 1, &["SR108 fail"], Fail("SR311", &["failed calling webhook", "validation-webhook.snapshot.storage.k8s.io"])),
    row("no-class", ONE, 1, &["SR211 fail"], Fail("SR305", &["no VolumeSnapshotClass of driver", "kind: VolumeSnapshotClass"])),
    row("no-default-class", ONE, 0, &["SR212 warn"], Named(&["standard-snapshots"], "the driver has no default class")),
    row("retain", BOTH, 0, &[], Pass),
    row("two-classes", BOTH, 0, &["SR212 warn"], Named(&["gold-snapshots", "standard-snapshots"], "the driver has no default class")),
    row("two-defaults", ONE, 0, &["SR212 warn"], Named(&["gold-snapshots", "standard-snapshots"], "the driver has 2 default classes")),
    row("wrong-driver", ONE, 1, &["SR211 fail", "SR213 warn"], Fail("SR305", &["no VolumeSnapshotClass of driver csi.simulated.snapready.dev"])),
    row("secret-missing", ONE, 1, &["SR214 fail"], Fail("SR305", &["secret that VolumeSnapshotClass standard-snapshots names does not exist"])),
    row("quota", ONE, 1, &[], Fail("SR311", &["exceeded quota", "ResourceQuota storage has no room"])),
    row("policy", ONE, 1, &[], Fail("SR311", &["admission webhook denies it", "validate.policy.example.com"])),
    row("image-missing", ONE, 1, &[], Fail("SR310", &["cannot be pulled", "--image"])),
    row("unschedulable", PROVISION, 1, &[], Fail("SR310", &["no node takes the pod", "unschedulable", "kubectl get nodes"])),
    row("forbidden-list", ONE, 3, BLIND, Pass),
    row("forbidden-create", ONE, 1, &["SR401 warn"], Fail("SR311", &["lacks the right to create volumesnapshots", "snapready rbac"])),
    row("no-provisioner", PROVISION, 1, &["SR121 unknown"], Fail("SR308", &["no csi-provisioner of driver"])),
    row("provision-error", PROVISION, 1, &[], Fail("SR308", &["no space left in pool standard", "no room"])),
    row("hung-provision", PROVISION, 1, &[], Fail("SR308", &["timed out after 4 s", "does not answer"])),
    row("hung-driver", SNAPSHOT, 1, &[], Fail("SR307", &["timed out after 4 s", "does not answer CreateSnapshot"])),
    row("snapshot-error", ONE, 1, &[], Fail("SR307", &["InvalidArgument", "snapshots are not enabled for pool standard"])),
    row("never-ready", SNAPSHOT, 1, &[], Fail("SR307", &["timed out after 4 s", "the snapshot has been taken, but the storage has not finished it"])),
    row("slow-snapshot", ONE, 0, &[], Pass),
    row("restore-copies", ONE, 0, &[], Pass),
    row("restore-error", ONE, 1, &[], Fail("SR309", &["snapshot not found in zone b", "the storage does not know"])),
    row("hung-restore", RESTORE, 1, &[], Fail("SR309", &["timed out after 4 s", "does not answer"])),
    row("restore-empty", BOTH, 1, &[], Bad("freshly-formatted", "empty")),
    row("restore-stale", BOTH, 1, &[], Bad("live-data", "live-data")),
    row("restore-truncated", BOTH, 1, &[], Bad("truncated", "truncated")),
    row("restore-bit-flipped", BOTH, 1, &[], Bad("corrupted", "corrupted")),
    row("restore-other-volume", BOTH, 1, &[], Bad("wrong-volume", "wrong-volume")),
    row("snapshots-go-with-source", ONE, 0, &[], Pass),
    row("source-stays", ONE, 0, &[], Pass),
    row("snapshot-needs-pod", ONE, 0, &[], Pass),
    row("restore-not-grown", ONE, 0, &[], Pass),
    row("sizes-rounded-up", ONE, 0, &[], Pass),
    row("node-local", ONE, 0, &[], Pass),
    row("clones-share-blocks", ONE, 0, &[], Pass),
    row("snapshots-need-each-other", ONE, 0, &[], Pass),
    row("restores-need-snapshot", ONE, 0, &[], Pass),
    row("snapshot-stays", ONE, 0, &[], Pass),
    row("snapshots-lose-order", ONE, 0, &[], Pass),
    row("group-members-exchanged", ONE, 0, &[], Pass),
    row("restore-needs-recovery", ONE, 0, &[], Pass),
    row("one-node-only", ONE, 0, &[], Pass),
    row("handle-unknown", ONE, 0, &[], Pass),
    row("stuck-finalizer", STUCK, 4, &[], Pass),
    row("delete-error", STUCK, 4, &[], Pass),
    row("restricted", BOTH, 0, &[], Pass),
    row("no-udev", BOTH, 0, &[], Pass),
    row("no-udev-restricted", BLOCK, 3, &[], Unknown("SR313", &["0600 root:root on the node", "user 65534 in groups 65534, 6", "Pod Security level restricted:latest of the namespace refuses pods that run as root", "--namespace NAMESPACE", "device_ownership_from_security_context"])),
    row("late-service-account", ONE, 0, &[], Pass),
    row("throttled", ONE, 0, &[], Pass),
    row("flaky-api", BOTH, 0, &[], Pass),
    row("api-unauthorized", ONE, 3, &[], Trips::None),
];

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_snapready")).arg("demo").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The report of a run, which is all that stdout may hold.
fn report(name: &str, output: &Output) -> Value {
    let schema: Value = serde_json::from_str(include_str!("../schema/report.v1.json")).unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{name}: {error}: {}{}", text(&output.stdout), text(&output.stderr)));
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{name}");
    report
}

fn hold(row: &Row) {
    let name = row.name;
    let output = demo(&[&["--scenario", name, "-o", "json"], row.flags].concat());
    let report = report(name, &output);
    let shown = serde_json::to_string_pretty(&report).unwrap();
    assert_eq!(output.status.code(), Some(row.code), "{name}: {shown}");
    assert_eq!(report["run"]["exitCode"], row.code, "{name}");
    let verdict = match row.code {
        0 | 4 => "ready",
        1 => "not-ready",
        _ => "inconclusive",
    };
    assert_eq!(report["run"]["verdict"], verdict, "{name}: {shown}");
    assert_eq!(report["source"]["kind"], "simulated", "{name}");

    let above: BTreeSet<String> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["status"] != "pass" && result["status"] != "skip")
        .map(|result| format!("{} {}", result["id"].as_str().unwrap(), result["status"].as_str().unwrap()))
        .collect();
    assert_eq!(above, row.checks.iter().map(|check| (*check).to_owned()).collect(), "{name}");
    if row.code == 4 {
        assert!(!report["leftovers"].as_array().unwrap().is_empty(), "{name}: {shown}");
    }
    if row.code == 0 {
        assert_eq!(report["leftovers"].as_array().unwrap().len(), 0, "{name}: {shown}");
    }

    let trips = report["roundTrips"].as_array().unwrap();
    let modes = if row.flags.contains(&"--volume-mode") { 1 } else { 2 };
    let classes = match row.trips {
        Trips::None => 0,
        Named(classes, _) => classes.len(),
        _ => 1,
    };
    assert_eq!(trips.len(), modes * classes, "{name}: {shown}");
    if let Named(classes, _) = row.trips {
        let tried: BTreeSet<&str> = trips.iter().filter_map(|trip| trip["snapshotClass"].as_str()).collect();
        assert_eq!(tried, classes.iter().copied().collect(), "{name}: {shown}");
    }
    for trip in trips {
        hold_trip(name, &row.trips, trip);
    }
}

fn hold_trip(name: &str, expected: &Trips, trip: &Value) {
    let shown = serde_json::to_string_pretty(trip).unwrap();
    let diagnosis = &trip["diagnosis"];
    match expected {
        Trips::None => {}
        Trips::Pass | Named(..) => {
            assert_eq!(trip["status"], "pass", "{name}: {shown}");
            assert_eq!(trip["data"], "intact", "{name}: {shown}");
            assert!(diagnosis.is_null(), "{name}: {shown}");
            let user = match (trip["volumeMode"].as_str().unwrap(), name) {
                ("Block", "restricted") => "disk-group",
                ("Block", _) => "root",
                _ => "non-root",
            };
            assert_eq!(trip["podUser"], user, "{name}: {shown}");
            let why = if let Named(_, why) = expected { *why } else { "" };
            let said =
                strings(&trip["steps"]).iter().any(|text| text.contains("names no class fails") && text.contains(why));
            assert_eq!(said, !why.is_empty(), "{name}: {shown}");
        }
        Trips::Fail(id, words) | Unknown(id, words) => {
            let status = if matches!(expected, Unknown(..)) { "unknown" } else { "fail" };
            assert_eq!(trip["status"], status, "{name}: {shown}");
            assert!(trip["data"].is_null(), "{name}: nothing was restored: {shown}");
            assert_eq!(diagnosis["id"], *id, "{name}: {shown}");
            let said: Vec<&str> = strings(diagnosis);
            for word in *words {
                assert!(said.iter().any(|text| text.contains(word)), "{name}: {word:?} is not in {shown}");
            }
        }
        Trips::Bad(filesystem, block) => {
            let data = if trip["volumeMode"] == "Block" { block } else { filesystem };
            assert_eq!(trip["status"], "fail", "{name}: {shown}");
            assert_eq!(trip["data"], *data, "{name}: {shown}");
            assert_eq!(diagnosis["id"], "SR302", "{name}: {shown}");
        }
    }
    if !matches!(expected, Trips::None | Trips::Pass | Named(..)) {
        assert!(diagnosis["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{name}: {shown}");
        assert!(!diagnosis["fix"].is_null(), "{name}: {shown}");
        let failed = trip["steps"].as_array().unwrap().iter().filter(|step| step["status"] == trip["status"]);
        assert!(failed.count() >= 1, "{name}: no step has failed: {shown}");
        let passed = |id: &str| {
            trip["steps"].as_array().unwrap().iter().any(|step| step["id"] == id && step["status"] == "pass")
        };
        assert!(!matches!(expected, Unknown(..)) || !passed("write"), "{name}: nothing was written: {shown}");
    }
}

/// All texts in a value.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Does something for each of many, a few at a time (each run's data is really written and read), and fails with all that failed.
fn each<T: Sync>(all: &[T], act: impl Fn(&T) + Sync) {
    let workers = thread::available_parallelism().map_or(2, usize::from) * 2;
    let queue = Mutex::new(all.iter());
    let failed = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    let mut failed = 0;
                    loop {
                        let next = queue.lock().unwrap().next();
                        let Some(next) = next else { return failed };
                        // The panic's own message is shown where it happens.
                        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(next)));
                        failed += usize::from(outcome.is_err());
                    }
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum::<usize>()
    });
    assert_eq!(failed, 0, "see the messages above");
}

#[test]
fn every_scenario_comes_to_what_it_says() {
    each(&ROWS, hold);
}

#[test]
fn every_scenario_has_its_row() {
    let output = demo(&["--list"]);
    let listed: Vec<String> =
        text(&output.stdout).lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let mut rows = ROWS.map(|row| row.name).to_vec();
    rows.dedup();
    assert_eq!(listed, rows);
    // What a list says is what comes out.
    for line in text(&output.stdout).lines() {
        let row = ROWS.iter().find(|row| line.split(' ').next() == Some(row.name)).unwrap();
        assert!(!line.ends_with("Ready.") || row.code == 0, "{line}");
    }
}

#[test]
fn the_exit_code_is_the_same_in_every_format() {
    let names = ["healthy", "no-default-class", "no-class", "forbidden-list", "api-unauthorized", "stuck-finalizer"];
    let formats = ["human", "json", "ndjson", "junit", "markdown", "prometheus"];
    let all: Vec<(&str, &str)> = names.iter().flat_map(|name| formats.map(|format| (*name, format))).collect();
    each(&all, |(name, format)| {
        let expected = ROWS.iter().find(|row| row.name == *name).unwrap();
        let output = demo(&[&["--scenario", name, "-o", format], expected.flags].concat());
        assert_eq!(output.status.code(), Some(expected.code), "{name} {format}: {}", text(&output.stderr));
        let shown = text(&output.stdout);
        match *format {
            "ndjson" => {
                let last: Value = shown.lines().map(|line| serde_json::from_str(line).unwrap()).next_back().unwrap();
                assert!(strings(&last).iter().any(|text| text.contains("report/v1")), "{name}: {last}");
            }
            "junit" => {
                let report = quick_junit::Report::deserialize_from_str(&shown).unwrap();
                assert!(report.tests > 0, "{name}: {shown}");
                // An object that was left behind fails a case of its own.
                assert_eq!(report.failures > 0, matches!(expected.code, 1 | 4), "{name}: {shown}");
            }
            _ => {}
        }
    });
}

#[tokio::test]
async fn a_backup_product_is_tried_with_the_class_that_it_takes() {
    let place = Place::of(scenario::find("two-classes").unwrap()).await;
    let both = "gold-snapshots standard-snapshots";
    let (trilio, done) = ("plain unmounted", "pass pass");
    for (call, code, says, tried, modes, rehearsed) in [
        (&["roundtrip", "--for", "trilio"][..], 0, "warn", "gold-snapshots", trilio, done),
        (&["preflight", "--for", "trilio"], 0, "warn", "gold-snapshots", trilio, done),
        (&["roundtrip", "--for", "trilio", "--mode", "larger"], 0, "warn", "gold-snapshots", "larger", "skip skip"),
        (
            &["roundtrip", "--for", "trilio", "--snapshot-class", "standard-snapshots"],
            0,
            "warn",
            "standard-snapshots",
            trilio,
            "skip skip",
        ),
        (&["roundtrip", "--for", "trilio", "--all-snapshot-classes"], 0, "warn", both, trilio, done),
        // It finds none: that it cannot be used is said, although each class works.
        (&["roundtrip", "--for", "netbackup"], 1, "fail", both, "plain source-gone", "skip skip"),
    ] {
        let ended = place.call(&[call, &["--volume-mode", "filesystem", "-o", "json"]].concat()).await;
        let report: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap();
        assert_eq!(ended.code, Some(code), "{call:?}: {} {report:#}", ended.errors);
        assert_eq!(place.cluster.objects(), [], "{call:?}");
        let results = report["results"].as_array().unwrap();
        let told: Vec<&Value> = results.iter().filter(|result| result["id"] == "SR601").collect();
        assert!(!told.is_empty() && told.iter().all(|result| result["status"] == says), "{call:?}: {report:#}");
        let trips = report["roundTrips"].as_array().unwrap();
        let each =
            |words: Vec<&str>| words.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ");
        let classes = trips.iter().filter_map(|trip| trip["snapshotClass"].as_str()).collect();
        assert_eq!(each(classes), tried, "{call:?}: {report:#}");
        let made = trips.iter().map(|trip| trip["mode"].as_str().unwrap_or("plain")).collect();
        assert_eq!(each(made), modes, "{call:?}: {report:#}");
        let does = results.iter().filter(|result| result["id"] == "SR621");
        let does: Vec<&str> = does.filter_map(|result| result["status"].as_str()).collect();
        assert_eq!(does.join(" "), rehearsed, "{call:?}: {report:#}");
        assert!(trips.iter().all(|trip| trip["status"] == "pass"), "{call:?}: {report:#}");
    }
}

/// What the product does in one of its modes fails, and that follows from the round trip.
#[tokio::test]
async fn what_a_backup_product_could_not_do_is_said() {
    let place = Place::of(scenario::find("snapshots-go-with-source").unwrap()).await;
    let ended = place.call(&["roundtrip", "--for", "snapscheduler", "--volume-mode", "filesystem", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap();
    assert_eq!(ended.code, Some(1), "{} {report:#}", ended.errors);
    let results = report["results"].as_array().unwrap();
    let failed: Vec<&Value> =
        results.iter().filter(|result| result["id"] == "SR621" && result["status"] == "fail").collect();
    let [failed] = failed.as_slice() else { panic!("{report:#}") };
    assert_eq!(failed["target"], "snapscheduler source-gone");
    assert_eq!(failed["followsFrom"]["id"], "SR309", "{failed:#}");
    let all = report["roundTrips"].as_array().unwrap().len();
    assert_eq!(all, 3, "{report:#}");
}
