//! Reports as runs make them, and reports full of what a cluster could return at worst.

use jiff::Timestamp;
use proptest::prelude::*;
use snapready_checks::model::check::{Group, Severity};
use snapready_checks::model::command::{Command, kubectl, snapready};
use snapready_checks::model::finding::{Evidence, Fix, Status};

use crate::model::{
    CheckResult, DataVerdict, ObjectName, ObjectRecord, Report, RoundTrip, Run, SCHEMA_VERSION, Source, SourceKind,
    Step, StepId, Summary, Tool, Verdict, VolumeMode,
};

pub(super) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

pub(super) fn empty() -> Report {
    Report {
        schema_version: SCHEMA_VERSION.to_owned(),
        tool: Tool { name: "snapready".to_owned(), version: "0.1.0".to_owned() },
        run: Run {
            id: "7f3a9c".to_owned(),
            command: "preflight".to_owned(),
            started_at: time(0),
            finished_at: time(151),
            duration_ms: 151_000,
            interrupted: None,
            verdict: Verdict::Inconclusive,
            exit_code: 3,
            errors: Vec::new(),
        },
        source: Source {
            kind: SourceKind::Live,
            context: Some("kind-dev".to_owned()),
            server: Some("https://127.0.0.1:6443".to_owned()),
            server_version: Some("v1.36.2".to_owned()),
        },
        summary: Summary::default(),
        results: Vec::new(),
        round_trips: Vec::new(),
        leftovers: Vec::new(),
        kept: Vec::new(),
        cleanup_command: None,
    }
}

pub(super) fn result(id: &str, group: Group, status: Status, title: &str, message: &str) -> CheckResult {
    CheckResult {
        id: id.to_owned(),
        slug: title.replace(' ', "-").to_lowercase(),
        group,
        title: title.to_owned(),
        target: None,
        status,
        severity: Severity::Error,
        message: message.to_owned(),
        evidence: Vec::new(),
        cause: None,
        fix: None,
    }
}

pub(super) fn object(kind: &str, name: &str) -> ObjectName {
    ObjectName { kind: kind.to_owned(), namespace: Some("snapready-7f3a9c".to_owned()), name: name.to_owned() }
}

fn step(id: StepId, status: Status, duration_ms: Option<u64>, message: &str) -> Step {
    let started_at = duration_ms.map(|_| time(i64::from(id as u8)));
    Step { id, status, message: message.to_owned(), started_at, duration_ms }
}

pub(super) fn good_round_trip(mode: VolumeMode) -> RoundTrip {
    let steps = [
        (StepId::Admission, 20, "5 objects admitted"),
        (StepId::Provision, 4_100, "pvc/source bound"),
        (StepId::Write, 6_000, "64 MiB in 12 files"),
        (StepId::Snapshot, 11_800, "readyToUse, 1Gi"),
        (StepId::Overwrite, 900, "overwritten and deleted"),
        (StepId::Restore, 3_300, "pvc/restore bound"),
        (StepId::Verify, 1_200, "12 files as written"),
        (StepId::Cleanup, 3_200, "5 objects removed, nothing left"),
    ];
    RoundTrip {
        storage_class: "gp3".to_owned(),
        snapshot_class: Some("gold".to_owned()),
        volume_mode: mode,
        driver: Some("ebs.csi.aws.com".to_owned()),
        namespace: "snapready-7f3a9c".to_owned(),
        status: Status::Pass,
        data: Some(DataVerdict::Intact),
        diagnosis: None,
        steps: steps.into_iter().map(|(id, time, text)| step(id, Status::Pass, Some(time), text)).collect(),
        objects: vec![ObjectRecord { object: object("PersistentVolumeClaim", "source"), uid: None, removed: true }],
    }
}

