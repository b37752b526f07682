//! Results from what writer and reader reported.

use snapready_checks::model::finding::{Evidence, Fix, Status};

use super::commands::again;
use super::result::{Found, RoundTripCheck, safe};
use crate::model::{CheckResult, DataVerdict};
use crate::roundtrip::objects::name;
use crate::roundtrip::payload::{Judgement, UnreadableReport, WriteFault};
use crate::roundtrip::plan::{Plan, Target};

/// The result of comparing the restored data.
#[must_use]
pub fn data_result(plan: &Plan, target: &Target, judgement: &Judgement) -> CheckResult {
    let status = if judgement.verdict == DataVerdict::Intact { Status::Pass } else { Status::Fail };
    let found = Found::new(RoundTripCheck::DataIntact, status, Some(&target.label()), &judgement.message);
    let claim = name(plan, target, "restored");
    let found = found.evidence(judgement.evidence(&plan.namespace, &claim).into_iter().take(12));
    let driver = target.driver.as_deref().unwrap_or("the driver");
    let (cause, advice) = match judgement.verdict {
        DataVerdict::Intact => return found.done(),
        DataVerdict::LiveData => (
            format!("{driver} copied the live volume instead of the snapshot, or its snapshot is not a point in time"),
            "Do not rely on this driver's snapshots: restores hold newer data than the backup. Update the driver, and report it to its maker.",
        ),
        DataVerdict::Empty => (
            format!("{driver} made a new volume and restored nothing into it"),
            "Do not rely on this driver's snapshots: restores are empty. Update the driver, and check the snapshot on the storage's side.",
        ),
        DataVerdict::FreshlyFormatted => (
            format!("{driver} formatted the restored volume instead of keeping its file system"),
            "Do not rely on this driver's snapshots: restores are empty. Update the driver's node plugin: it takes a restored volume for a new one.",
        ),
        DataVerdict::Truncated => (
            format!(
                "{driver} restored only the beginning of the data, or the snapshot was taken before it was on the disk"
            ),
            "Do not rely on this driver's snapshots: restores are cut. Check for failed copies on the storage's side, and update the driver.",
        ),
        DataVerdict::Corrupted => (
            "the snapshot or its restore changed the data".to_owned(),
            "Do not rely on this driver's snapshots. Check the storage's health, update the driver, and report it to its maker.",
        ),
        DataVerdict::WrongVolume => (
            format!("{driver} restored another volume's data"),
            "Do not rely on this driver's snapshots: a restore shows data of somebody else. Report it to the driver's maker.",
        ),
    };
    found.cause(cause).fix(Fix::text(advice).command(again(target))).done()
}

/// The result of a reader without a report: nothing is known about the data, so it is neither pass nor fail.
#[must_use]
pub fn unreadable_result(plan: &Plan, target: &Target, unreadable: &UnreadableReport) -> CheckResult {
    let reader = name(plan, target, "reader");
    Found::new(RoundTripCheck::DataIntact, Status::Unknown, Some(&target.label()), &unreadable.to_string())
        .evidence([Evidence::namespaced(
            "Pod",
            &plan.namespace,
            &reader,
            "termination message",
            unreadable.text.as_str(),
        )])
        .cause("the restored data was not measured, so nothing is known about it")
        .fix(Fix::text("Run again; if it stays so, name another image with --image, for example busybox."))
        .done()
}

/// The result of a writer whose report is not good enough.
#[must_use]
pub fn write_result(plan: &Plan, target: &Target, fault: &WriteFault) -> CheckResult {
    let writer = name(plan, target, "writer");
    let value = match fault {
        WriteFault::Image { text, .. }
        | WriteFault::Volume { text, .. }
        | WriteFault::Node { text }
        | WriteFault::Unreadable { text } => text.as_str(),
        WriteFault::Measured { what } => what.as_str(),
    };
    let found = Found::fail(RoundTripCheck::WriteSucceeds, &target.label(), &fault.to_string())
        .evidence([Evidence::namespaced("Pod", &plan.namespace, &writer, "termination message", value)]);
    let image = Fix::text("Name an image with busybox, or with a shell, coreutils, awk and find, with --image.")
        .command("snapready roundtrip --image REGISTRY/busybox:1.36");
    let denied = ["Permission denied", "Operation not permitted"].iter().any(|part| value.contains(part));
    let block = target.volume_mode == crate::model::VolumeMode::Block;
    let (cause, fix) = match fault {
        WriteFault::Image { .. } => ("the image lacks tools, or has others under their names", image),
        WriteFault::Node { .. } => (
            "the pod was ended, or its node cannot run a command in a container, as hooks and probes need it",
            Fix::text("Run again; if it stays so, see the node's kubelet and container runtime.").command(again(target)),
        ),
        WriteFault::Unreadable { .. } => ("the script left no report: the image's shell cannot run it, or the pod was ended", image),
        WriteFault::Volume { .. } if denied && block => (
            "a raw device belongs to root and the group disk, and the node does not give it to the pod's user",
            Fix::text("Set device_ownership_from_security_context = true in containerd's or CRI-O's configuration: workloads that do not run as root need it for raw block volumes."),
        ),
        WriteFault::Volume { .. } if denied => (
            "the volume's folder belongs to another user, and the driver does not apply the pod's fsGroup",
            Fix::text("Set fsGroupPolicy: File in the driver's CSIDriver object, or let the export squash users to one that may write.")
                .command(format!("kubectl get csidriver {} -o yaml", safe(target.driver.as_deref().unwrap_or("DRIVER"), "DRIVER"))),
        ),
        WriteFault::Volume { text, .. } if text.contains("No space left") => (
            "the volume is smaller than the data",
            Fix::text("Choose a larger size with --size."),
        ),
        WriteFault::Volume { .. } | WriteFault::Measured { .. } => (
            "the volume itself does not keep what is written to it, before any snapshot",
            Fix::text("Check the storage and the driver's node plugin on the pod's node."),
        ),
    };
    found.cause(cause).fix(fix).done()
}
