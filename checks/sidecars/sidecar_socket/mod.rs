//! Whether the sidecars look for their driver's socket where the driver puts it.

use crate::knowledge::control_plane::commands::edit;
use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter};
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::control_plane::sidecars::{Sidecar, Sign, sidecars};
use crate::knowledge::control_plane::sockets::{Socket, address, socket};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::Container;
use crate::model::need::Need;
use crate::sidecars::SIGNS;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR128",
    slug: "sidecar-socket",
    title: "The sidecars share a socket with their driver",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods],
    uses: SIGNS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// What a kind of sidecar is called, and how it is told.
type Kind = (&'static str, fn(&Container) -> bool);

const KINDS: [Kind; 2] = [("csi-snapshotter", is_csi_snapshotter), ("csi-provisioner", is_csi_provisioner)];

fn run(facts: &Facts, findings: &mut Findings) {
    let mut any = false;
    for (what, is_kind) in KINDS {
        let all = sidecars(facts, is_kind);
        any |= !all.is_empty();
        for sidecar in &all {
            let target = format!("{}/{}", sidecar.running.place(), sidecar.running.container.name);
            let mut finding = judge(what, sidecar);
            // Another one of the driver's may do the work.
            let others = all.iter().filter(|other| !std::ptr::eq(*other, sidecar));
            let mut covers = others.filter(|other| other.drivers.iter().any(|driver| sidecar.serves(driver)));
            if finding.status == Status::Fail && covers.any(|other| judge(what, other).status != Status::Fail) {
                finding.status = Status::Warn;
            }
            let finding = if is_csi_snapshotter(sidecar.running.container) { finding.strands() } else { finding };
            findings.push(finding.target(target).drivers(&sidecar.drivers));
        }
    }
    if !any {
        findings.skip("no sidecar is visible");
    }
}

fn judge(what: &str, sidecar: &Sidecar<'_>) -> Finding {
    let running = &sidecar.running;
    let place = running.place();
    // A sidecar takes its lease only after the driver has answered. The other leases are those of its neighbours.
    if is_csi_snapshotter(running.container) && sidecar.by == Some(Sign::SnapshotterLease) && running.ready > 0 {
        return Finding::new(Status::Pass, format!("{place}: its driver has answered, as its lease shows"));
    }
    let at = address(running.container).unwrap_or_default();
    match socket(running) {
        Socket::Shared(found) => Finding::new(Status::Pass, format!("{place}: {at} on volume {}", found.volume)),
        Socket::OnNode(found) => Finding::new(
            Status::Skip,
            format!("{place}: {at} lies on the node (volume {}), where any pod may put it", found.volume),
        ),
        Socket::Unknown => Finding::new(Status::Skip, format!("{place}: where its socket lies is not known")),
        Socket::NoVolume => wrong(what, running, &at, "no volume of the pod is mounted there")
            .cause("Nobody can put a socket there. It waits for its driver for ever, although it counts as ready."),
        Socket::NobodyElse(found) => {
            wrong(what, running, &at, &format!("no container beside it mounts volume {}", found.volume)).cause(
                "No driver can put a socket there. It waits for its driver for ever, although it counts as ready.",
            )
        }
        Socket::Elsewhere { driver, endpoint } => {
            let beside = running.spec.containers.iter().find(|container| container.name == driver);
            let words =
                beside.map(|container| container.command.iter().chain(&container.args).cloned().collect::<Vec<_>>());
            let arguments = format!("spec.template.spec.containers[{driver}].args");
            wrong(what, running, &at, &format!("container {driver} beside it listens at {endpoint}"))
                .evidence(running.evidence(&arguments, words.unwrap_or_default().join(" ")))
                .cause(
                    "The two paths are different files. It waits for its driver for ever, although it counts as ready.",
                )
        }
    }
}

fn wrong(what: &str, running: &Running<'_>, at: &str, why: &str) -> Finding {
    let place = running.place();
    let name = &running.container.name;
    let mounts = running.container.volume_mounts.iter().map(|mount| format!("{} at {}", mount.name, mount.mount_path));
    let mounts = mounts.collect::<Vec<_>>().join(", ");
    Finding::new(Status::Fail, format!("the {what} of {place} looks for its driver at {at}, but {why}"))
        .evidence(
            running.evidence(&format!("spec.template.spec.containers[{name}].args"), running.container.args.join(" ")),
        )
        .evidence(running.evidence(
            &format!("spec.template.spec.containers[{name}].volumeMounts"),
            if mounts.is_empty() { "none".to_owned() } else { mounts },
        ))
        .fix(
            Fix::text("Set its --csi-address to the driver's socket, on a volume that both containers mount.")
                .commands(edit(running)),
        )
}