pub(super) fn failed_round_trip() -> RoundTrip {
    let mut trip = good_round_trip(VolumeMode::Filesystem);
    trip.status = Status::Fail;
    trip.data = None;
    let restore = "the restored volume was not provisioned: pvc/restore is Pending";
    trip.steps[5] = step(StepId::Restore, Status::Fail, Some(120_000), restore);
    trip.steps[6] = step(StepId::Verify, Status::Skip, None, "not reached");
    trip.diagnosis = Some(CheckResult {
        evidence: vec![Evidence::namespaced(
            "PersistentVolumeClaim",
            "snapready-7f3a9c",
            "restore",
            "event ProvisioningFailed ×14",
            "rpc error: code = NotFound desc = snapshot not found in zone b",
        )],
        cause: Some("The driver looks for the snapshot in the zone of the new volume.".to_owned()),
        fix: Some(
            Fix::text("Restore into the zone of the snapshot.")
                .command(kubectl("get nodes -L topology.kubernetes.io/zone")),
        ),
        ..result(
            "SR310",
            Group::Roundtrip,
            Status::Fail,
            "A snapshot can be restored",
            "pvc/restore stays Pending: snapshot not found in zone b",
        )
    });
    trip
}

/// All five statuses, and a round trip that failed.
pub(super) fn mixed() -> Report {
    let mut two_defaults = result(
        "SR205",
        Group::Classes,
        Status::Warn,
        "each driver has one default VolumeSnapshotClass at most",
        "two classes are marked as default: gold, silver",
    );
    two_defaults.target = Some("ebs.csi.aws.com".to_owned());
    for name in ["gold", "silver"] {
        let path = "metadata.annotations[\"snapshot.storage.kubernetes.io/is-default-class\"]";
        two_defaults.evidence.push(Evidence::cluster("VolumeSnapshotClass", name, path, "true"));
    }
    two_defaults.cause = Some(
        "A VolumeSnapshot that names no class is refused by the snapshot-controller when several are default."
            .to_owned(),
    );
    two_defaults.fix = Some(
        Fix::text("Keep one default class.")
            .command(kubectl("annotate volumesnapshotclass silver snapshot.storage.kubernetes.io/is-default-class-"))
            .manifest("apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\n"),
    );
    let mut no_controller = result(
        "SR110",
        Group::Controller,
        Status::Fail,
        "a snapshot-controller is running",
        "Deployment kube-system/snapshot-controller has 0 of 2 pods ready",
    );
    no_controller.evidence.push(Evidence::namespaced(
        "Deployment",
        "kube-system",
        "snapshot-controller",
        "status.readyReplicas",
        "0",
    ));
    no_controller.fix = Some(
        Fix::text("Look at why its pods do not start.")
            .command(kubectl("-n kube-system describe deployment snapshot-controller")),
    );
    let mut drivers = result(
        "SR130",
        Group::Drivers,
        Status::Unknown,
        "CSI drivers are registered",
        "not allowed to list csidrivers.storage.k8s.io",
    );
    drivers.fix = Some(Fix::text("Grant list csidrivers.storage.k8s.io.").command(snapready("rbac")));
    let mut version = result("SR101", Group::Api, Status::Pass, "the Kubernetes version is supported", "v1.36.2");
    version.evidence.push(Evidence::cluster("APIServer", "version", "gitVersion", "v1.36.2"));
    Report {
        summary: Summary { pass: 3, warn: 1, fail: 2, skip: 1, unknown: 1 },
        results: vec![
            version,
            result(
                "SR102",
                Group::Api,
                Status::Pass,
                "the snapshot CRDs are served at v1",
                "v1 served, stored versions v1; from release v8.2.0",
            ),
            no_controller,
            drivers,
            result(
                "SR201",
                Group::Classes,
                Status::Skip,
                "group snapshots are set up",
                "the group snapshot API is not served",
            ),
            two_defaults,
        ],
        round_trips: vec![failed_round_trip(), good_round_trip(VolumeMode::Block)],
        run: Run { verdict: Verdict::NotReady, exit_code: 1, ..empty().run },
        ..empty()
    }
}

pub(super) fn ready() -> Report {
    Report {
        summary: Summary { pass: 2, ..Summary::default() },
        results: vec![result("SR101", Group::Api, Status::Pass, "the Kubernetes version is supported", "v1.36.2")],
        round_trips: vec![good_round_trip(VolumeMode::Filesystem)],
        run: Run { verdict: Verdict::Ready, exit_code: 0, duration_ms: 31_000, ..empty().run },
        ..empty()
    }
}

