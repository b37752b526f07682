//! Runs that are stopped: by one signal, by two, by one that cannot be caught.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{StreamExt, stream};
use rustix::process::Signal;
use serde_json::Value;
use snapready_sim::scenario::{self, Driver, Scenario};
use tokio::sync::Notify;

use crate::program::{Ended, HANGS, Place};
use crate::{AT_A_TIME, begins, healthy, interrupt, kind, nothing_is_left, report, send};

/// Without the flag `--namespace` a run has a namespace of its own.
const FILES: [&str; 5] = ["roundtrip", "-o", "ndjson", "--volume-mode", "filesystem"];
const BLOCK_IN_A_NAMESPACE: [&str; 7] = ["roundtrip", "-o", "ndjson", "--volume-mode", "block", "-n", "default"];
/// The modes with the most objects.
const TWICE: [&str; 7] = ["roundtrip", "-o", "ndjson", "--volume-mode", "filesystem", "--mode", "twice"];
const GROUP: [&str; 7] = ["roundtrip", "-o", "ndjson", "--volume-mode", "filesystem", "--mode", "group"];
/// Both modes of the default class: two round trips at a time.
const BOTH: [&str; 3] = ["roundtrip", "-o", "ndjson"];
const BOTH_IN_A_NAMESPACE: [&str; 5] = ["roundtrip", "-o", "ndjson", "-n", "default"];
const TWO_CLASSES: [&str; 6] = ["roundtrip", "-o", "ndjson", "--all", "--volume-mode", "filesystem"];

const ELSEWHERE: [&str; 7] = ["roundtrip", "-o", "ndjson", "--volume-mode", "filesystem", "--mode", "other-namespace"];
const ELSEWHERE_IN_A_NAMESPACE: [&str; 9] =
    ["roundtrip", "-o", "ndjson", "--volume-mode", "block", "--mode", "other-namespace", "-n", "default"];

const STEPS: [&str; 7] = ["provision", "write", "snapshot", "overwrite", "restore", "verify", "cleanup"];

fn retaining() -> &'static Scenario {
    scenario::find("retain").unwrap()
}

