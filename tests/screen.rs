//! What people see while a run goes on.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod program;

use program::Place;
use rustix::process::{Signal, kill_process};
use snapready_sim::scenario;

/// The driver of this cluster never answers, so the round trip ends only because the results of the checks were seen.
#[tokio::test(flavor = "multi_thread")]
async fn the_checks_are_shown_before_the_round_trip_ends() {
    let place = Place::of(scenario::find("hung-provision").unwrap()).await;
    let call = ["preflight", "--volume-mode", "filesystem", "--step-timeout", "1h"];
    let ended = place
        .follow(&call, async |_, line, pid| {
            if line.contains("SR401") {
                kill_process(pid, Signal::INT).unwrap();
            }
        })
        .await;
    assert_eq!(ended.code, Some(130), "{:#?}\n{}", ended.lines, ended.errors);
    assert!(place.cluster.objects().is_empty());
    let once = |word: &str| ended.lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!((once("SR101"), once("SR401"), once("Round trip")), (1, 1, 1), "{:#?}", ended.lines);
}

/// Whether the call was right is known only after the checks; a call that was not gets no report.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_call_shows_no_results() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    let ended = place.call(&["preflight", "--storage-class", "no-such-class"]).await;
    assert_eq!((ended.code, ended.lines.as_slice()), (Some(2), [].as_slice()), "{}", ended.errors);
}