pub(super) fn simulated() -> Report {
    let source =
        Source { kind: SourceKind::Simulated, context: None, server: None, server_version: Some("v1.36.0".to_owned()) };
    Report { source, ..ready() }
}

pub(super) fn leftovers() -> Report {
    let mut report = ready();
    report.run.exit_code = 4;
    report.leftovers = vec![
        object("PersistentVolumeClaim", "restore"),
        ObjectName { kind: "VolumeSnapshotContent".to_owned(), namespace: None, name: "snapcontent-1".to_owned() },
    ];
    report.cleanup_command = Some("snapready cleanup --run 7f3a9c --context kind-dev".to_owned());
    report.round_trips[0].steps[7] = step(StepId::Cleanup, Status::Warn, Some(60_000), "2 objects are still there");
    report
}

pub(super) fn kept() -> Report {
    let mut report = ready();
    report.kept = vec![object("PersistentVolumeClaim", "restore")];
    report.cleanup_command = Some("snapready cleanup --run 7f3a9c".to_owned());
    report
}

pub(super) fn interrupted() -> Report {
    let mut report = ready();
    report.run.interrupted = Some("SIGINT".to_owned());
    report.run.verdict = Verdict::Inconclusive;
    report.run.exit_code = 130;
    report.run.errors = vec!["interrupted by SIGINT before the data was verified".to_owned()];
    report.summary = Summary { pass: 1, unknown: 1, ..Summary::default() };
    let trip = &mut report.round_trips[0];
    trip.status = Status::Unknown;
    trip.data = None;
    trip.steps[3] = step(StepId::Snapshot, Status::Unknown, Some(2_000), "interrupted while waiting for readyToUse");
    for late in 4..7 {
        trip.steps[late] = step(trip.steps[late].id, Status::Skip, None, "interrupted");
    }
    report
}

/// Restored, but wrong.
pub(super) fn live_data() -> Report {
    let mut report = ready();
    report.run.verdict = Verdict::NotReady;
    report.run.exit_code = 1;
    report.summary = Summary { pass: 1, fail: 1, ..Summary::default() };
    let trip = &mut report.round_trips[0];
    trip.status = Status::Fail;
    trip.data = Some(DataVerdict::LiveData);
    trip.steps[6] =
        step(StepId::Verify, Status::Fail, Some(1_100), "11 of 12 files hold what was written after the snapshot");
    let message = "the restored volume holds what was written after the snapshot";
    trip.diagnosis =
        Some(result("SR330", Group::Roundtrip, Status::Fail, "Restored data is what was snapshotted", message));
    report
}

/// A round trip that could not begin: no step failed, and yet it did.
pub(super) fn not_begun() -> Report {
    let mut report = ready();
    report.run.verdict = Verdict::NotReady;
    report.run.exit_code = 1;
    report.summary = Summary { pass: 1, fail: 1, ..Summary::default() };
    let trip = &mut report.round_trips[0];
    trip.status = Status::Fail;
    trip.snapshot_class = None;
    trip.data = None;
    trip.objects = Vec::new();
    trip.steps = StepId::ALL.map(|id| step(id, Status::Skip, None, "not reached")).into();
    let message = "no VolumeSnapshotClass of driver ebs.csi.aws.com";
    let mut diagnosis = result("SR301", Group::Roundtrip, Status::Fail, "A class can be chosen", message);
    diagnosis.fix = Some(Fix::text("Create one.").command(snapready("explain SR203")));
    trip.diagnosis = Some(diagnosis);
    report
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
    report.source =
        Source { kind: SourceKind::Live, context: Some(own()), server: Some(own()), server_version: Some(own()) };
    report.leftovers = vec![ObjectName { kind: own(), namespace: Some(own()), name: own() }];
    report.kept = report.leftovers.clone();
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
        trip.driver = Some(own());
        trip.namespace = own();
        trip.diagnosis.iter_mut().for_each(fill);
        trip.steps.iter_mut().for_each(|step| step.message = own());
        trip.objects = vec![ObjectRecord { object: object(text, text), uid: Some(own()), removed: false }];
    }
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
        ("not_begun", not_begun()),
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
