//! Whatever stops a run, and whenever: nothing of it stays in the cluster, and the program says what happened.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may")]

mod kept;
#[path = "../program/mod.rs"]
mod program;
mod stopped;
mod troubled;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use snapready_sim::scenario::{self, Scenario};

use program::{Ended, Place};

/// How many runs go on at a time. Each is a cluster, its pods' processes and the program.
const AT_A_TIME: usize = 6;

fn healthy() -> &'static Scenario {
    scenario::find("healthy").unwrap()
}

fn send(pid: Pid, signal: Signal) {
    // A process that has ended by itself is not there to get it.
    let _gone = kill_process(pid, signal);
}

/// The report that ends an ndjson stream.
fn report(ended: &Ended) -> Value {
    let last: Value = serde_json::from_str(ended.lines.last().expect("nothing on stdout")).unwrap();
    assert_eq!(last["event"]["type"], "run-finished", "{}", ended.errors);
    last["event"]["report"].clone()
}

fn kind(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap();
    event["event"]["type"].as_str().unwrap().to_owned()
}

/// Whether this event says that a step began.
fn begins(line: &str, step: &str) -> bool {
    let event: Value = serde_json::from_str(line).unwrap();
    event["event"]["type"] == "step-started" && event["event"]["step"] == step
}

fn interrupt(pid: Pid) {
    send(pid, Signal::INT);
}

/// Asserts that nothing is left, now: the program has said so. And that nothing is missing.
fn nothing_is_left(place: &Place, ended: &Ended, when: &str) {
    let (objects, storage) = (place.cluster.objects(), place.cluster.storage());
    assert_eq!(place.cluster.missing(), [], "{when}: somebody else's object was removed");
    assert!(objects.is_empty() && storage.is_empty(), "{when}: left {objects:?} {storage:?}\n{}", ended.errors);
}
