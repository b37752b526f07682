//! Whether the snapshot-controller may send enough requests for the snapshots that are taken at once.

use jiff::{SignedDuration, Timestamp};

use crate::knowledge::control_plane::arguments::value;
use crate::knowledge::control_plane::commands::edit;
use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::running::{Running, running};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR117",
    slug: "snapshot-controller-throughput",
    title: "The snapshot-controller keeps up with the snapshots",
    group: Group::Controller,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::Pods, Need::VolumeSnapshots],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// So many snapshots in one minute are many: 80 at once took 143 s with the default, and 17 s without a limit
/// (external-snapshotter issue 1344).
const MANY: usize = 50;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Requests per second without the flag (external-snapshotter cmd/snapshot-controller/main.go).
const DEFAULT_QPS: f64 = 5.0;
/// With so many requests per second nobody has to wait for the limit.
const ENOUGH_QPS: f64 = 20.0;

fn run(facts: &Facts, findings: &mut Findings) {
    let installations = running(facts, is_snapshot_controller);
    if installations.is_empty() {
        findings.skip("no snapshot-controller is visible");
        return;
    }
    let times = facts.volume_snapshots.seen().into_iter().flatten();
    let (most, first) = busiest_minute(times.filter_map(|snapshot| snapshot.metadata.creation_timestamp).collect());
    for installation in &installations {
        let finding = judge(installation, most, first);
        findings.push(if installations.len() > 1 { finding.target(installation.place()) } else { finding });
    }
}

fn judge(running: &Running<'_>, most: usize, first: Option<Timestamp>) -> Finding {
    let flag = value(running.container, "kube-api-qps");
    // `$(QPS)` of which the value is not known.
    let Ok(qps) = flag.as_deref().map_or(Ok(DEFAULT_QPS), str::parse::<f64>) else {
        return Finding::new(Status::Skip, format!("the --kube-api-qps of {} is not known", running.place()));
    };
    let Some(first) = first.filter(|_| most >= MANY && qps < ENOUGH_QPS) else {
        return Finding::new(Status::Pass, format!("{}: at most {most} snapshots in a minute", running.place()));
    };
    Finding::new(
        Status::Warn,
        format!("{most} snapshots were taken within a minute, and {} may send {qps} requests per second", running.place()),
    )
    .evidence(running.evidence("spec.template.spec.containers[].args", running.container.args.join(" ")))
    .evidence(Evidence::cluster(
        "VolumeSnapshots",
        "all namespaces",
        "metadata.creationTimestamp",
        format!("{most} within a minute of {first}"),
    ))
    .cause("Each snapshot takes it several requests, so snapshots wait for one another, and backups run into their time limits.")
    .fix(
        Fix::text("Raise it with the arguments --kube-api-qps=50 and --kube-api-burst=100, and the driver's csi-snapshotter as well; releases before 5.0 do not have them.")
            .commands(edit(running)),
    )
}

/// How many of these fall into one minute at most, and when that began.
fn busiest_minute(mut times: Vec<Timestamp>) -> (usize, Option<Timestamp>) {
    times.sort_unstable();
    let mut most = (0, None);
    let mut begins = times.iter().enumerate().peekable();
    for (index, time) in times.iter().enumerate() {
        while begins.next_if(|(_, begin)| time.duration_since(**begin) > MINUTE).is_some() {}
        if let Some((begin, first)) = begins.peek()
            && index + 1 - begin > most.0
        {
            most = (index + 1 - begin, Some(**first));
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_minute_is_found() {
        let at = |seconds: &[i64]| {
            busiest_minute(seconds.iter().map(|second| Timestamp::from_second(*second).unwrap()).collect())
        };
        assert_eq!(at(&[]), (0, None));
        let (most, first) = at(&[200, 0, 100, 110, 159, 161]);
        assert_eq!((most, first.unwrap().as_second()), (3, 100));
        assert_eq!(at(&[0, 60, 120]).0, 2);
    }
}
