//! Reports as runs make them: recorded ones, and results of checks on their cases. And reports full of what a cluster could
//! return at worst.

use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::prelude::*;
use snapready_checks::model::command::Command;
use snapready_checks::model::finding::{Evidence, Fix, Status};

use super::checked::checked;
use crate::model::{
    CheckResult, Growth, Leftover, ObjectName, ObjectRecord, Report, RoundTrip, Run, Source, SourceKind, StepId,
    Summary, Tool, Verdict, VolumeMode, sweeps,
};

pub(super) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// A report of a real run, as `tests/recorded_reports.rs` has recorded it; there its times are all the same.
fn recorded(snapshot: &str) -> Report {
    let (_, text) = snapshot.split_once("---\n").unwrap().1.split_once("---\n").unwrap();
    // Only `simulated` says so.
    let text = text
        .replace("csi.simulated.snapready.dev", "hostpath.csi.k8s.io")
        .replace("csi-simulated", "csi-hostpath")
        .replace(r#""context": "simulated""#, r#""context": "kind-dev""#);
    let mut report: Report = serde_json::from_str(&text).unwrap();
    report.run.started_at = time(0);
    report.run.finished_at = time(31);
    report.run.duration_ms = 31_000;
    for (index, step) in report.round_trips.iter_mut().flat_map(|trip| trip.steps.iter_mut().enumerate()) {
        if step.duration_ms.is_some() {
            step.started_at = Some(time(i64::try_from(index).unwrap()));
            step.duration_ms = Some([20, 4_100, 6_000, 11_800, 900, 3_300, 1_200, 3_200][index]);
        }
    }
    report
}

/// Two checks and a round trip.
pub(super) fn ready() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__ready.snap"))
}

/// A run that could not even look: the credentials are refused.
pub(crate) fn empty() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__unauthorized.snap"))
}

pub(super) fn object(kind: &str, name: &str) -> ObjectName {
    ObjectName { kind: kind.to_owned(), namespace: Some("snapready-7f3a9c".to_owned()), name: name.to_owned() }
}

pub(super) fn good_round_trip(mode: VolumeMode) -> RoundTrip {
    let mut report = match mode {
        VolumeMode::Filesystem => ready(),
        VolumeMode::Block => recorded(include_str!("../../../tests/snapshots/recorded_reports__ready_block.snap")),
    };
    report.round_trips.remove(0)
}

pub(super) fn failed_round_trip() -> RoundTrip {
    let snapshot = include_str!("../../../tests/snapshots/recorded_reports__restore_failed.snap");
    let mut trip = recorded(snapshot).round_trips.remove(0);
    trip.steps[5].duration_ms = Some(120_000);
    trip
}

/// All five statuses, and a round trip that failed.
pub(super) fn mixed() -> Report {
    // Made once: property tests ask for it hundreds of times.
    static MIXED: LazyLock<Report> = LazyLock::new(mix);
    MIXED.clone()
}

fn mix() -> Report {
    let cases = [
        ("kubernetes-version", "current"),
        ("snapshot-crds-installed", "all"),
        ("group-snapshot-crds", "not-installed"),
        ("snapshot-controller-ready", "scaled-to-0"),
        ("csi-driver-registered", "could-not-look"),
        ("storage-class-has-snapshot-class", "none-at-all"),
        ("default-snapshot-class", "two"),
    ];
    let results: Vec<CheckResult> = cases.into_iter().flat_map(|(slug, case)| checked(slug, case)).collect();
    let round_trips = vec![failed_round_trip(), good_round_trip(VolumeMode::Block)];
    let mut summary = Summary::default();
    for status in results.iter().map(|result| result.status).chain(round_trips.iter().map(|trip| trip.status)) {
        summary.count(status, false);
    }
    let ready = ready();
    let run = Run { verdict: Verdict::NotReady, exit_code: 1, duration_ms: 151_000, ..ready.run };
    Report { run, summary, results, round_trips, ..ready }
}

pub(super) fn simulated() -> Report {
    let source = Source { server_version: Some("v1.36.0".to_owned()), ..Source::unknown(SourceKind::Simulated) };
    Report { source, ..ready() }
}

/// The storage does not delete the snapshot.
pub(super) fn leftovers() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__leftovers.snap"))
}

pub(super) fn kept() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__kept.snap"))
}

pub(super) fn interrupted() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__interrupted.snap"))
}

/// Restored, but wrong.
pub(super) fn live_data() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__live_data.snap"))
}

/// A round trip of which it was clear beforehand that it fails.
pub(super) fn foreseen() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__foreseen.snap"))
}

/// One fault, which explains all others.
pub(super) fn one_cause() -> Report {
    recorded(include_str!("../../../tests/snapshots/recorded_reports__one_cause.snap"))
}

/// The worst that a cluster could return, in every text.
pub(super) fn hostile() -> Report {
    let worst = "a\u{1b}[31mred\u{1b}]0;title\u{7}b\0c]]>d\u{fffe}e\u{202e}f\u{200b}g\u{9b}2Jh\r\ni|`*<b>&\"\\";
    filled(worst)
}

