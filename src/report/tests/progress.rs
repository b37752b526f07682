use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressDrawTarget, TermLike};

use snapready_checks::model::finding::Status;
use tokio::sync::mpsc;

use super::output::{Recorder, event};
use super::samples;
use crate::model::{DataVerdict, Event, Happening, StepId, Target, VolumeMode};
use crate::report::format::Format;
use crate::report::options::RenderOptions;
use crate::report::output::{Outputs, Reporter};
use crate::report::progress::{HEARTBEAT, Progress, ProgressMode, ProgressOptions, follow};

fn planned() -> Event {
    let target = Target {
        index: 0,
        storage_class: "standard".to_owned(),
        snapshot_class: Some("standard-snapshots".to_owned()),
        volume_mode: VolumeMode::Filesystem,
        mode: "plain".to_owned(),
        size_bytes: None,
    };
    let namespace = "snapready-7f3a9c".to_owned();
    event(1, Happening::RoundTripsPlanned { namespace, own_namespace: true, targets: vec![target], limited: None })
}

fn waiting(second: i64, last_seen: &str) -> Event {
    let waiting_for = "VolumeSnapshot snapshot to be ready to use".to_owned();
    event(
        second,
        Happening::StepWaiting { target: 0, step: StepId::Snapshot, waiting_for, last_seen: last_seen.to_owned() },
    )
}

fn verdict(status: Status, diagnosed: bool) -> Happening {
    let trip = samples::failed_round_trip();
    let diagnosis = if diagnosed { trip.diagnosis.map(Box::new) } else { None };
    Happening::VerdictKnown { target: 0, status, data: (!diagnosed).then_some(DataVerdict::Intact), diagnosis }
}

/// A run with every kind of event.
fn story() -> Vec<Event> {
    let report = samples::failed_round_trip();
    vec![
        event(
            0,
            Happening::RunStarted {
                run: "7f3a9c".to_owned(),
                command: "preflight".to_owned(),
                source: samples::mixed().source,
            },
        ),
        event(0, Happening::CheckFinished { result: samples::mixed().results[0].clone() }),
        event(0, Happening::CheckFinished { result: samples::mixed().results[3].clone() }),
        planned(),
        event(2, Happening::StepStarted { target: 0, step: StepId::Snapshot }),
        waiting(3, "the driver works on it"),
        event(
            4,
            Happening::Retrying {
                request: "GET /api/v1/namespaces/n/pods".to_owned(),
                reason: "503 Service Unavailable".to_owned(),
            },
        ),
        event(125, Happening::StepFinished { target: 0, step: report.steps[5].clone() }),
        event(125, verdict(Status::Fail, true)),
        event(126, Happening::Stopping { signal: "SIGTERM".to_owned(), objects: 1 }),
        event(127, Happening::ObjectRemoved { object: samples::object("PersistentVolumeClaim", "source") }),
        event(128, Happening::RunFinished { report: Box::new(samples::mixed()) }),
    ]
}

fn shown(mode: ProgressMode, options: ProgressOptions, events: &[Event]) -> String {
    let stream = Recorder::default();
    let mut progress = Progress::new(mode, options, Box::new(stream.clone()));
    for event in events {
        progress.event(event);
    }
    stream.text()
}

#[test]
fn one_line_per_event() {
    insta::assert_snapshot!("lines", shown(ProgressMode::Lines, ProgressOptions::default(), &story()));
    let all = ProgressOptions { ascii: true, verbose: true, ..ProgressOptions::default() };
    insta::assert_snapshot!("lines_ascii_verbose", shown(ProgressMode::Lines, all, &story()));
}

#[test]
fn without_progress_only_what_must_be_known() {
    let text = shown(ProgressMode::Off, ProgressOptions::default(), &story());
    assert_eq!(text, "   2m06s  SIGTERM: stopping; removing 1 object (Ctrl-C again to leave them)\n");
}

