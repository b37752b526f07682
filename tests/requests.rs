//! How requests are sent: what is sent again until it passes, and what the log says of each.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod program;

use std::time::Duration;

use serde_json::Value;
use snapready_sim::scenario::{self, Scenario};
use snapready_sim::{Effect, Fault};

use program::{Ended, Place};

const ONE: [&str; 7] = ["roundtrip", "-o", "json", "--volume-mode", "filesystem", "--storage-class", "standard"];

/// Of two creates at once in a namespace with a quota, one may be answered with this.
const CONFLICT: Effect = Effect::Refused(
    409,
    "Conflict",
    "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified; please apply your changes to the latest version and try again",
);

fn healthy() -> &'static Scenario {
    scenario::find("healthy").unwrap()
}

/// A run of one round trip that meets this at its creates, but not at its dry runs.
async fn run(fault: Fault, more: &[&str]) -> (Ended, Value) {
    let place = Place::of(healthy()).await;
    place.cluster.fault(Fault { dry_runs: false, ..fault });
    let ended = place.call(&[&ONE, more].concat()).await;
    let report = serde_json::from_str(&ended.lines.join("\n")).unwrap();
    (ended, report)
}

#[tokio::test]
async fn a_create_that_is_refused_for_a_moment_is_sent_again() {
    for effect in [
        CONFLICT,
        Effect::Refused(500, "InternalError", "Internal error occurred: resource quota evaluation timed out"),
        Effect::Refused(
            403,
            "Forbidden",
            "pods \"writer\" is forbidden: error looking up service account ns/default: serviceaccount \"default\" not found",
        ),
    ] {
        let (ended, report) = run(Fault::once(&["create"], &["pods"], effect), &[]).await;
        assert_eq!(ended.code, Some(0), "{effect:?}: {}", ended.errors);
        assert_eq!(report["roundTrips"][0]["data"], "intact", "{effect:?}");
    }
}

#[tokio::test]
async fn a_refusal_that_does_not_pass_is_the_cause_when_the_steps_time_is_over() {
    let fault = Fault::always(&["create"], &["pods"], CONFLICT);
    let (ended, report) = run(fault, &["--step-timeout", "2s"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    let diagnosis = &report["roundTrips"][0]["diagnosis"];
    assert_eq!(diagnosis["id"], "SR311", "{diagnosis:#}");
    assert!(diagnosis["cause"].as_str().unwrap().contains("ResourceQuota"), "{diagnosis:#}");
}

#[tokio::test]
async fn a_quota_that_is_full_is_final() {
    let full = "q, requested: pods=1, used: pods=4, limited: pods=4";
    let (ended, report) = run(Fault::always(&["create"], &["pods"], Effect::ExceededQuota(full)), &[]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert_eq!(report["roundTrips"][0]["diagnosis"]["id"], "SR311");
    assert!(!ended.errors.contains("retrying"), "{}", ended.errors);
}

#[tokio::test]
async fn watches_that_break_are_no_matter_and_without_any_nothing_is_claimed() {
    for (effect, code) in [
        (Effect::CutWatch(Duration::from_millis(20)), 0),
        // No list shows the last state of a pod that is gone, so nobody knows whether it has overwritten the source.
        (
            Effect::Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"),
            3,
        ),
    ] {
        let (ended, report) = run(Fault::always(&["watch"], &[], effect), &[]).await;
        assert_eq!(ended.code, Some(code), "{effect:?}: {}", ended.errors);
        assert_eq!(report["leftovers"], Value::Array(Vec::new()), "{effect:?}");
    }
}

#[tokio::test]
async fn the_log_has_a_line_for_each_request_and_no_credentials() {
    const SECRET: &str = "s3cret-t0ken";
    for verbose in ["-vv", "-vvv"] {
        let place = Place::of(healthy()).await;
        let ended = place.call(&["check", "-o", "json", verbose, "--token", SECRET]).await;
        let document: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap();
        assert_eq!(document["run"]["exitCode"], 0, "{}", ended.errors);
        let logged = |request: &str| ended.errors.lines().filter(|line| line.contains(request)).count();
        for request in place.cluster.requests() {
            let path = request.path.split('?').next().unwrap_or_default();
            assert!(logged(&format!("{} {path}: ", request.method)) > 0, "{path}: {}", ended.errors);
        }
        assert_eq!(logged("GET /version: 200 OK in "), 1, "{}", ended.errors);
        for hidden in [SECRET, "Authorization", "authorization:", "Bearer"] {
            assert!(!ended.errors.contains(hidden), "{hidden}: {}", ended.errors);
        }
    }
}