/// A report with a text in every field that holds one.
pub(super) fn filled(text: &str) -> Report {
    let mut report = mixed();
    let own = || text.to_owned();
    report.tool = Tool { name: own(), version: own() };
    report.run.id = own();
    report.run.command = own();
    report.run.interrupted = Some(own());
    report.run.errors = vec![own(), own()];
    report.source = Source {
        context: Some(own()),
        files: vec![own()],
        server: Some(own()),
        server_version: Some(own()),
        ..Source::unknown(SourceKind::Live)
    };
    report.kept = vec![ObjectName { kind: own(), namespace: Some(own()), name: own() }];
    let left = |object: &ObjectName| Leftover { object: object.clone(), storage_handle: Some(own()) };
    report.leftovers = report.kept.iter().map(left).collect();
    report.cleanup_command = Some(own());
    let fill = |result: &mut CheckResult| {
        result.id = own();
        result.slug = own();
        result.title = own();
        result.target = Some(own());
        result.message = own();
        result.evidence =
            vec![Evidence { kind: own(), namespace: Some(own()), name: own(), path: own(), value: own() }];
        result.cause = Some(own());
        result.fix = Some(Fix { text: own(), commands: vec![Command::read(own())], manifest: Some(own()) });
    };
    report.results.iter_mut().for_each(fill);
    for trip in &mut report.round_trips {
        trip.storage_class = own();
        trip.snapshot_class = Some(own());
        trip.mode = own();
        trip.driver = Some(own());
        trip.namespace = own();
        trip.diagnosis.iter_mut().for_each(fill);
        trip.steps.iter_mut().for_each(|step| step.message = own());
        trip.size_bytes = Some(1 << 30);
        trip.objects = vec![ObjectRecord { object: object(text, text), uid: Some(own()), removed: false }];
    }
    report.sweeps = sweeps(&report.round_trips);
    for sweep in &mut report.sweeps {
        sweep.snapshot = Growth::Unknown { because: own() };
    }
    report
}

/// Two sizes of one class, of which the larger takes longer to restore, and got more than it asked for.
pub(super) fn sizes() -> Report {
    let mut report = ready();
    let small = report.round_trips.remove(0);
    let of = |gib: u64, got: u64, restore_ms: u64| {
        let mut trip = RoundTrip { size_bytes: Some(gib << 30), capacity_bytes: Some(got << 30), ..small.clone() };
        trip.steps.iter_mut().filter(|step| step.id == StepId::Restore).for_each(|step| {
            step.duration_ms = Some(restore_ms);
        });
        trip
    };
    report.round_trips = vec![of(1, 1, 3_300), of(50, 64, 66_300)];
    report.sweeps = sweeps(&report.round_trips);
    report.summary.pass += 1;
    report
}

/// Two targets in three modes, of which one cannot be done with one of them, and one takes long.
pub(super) fn matrix() -> Report {
    let mut report = ready();
    let good = |class: &str, mode: &str| RoundTrip {
        storage_class: class.to_owned(),
        mode: mode.to_owned(),
        ..good_round_trip(VolumeMode::Filesystem)
    };
    let skipped = RoundTrip { status: Status::Skip, steps: Vec::new(), ..good("premium-replicated", "larger") };
    let failed = RoundTrip { mode: "source-gone".to_owned(), ..failed_round_trip() };
    report.round_trips = vec![
        good("standard", "plain"),
        good("standard", "larger"),
        failed,
        good("premium-replicated", "plain"),
        skipped,
    ];
    report.summary = Summary::default();
    let statuses = report.results.iter().map(|result| result.status);
    for status in statuses.chain(report.round_trips.iter().map(|trip| trip.status)) {
        report.summary.count(status, false);
    }
    report.run.verdict = Verdict::NotReady;
    report
}

/// All of them, with a name for each.
pub(super) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("mixed", mixed()),
        ("ready", ready()),
        ("empty", empty()),
        ("simulated", simulated()),
        ("leftovers", leftovers()),
        ("kept", kept()),
        ("interrupted", interrupted()),
        ("live_data", live_data()),
        ("foreseen", foreseen()),
        ("one_cause", one_cause()),
        ("sizes", sizes()),
        ("matrix", matrix()),
        ("hostile", hostile()),
    ]
}

/// Text with more of what hurts than random text has.
pub(crate) fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "\u{1b}",
            "\u{1b}[31m",
            "\u{1b}]0;x",
            "\u{7}",
            "\u{9b}",
            "\0",
            "]]>",
            "]]",
            ">",
            "<![CDATA[",
            "\u{fffe}",
            "\u{202e}",
            "\r\n",
            "\n",
            "&amp;",
            "\"",
            "'",
            "<",
            "\u{2028}",
            "`",
            "|",
            "\u{10ffff}",
            "漢字",
            " ",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}