#[test]
fn hostile_text_is_harmless() {
    let evil = "a\u{1b}[2J\u{9b}31m\u{202e}\r\nb";
    let verbose = ProgressOptions { verbose: true, ..ProgressOptions::default() };
    let text = shown(ProgressMode::Lines, verbose, &[planned(), waiting(2, evil)]);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(!text.chars().any(|c| c != '\n' && crate::report::sanitize::is_hidden(c)), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_every_30_seconds_of_waiting() {
    let stream = Recorder::default();
    let mut progress = Progress::new(ProgressMode::Lines, ProgressOptions::default(), Box::new(stream.clone()));
    progress.event(&planned());
    assert!(within(&mut progress, Duration::from_secs(3_600)).await.is_none(), "nothing is waited for");
    progress.event(&event(2, Happening::StepStarted { target: 0, step: StepId::Snapshot }));
    progress.event(&waiting(3, "the driver works on it"));
    assert!(within(&mut progress, Duration::from_millis(29_999)).await.is_none(), "it is not due yet");
    assert!(within(&mut progress, Duration::from_millis(2)).await.is_some());
    assert!(within(&mut progress, HEARTBEAT + Duration::from_millis(1)).await.is_some());
    let beats: Vec<_> =
        stream.text().lines().filter(|line| line.contains("still waiting")).map(str::to_owned).collect();
    assert_eq!(beats.len(), 2);
    assert!(
        beats[1].ends_with(
            "standard → standard-snapshots: take snapshot: still waiting after 1m00s for VolumeSnapshot snapshot to be ready to use; last seen: the driver works on it"
        ),
        "{beats:?}"
    );
    progress
        .event(&event(65, Happening::StepFinished { target: 0, step: samples::failed_round_trip().steps[3].clone() }));
    assert!(within(&mut progress, Duration::from_secs(3_600)).await.is_none(), "the wait is over");
}

/// Dropping the heartbeat, as `select!` does at every event, must not put it off.
#[tokio::test(start_paused = true)]
async fn a_dropped_heartbeat_comes_in_time() {
    let stream = Recorder::default();
    let mut progress = Progress::new(ProgressMode::Lines, ProgressOptions::default(), Box::new(stream.clone()));
    progress.event(&event(2, Happening::StepStarted { target: 0, step: StepId::Snapshot }));
    for _ in 0..5 {
        assert!(within(&mut progress, Duration::from_secs(5)).await.is_none());
    }
    assert!(within(&mut progress, Duration::from_millis(5_001)).await.is_some());
}

async fn within(progress: &mut Progress, time: Duration) -> Option<()> {
    tokio::time::timeout(time, progress.heartbeat()).await.ok()
}

#[tokio::test(start_paused = true)]
async fn following_shows_and_reports_every_event() {
    let (sender, events) = mpsc::unbounded_channel();
    let (stdout, stderr) = (Recorder::default(), Recorder::default());
    let mut progress = Progress::new(ProgressMode::Lines, ProgressOptions::default(), Box::new(stderr.clone()));
    let outputs = Outputs::new(Some(Format::Ndjson), &[]).unwrap();
    let mut reporter = Reporter::new(outputs, RenderOptions::default(), Box::new(stdout.clone())).unwrap();
    let talk = async move {
        for event in story() {
            sender.send(event).unwrap();
            tokio::time::sleep(Duration::from_secs(31)).await;
        }
    };
    tokio::join!(talk, follow(events, &mut progress, &mut reporter));
    reporter.finish(&samples::mixed()).unwrap();
    assert_eq!(stdout.text().lines().count(), story().len());
    assert!(stderr.text().contains("still waiting"));
    assert!(!stdout.text().contains("still waiting"));
}

/// A stderr that is closed stops nothing.
#[test]
fn a_closed_stderr_is_no_error() {
    struct Closed;
    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let mut progress = Progress::new(ProgressMode::Lines, ProgressOptions::default(), Box::new(Closed));
    for event in story() {
        progress.event(&event);
    }
}

/// A terminal that remembers what was written on it.
#[derive(Debug, Clone, Default)]
struct Terminal(Arc<Mutex<String>>);

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        100
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_bar_says_what_is_waited_for_and_keeps_the_verdict() {
    let terminal = Terminal::default();
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 10);
    let mut progress = Progress::bar(ProgressOptions::default(), target);
    let evil = "bound\u{1b}[2J\u{9b}31m\u{202e}, no handle";
    for event in [planned(), waiting(3, evil), event(4, verdict(Status::Pass, false))] {
        progress.event(&event);
    }
    drop(progress);
    let text = terminal.0.lock().unwrap().clone();
    assert!(text.contains("1 round trip in namespace snapready-7f3a9c, which will be created and removed"), "{text:?}");
    let wait = "take snapshot: waiting for VolumeSnapshot snapshot to be ready to use; last seen: bound\\u{202e}";
    assert!(text.contains(wait), "{text:?}");
    assert!(text.contains("✓ standard → standard-snapshots: round trip: pass; data intact"), "{text:?}");
    assert!(!text.contains("1.0s"), "only a stream without cursor gets times in front: {text:?}");
}
