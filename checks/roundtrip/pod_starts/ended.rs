//! Pods that ended before they should. A container that ended without its script's report is not the volume's fault.

use super::{fail, statuses};
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix, Status};
use crate::model::kubernetes::{ContainerTerminated, Pod};
use crate::model::round_trip::{FILL_CONTAINER, OVERWRITE_CONTAINER, READ_CONTAINER, StepId, WRITE_CONTAINER};
use crate::moment::{Advice, Explanation, Moment};
use crate::roundtrip::{data_intact, pod_starts, round_trip, write_succeeds};

const TERMINATED: &str = "status.containerStatuses[].state.terminated";

/// A pod that its node did not keep, which says nothing about snapshots.
pub(crate) fn evicted(moment: &Moment<'_>) -> Option<Explanation> {
    let pod = moment.pod().filter(|pod| has_ended(moment, pod))?;
    let reason = pod.status.reason.as_str();
    // pkg/kubelet/eviction, pkg/kubelet/preemption, pkg/kubelet/lifecycle/predicate.go
    if !matches!(
        reason,
        "Evicted"
            | "NodeLost"
            | "Preempting"
            | "UnexpectedAdmissionError"
            | "OutOfcpu"
            | "OutOfmemory"
            | "NodeAffinity"
    ) {
        return None;
    }
    let value = format!("{reason}: {}", pod.status.message);
    let fix = Fix::text("Free room on the nodes, and wait until none is drained. Then try again.")
        .command(kubectl("describe nodes"));
    Some(
        fail(moment, pod, &format!("was terminated by its node: {reason}"), "status.reason", &value)
            .unknown()
            .cause("the node could not keep the pod")
            .fix(fix)
            .advise(Advice::Again),
    )
}

/// A container whose shell cannot be run.
pub(crate) fn not_started(moment: &Moment<'_>) -> Option<Explanation> {
    let (pod, end) = for_reason(moment, &["StartError", "ContainerCannotRun"])?;
    let value = format!("{}: {}", end.reason, end.message);
    Some(
        fail(moment, pod, "cannot start: its shell cannot be run", TERMINATED, &value)
            .cause("the image has no shell, or none for this machine")
            .fix(Fix::text("Name an image with a shell and the usual tools, for example busybox."))
            .advise(Advice::Again),
    )
}

/// A container that needed more memory than it may have.
pub(crate) fn out_of_memory(moment: &Moment<'_>) -> Option<Explanation> {
    let (pod, end) = for_reason(moment, &["OOMKilled"])?;
    let value = format!("{}: {}", end.reason, end.message);
    let fix = Fix::text("Raise the namespace's LimitRange, which lowered the pod's memory limit of 64Mi.");
    Some(
        fail(moment, pod, "was terminated: out of memory", TERMINATED, &value)
            .cause("the pod's memory limit is too low for the shell's tools")
            .fix(fix.command(kubectl("get limitranges -A"))),
    )
}

/// A container that failed for no reason that is known: nothing more will come of its pod.
pub(crate) fn ended_badly(moment: &Moment<'_>) -> Option<Explanation> {
    let pod = moment.pod()?;
    let end = bad_ends(pod, moment.step).next()?;
    let (check, status) = match moment.step {
        // The data was not measured: nothing is known about it.
        StepId::Verify => (&data_intact::CHECK, Status::Unknown),
        StepId::Snapshot | StepId::Overwrite => (&round_trip::CHECK, Status::Fail),
        StepId::Write => (&write_succeeds::CHECK, Status::Fail),
        _ => (&pod_starts::CHECK, Status::Fail),
    };
    let name = pod.metadata.name.as_str();
    let (what, cause) = match end.exit_code {
        0 => (format!("pod {name} exited before it was asked to"), "the node terminated the pod"),
        code => (
            format!("pod {name} failed: its container exited with code {code}"),
            "the script in the pod could not do its work, or was killed",
        ),
    };
    let value = format!("exit code {}: {}", end.exit_code, end.message);
    Some(
        Explanation::new(check, status, &what)
            .about(moment.subject)
            .evidence([Evidence::namespaced("Pod", moment.namespace(), name, TERMINATED, value)])
            .cause(cause)
            .fix(Fix::text("Check what the container says; if it is about the image, name another."))
            .advise(Advice::Again),
    )
}

fn has_ended(moment: &Moment<'_>, pod: &Pod) -> bool {
    pod.status.phase == "Failed" || bad_ends(pod, moment.step).next().is_some()
}

fn for_reason<'a>(moment: &Moment<'a>, reasons: &[&str]) -> Option<(&'a Pod, &'a ContainerTerminated)> {
    let pod = moment.pod()?;
    bad_ends(pod, moment.step).find(|end| reasons.contains(&end.reason.as_str())).map(|end| (pod, end))
}

/// How those containers ended that ended badly, or, in the writer, before they were asked to. Whoever deletes a pod ends
/// its containers, and is told of when it has gone; only the writer is to end so.
fn bad_ends(pod: &Pod, step: StepId) -> impl Iterator<Item = &ContainerTerminated> {
    let deleting = pod.metadata.deletion_timestamp.is_some();
    statuses(pod).filter(move |_| !deleting || step == StepId::Overwrite).filter_map(move |status| {
        let end = status.state.terminated.as_ref()?;
        let bad = match status.name.as_str() {
            WRITE_CONTAINER => end.exit_code != 0 || !deleting,
            FILL_CONTAINER | OVERWRITE_CONTAINER | READ_CONTAINER => end.exit_code != 0,
            _ => false,
        };
        bad.then_some(end)
    })
}