/// Interrupts one run at each event that a good run has; of several calls one after the other in turn, because most of
/// the events are the same.
async fn interrupt_at_any_event(scenario: &'static Scenario, calls: &[&[&str]]) {
    let call = calls[0];
    let place = Place::of(scenario).await;
    let good = place.call(call).await;
    assert_eq!(good.code, Some(0), "{}", good.errors);
    nothing_is_left(&place, &good, "a good run");
    let trips = report(&good)["roundTrips"].as_array().unwrap().len();
    let verdicts = |lines: &[String]| lines.iter().filter(|line| kind(line) == "verdict-known").count();
    assert_eq!(verdicts(&good.lines), trips);
    assert!(good.lines.len() > 20 * trips, "{:#?}", good.lines);

    let runs = stream::iter(0..good.lines.len()).map(|at| async move {
        let place = Place::of(scenario).await;
        let call = calls[at % calls.len()];
        let ended = place
            .follow(call, async |number, _, pid| {
                if number == at {
                    interrupt(pid);
                }
            })
            .await;
        (at, call, place, ended)
    });
    let mut runs = runs.buffer_unordered(AT_A_TIME);
    while let Some((at, call, place, ended)) = runs.next().await {
        let when = format!("{call:?} interrupted at event {at}");
        let report = report(&ended);
        nothing_is_left(&place, &ended, &when);
        assert_eq!(report["leftovers"], Value::Array(Vec::new()), "{when}");
        assert_eq!(ended.code, report["run"]["exitCode"].as_i64().map(|code| i32::try_from(code).unwrap()), "{when}");
        // When little is left to do, the run may be faster than the signal.
        let decided = ended.lines.get(..=at).is_none_or(|until| verdicts(until) == trips);
        if !decided || ended.code != Some(0) {
            assert_eq!(ended.code, Some(130), "{when}: {}", ended.errors);
            assert_eq!(report["run"]["interrupted"], "SIGINT", "{when}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_at_any_event_leaves_nothing() {
    interrupt_at_any_event(healthy(), &[&FILES]).await;
    interrupt_at_any_event(healthy(), &[&BLOCK_IN_A_NAMESPACE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_at_any_event_of_two_round_trips_leaves_nothing() {
    interrupt_at_any_event(healthy(), &[&BOTH, &BOTH_IN_A_NAMESPACE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_at_any_event_leaves_nothing_of_classes_that_retain() {
    interrupt_at_any_event(retaining(), &[&FILES, &BLOCK_IN_A_NAMESPACE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_at_any_event_leaves_nothing_in_another_namespace() {
    interrupt_at_any_event(healthy(), &[&ELSEWHERE, &ELSEWHERE_IN_A_NAMESPACE]).await;
    interrupt_at_any_event(retaining(), &[&ELSEWHERE, &ELSEWHERE_IN_A_NAMESPACE]).await;
}

/// A run dies after each of its requests that change something: two contents name one snapshot in the storage for a while, and what a
/// class retains is no more to be found by labels once that for which it was made has gone.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_left_that_was_killed_after_any_change_is_cleaned_up() {
    let retained = (retaining(), &BLOCK_IN_A_NAMESPACE[..]);
    for (scenario, call) in [(healthy(), &ELSEWHERE_IN_A_NAMESPACE[..]), retained] {
        let place = Place::of(scenario).await;
        let good = place.call(call).await;
        assert_eq!(good.code, Some(0), "{}", good.errors);
        nothing_is_left(&place, &good, "a good run");
        let count = *place.cluster.changes().borrow();
        assert!(count > 10, "{count}");
        let runs = stream::iter(1..=count).map(|at| async move {
            let place = Place::of(scenario).await;
            let mut watching = None;
            let killed = place
                .follow(call, async |number, _, pid| {
                    if number == 0 {
                        let mut changes = place.cluster.changes();
                        watching = Some(tokio::spawn(async move {
                            if changes.wait_for(|count| *count >= at).await.is_ok() {
                                send(pid, Signal::KILL);
                            }
                        }));
                    }
                })
                .await;
            watching.unwrap().abort();
            (at, place, killed)
        });
        let mut runs = runs.buffer_unordered(AT_A_TIME);
        while let Some((at, place, killed)) = runs.next().await {
            let when = format!("{}: {call:?} killed after change {at} of {count}", scenario.name);
            let cleaned = cleaned_up(&place, &killed, &when).await;
            // What controllers made for an object that was gone when the clean-up looked is on its way out.
            let empty = tokio::time::timeout(HANGS, place.cluster.until_empty()).await;
            if empty.is_err() {
                nothing_is_left(&place, &cleaned, &when);
            }
        }
    }
}

/// A driver that has begun to make a volume goes on when its claim is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_comes_after_its_claim_has_gone_is_waited_for() {
    let slow = Scenario { provision: Driver::Slow(Duration::from_secs(1)), ..*healthy() };
    let place = Place::of(&slow).await;
    let begun = Arc::new(Notify::new());
    let made = Arc::new(AtomicBool::new(false));
    let (told_begun, told_made) = (Arc::clone(&begun), Arc::clone(&made));
    place.cluster.tamper(move |answer| match answer["object"]["reason"].as_str() {
        Some("Provisioning") => told_begun.notify_one(),
        Some("ProvisioningSucceeded") => told_made.store(true, Ordering::Relaxed),
        _ => {}
    });
    let ended = place
        .follow(&[&FILES[..], &["-n", "default"]].concat(), async |_, line, pid| {
            if begins(line, "provision") {
                begun.notified().await;
                interrupt(pid);
            }
        })
        .await;
    assert_eq!(ended.code, Some(130), "{}", ended.errors);
    nothing_is_left(&place, &ended, "interrupted while the driver makes the volume");
    // It has come and gone; the program may have looked only before and after.
    let removed = |line: &String| kind(line) == "object-removed" && line.contains("\"PersistentVolume\"");
    assert!(made.load(Ordering::Relaxed) || ended.lines.iter().any(removed), "it may still come: {}", ended.errors);
}

/// Runs a call, and sends the signal when the step begins.
async fn stopped(scenario: &'static Scenario, call: &[&str], step: &str, signal: Signal) -> (Place, Ended) {
    let place = Place::of(scenario).await;
    let mut sent = false;
    let ended = place
        .follow(call, async |_, line, pid| {
            if !sent && begins(line, step) {
                send(pid, signal);
                sent = true;
            }
        })
        .await;
    (place, ended)
}

/// Removes what a run left, and asserts that then nothing is left.
async fn clean_up(place: &Place, ended: &Ended, when: &str) {
    let cleaned = cleaned_up(place, ended, when).await;
    nothing_is_left(place, &cleaned, when);
}

/// Removes what a run left.
async fn cleaned_up(place: &Place, ended: &Ended, when: &str) -> Ended {
    let begun: Value = serde_json::from_str(&ended.lines[0]).unwrap();
    let run = begun["event"]["run"].as_str().unwrap();
    let cleaned = place.call(&["cleanup", "--run", run]).await;
    assert_eq!(cleaned.code, Some(0), "{when}: {cleaned:?}");
    cleaned
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_left_is_cleaned_up() {
    let calls: [&[&str]; 5] = [&FILES, &BLOCK_IN_A_NAMESPACE, &BOTH, &ELSEWHERE, &ELSEWHERE_IN_A_NAMESPACE];
    let all = calls.into_iter().flat_map(|call| STEPS.map(|step| (healthy(), call, step)));
    let retained = [&FILES[..], &BLOCK_IN_A_NAMESPACE, &ELSEWHERE, &GROUP].into_iter();
    let all = all.chain(retained.flat_map(|call| STEPS.map(|step| (retaining(), call, step))));
    let all = all.chain([(healthy(), &TWO_CLASSES[..], "restore")]);
    let runs = stream::iter(all).map(async |(scenario, call, step)| {
        let when = format!("{}: {call:?} killed at {step}", scenario.name);
        let (place, killed) = stopped(scenario, call, step, Signal::KILL).await;
        assert_eq!(killed.code, None, "{when}");
        clean_up(&place, &killed, &when).await;
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_with_two_snapshots_left_when_it_was_killed_is_cleaned_up() {
    killed_while_it_runs(&TWICE, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_with_a_group_snapshot_left_when_it_was_killed_is_cleaned_up() {
    killed_while_it_runs(&GROUP, 2).await;
}

/// Kills one run at each event that a good run has, or at every so many, and cleans up after it.
async fn killed_while_it_runs(call: &[&str], every: usize) {
    let place = Place::of(healthy()).await;
    let good = place.call(call).await;
    assert_eq!(good.code, Some(0), "{}", good.errors);
    nothing_is_left(&place, &good, "a good run");
    let runs = stream::iter((0..good.lines.len()).step_by(every)).map(async |at| {
        let place = Place::of(healthy()).await;
        let killed = place
            .follow(call, async |number, _, pid| {
                if number == at {
                    send(pid, Signal::KILL);
                }
            })
            .await;
        clean_up(&place, &killed, &format!("{call:?} killed at event {at}: {:?}", killed.lines.last())).await;
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_termination_cleans_up_too() {
    let calls: [(&[&str], &str); 3] =
        [(&FILES, "snapshot"), (&BLOCK_IN_A_NAMESPACE, "overwrite"), (&TWO_CLASSES, "restore")];
    let runs = stream::iter(calls).map(async |(call, step)| {
        let when = format!("{call:?} terminated at {step}");
        let (place, ended) = stopped(healthy(), call, step, Signal::TERM).await;
        assert_eq!(ended.code, Some(143), "{when}: {}", ended.errors);
        assert_eq!(report(&ended)["run"]["interrupted"], "SIGTERM");
        nothing_is_left(&place, &ended, &when);
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_interrupt_leaves_at_once_and_says_how_to_clean_up() {
    // The snapshot cannot be deleted: the clean-up would go on for its minute.
    let place = Place::of(scenario::find("stuck-finalizer").unwrap()).await;
    let ended = place
        .follow(&FILES, async |_, line, pid| {
            if begins(line, "verify") || kind(line) == "stopping" {
                interrupt(pid);
            }
        })
        .await;
    assert_eq!(ended.code, Some(130), "{}", ended.errors);
    let report = report(&ended);
    assert_ne!(report["leftovers"], Value::Array(Vec::new()));
    let cleanup = format!("snapready cleanup --run {}", report["run"]["id"].as_str().unwrap());
    assert!(ended.errors.contains(&cleanup), "{}", ended.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_second_interrupt_left_is_cleaned_up() {
    let calls: [&[&str]; 2] = [&BLOCK_IN_A_NAMESPACE, &BOTH];
    let all = calls.into_iter().flat_map(|call| STEPS.map(|step| (call, step)));
    let runs = stream::iter(all).map(async |(call, step)| {
        let when = format!("{call:?} interrupted twice at {step}");
        let place = Place::of(healthy()).await;
        let mut sent = false;
        let ended = place
            .follow(call, async |_, line, pid| {
                if (!sent && begins(line, step)) || kind(line) == "stopping" {
                    sent = true;
                    interrupt(pid);
                }
            })
            .await;
        assert_eq!(ended.code, Some(130), "{when}: {}", ended.errors);
        clean_up(&place, &ended, &when).await;
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}
