//! Reports of real runs on the embedded cluster, recorded: what the tests of the formats render. A recording that no longer
//! is what a run reports fails here; `INSTA_UPDATE=always cargo test --test recorded_reports` records anew.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

#[path = "program/mod.rs"]
#[expect(dead_code, reason = "every run is followed")]
mod program;

use futures::future::join_all;
use program::Place;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use snapready_sim::scenario;

/// What differs from run to run, and what stands in its place.
const VARYING: [(&str, &str); 12] = [
    (r#""version": "[^"]+""#, r#""version": "0.1.0""#),
    (r"snapready-[0-9a-f]{6}", "snapready-7f3a9c"),
    (r#""id": "[0-9a-f]{6}""#, r#""id": "7f3a9c""#),
    (r"--run [0-9a-f]{6}", "--run 7f3a9c"),
    (r" --kubeconfig[ =][^ \x22]+", ""),
    (r"https?://127\.0\.0\.1:[0-9]+", "https://127.0.0.1:6443"),
    (r"[0-9-]{10}T[0-9:.]+Z", "2026-11-18T00:00:00Z"),
    (r#""durationMs": [0-9]+"#, r#""durationMs": 1000"#),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "00000000-0000-4000-8000-000000000000"),
    // The data, and so its digests and the prefix of its files, is another in each run.
    (r"sha256 [0-9a-f]{12}", "sha256 000000000000"),
    (r"s[0-9a-f]{15}\?", "s000000000000000?"),
    (r"×[0-9]+", "×5"),
];

/// A run.
struct Recording {
    name: &'static str,
    scenario: &'static str,
    checks: &'static str,
    flags: &'static [&'static str],
    /// Whether it is interrupted when nothing but the snapshot's readiness is missing: until then, what there is to remove differs.
    is_interrupted: bool,
}

const fn recording(name: &'static str, scenario: &'static str, flags: &'static [&'static str]) -> Recording {
    Recording { name, scenario, checks: "SR101,SR102", flags, is_interrupted: false }
}

const FILES: &[&str] = &["--volume-mode", "filesystem"];
/// Ends even if it is never interrupted.
const WAITING: &[&str] = &["--volume-mode", "filesystem", "--step-timeout", "snapshot=20s"];

const RECORDINGS: [Recording; 10] = [
    recording("ready", "healthy", FILES),
    recording("ready_block", "healthy", &["--volume-mode", "block"]),
    recording("unauthorized", "api-unauthorized", &[]),
    recording("kept", "healthy", &["--volume-mode", "filesystem", "--keep", "always"]),
    recording("leftovers", "delete-error", &["--volume-mode", "filesystem", "--cleanup-timeout", "3s"]),
    recording("restore_failed", "restore-error", FILES),
    recording("live_data", "restore-stale", FILES),
    recording("foreseen", "wrong-driver", &["--volume-mode", "filesystem", "--snapshot-class", "standard-snapshots"]),
    Recording { checks: "SR104,SR106,SR123,SR124", ..recording("one_cause", "v1beta1-only", &[]) },
    Recording { is_interrupted: true, ..recording("interrupted", "never-ready", WAITING) },
];

async fn record(recording: &Recording) -> String {
    let place = Place::of(scenario::find(recording.scenario).unwrap()).await;
    let call = [&["preflight", "--select", recording.checks, "-o", "ndjson"], recording.flags].concat();
    // A second signal would end the clean-up, too.
    let mut signals_left = usize::from(recording.is_interrupted);
    let ended = place
        .follow(&call, async |_, line, pid| {
            let event: Value = serde_json::from_str(line).unwrap();
            let seen = event["event"]["lastSeen"].as_str().unwrap_or_default();
            if seen.starts_with("the snapshot has been taken") && signals_left > 0 {
                signals_left -= 1;
                kill_process(pid, Signal::INT).unwrap();
            }
        })
        .await;
    let mut last: Value = serde_json::from_str(ended.lines.last().unwrap()).unwrap();
    let report = &mut last["event"]["report"];
    for trip in report["roundTrips"].as_array_mut().unwrap() {
        for object in trip["objects"].as_array_mut().unwrap() {
            // What controllers create may be gone before it was read: then only its name is known.
            object.as_object_mut().unwrap().remove("uid");
        }
    }
    assert_eq!(report["run"]["exitCode"], json!(ended.code), "{}", ended.errors);
    serde_json::to_string_pretty(report).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_are_what_runs_report() {
    let reports = join_all(RECORDINGS.iter().map(record)).await;
    insta::with_settings!({ filters => VARYING, omit_expression => true }, {
        for (recording, report) in RECORDINGS.iter().zip(reports) {
            insta::assert_snapshot!(recording.name, report);
        }
    });
}
