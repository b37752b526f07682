//! Pods that do not start, and those that end before they should.

use std::time::Duration;

use serde_json::Value;
use snapready_checks::drivers::registered::is_surely_unregistered;
use snapready_checks::model::finding::{Evidence, Fix, Status};

use super::commands::again;
use super::grpc::Code;
use super::result::{Found, RoundTripCheck};
use super::{Observation, SeenEvent, list, text};
use crate::model::{CheckResult, StepId};
use crate::roundtrip::objects::{READ_CONTAINER, WRITE_CONTAINER};

/// What registries and the kubelet say of an image that will not come however long one waits.
const IMAGE_GONE: [&str; 13] = [
    "not found",
    "manifest unknown",
    "does not exist",
    "pull access denied",
    "access denied",
    "denied:",
    "unauthorized",
    "authentication required",
    "403 Forbidden",
    "no match for platform",
    "no matching manifest",
    "no such host",
    "x509:",
];

pub(super) fn certain(observation: &Observation<'_>) -> Option<CheckResult> {
    let pod = observation.pod?;
    waiting_container(observation, pod)
        .or_else(|| ended_container(observation, pod))
        .or_else(|| unschedulable(observation, pod))
        .or_else(|| mount(observation))
}

/// The statuses of a pod's containers, and of init containers, which a service mesh adds to those of others.
pub(super) fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    list(pod, "/status/initContainerStatuses").iter().chain(list(pod, "/status/containerStatuses"))
}

/// Whether a pod was asked to go.
pub(super) fn is_deleting(pod: &Value) -> bool {
    text(pod, "/metadata/deletionTimestamp").is_some()
}

fn pod_name(pod: &Value) -> &str {
    text(pod, "/metadata/name").unwrap_or_default()
}

fn found(observation: &Observation<'_>, pod: &Value, what: &str, path: &str, value: &str) -> Found {
    let namespace = observation.namespace_name();
    let evidence = Evidence::namespaced("Pod", &namespace, pod_name(pod), path, value);
    Found::fail(RoundTripCheck::PodStarts, &observation.target.label(), &format!("pod {} {what}", pod_name(pod)))
        .evidence([evidence])
}

fn waiting_container(observation: &Observation<'_>, pod: &Value) -> Option<CheckResult> {
    for status in statuses(pod) {
        let Some(reason) = text(status, "/state/waiting/reason") else {
            continue;
        };
        let message = text(status, "/state/waiting/message").unwrap_or_default();
        let image = text(status, "/image").unwrap_or_default();
        let path = "status.containerStatuses[].state.waiting";
        let value = format!("{reason}: {message}");
        let image_fix = || {
            Fix::text(
                "Name an image with a shell that the nodes can pull, for example a copy of busybox in your registry.",
            )
            .command("snapready roundtrip --image REGISTRY/busybox:1.36")
        };
        match reason {
            "InvalidImageName" => {
                let found = found(observation, pod, &format!("cannot start: {image:?} is no image name"), path, &value);
                return Some(found.cause("the kubelet cannot read the image's name").fix(image_fix()).done());
            }
            "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "RegistryUnavailable" => {
                let pulls: Vec<&SeenEvent> =
                    observation.pod_events(&["Failed"]).filter(|event| event.message.contains("pull")).collect();
                let times = pulls.iter().fold(0u64, |sum, event| sum.saturating_add(event.count.max(1)));
                // The kubelet's back-off says nothing about why; the registry's answer stands in the event before.
                let says =
                    |part: &str| message.contains(part) || pulls.iter().any(|event| event.message.contains(part));
                let gone = reason == "ErrImageNeverPull" || IMAGE_GONE.iter().any(|part| says(part));
                let refused_often = times >= 3 && observation.pod_elapsed >= Duration::from_secs(30);
                if !gone && !refused_often {
                    continue;
                }
                let cause = if gone {
                    "the registry does not give out this image, or cannot be found"
                } else {
                    "the registry has refused or not answered several times"
                };
                let found =
                    found(observation, pod, &format!("cannot start: image {image} cannot be pulled"), path, &value)
                        .evidence(pulls.iter().rev().take(2).map(|event| observation.event_evidence(event)));
                return Some(found.cause(cause).fix(image_fix()).done());
            }
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                if let Some(result) = not_created(observation, pod, path, &value, message) {
                    return Some(result);
                }
            }
            _ => {}
        }
    }
    None
}

fn not_created(
    observation: &Observation<'_>,
    pod: &Value,
    path: &str,
    value: &str,
    message: &str,
) -> Option<CheckResult> {
    let found = found(observation, pod, "cannot start: its container cannot be created", path, value);
    if message.contains("runAsNonRoot") {
        let fix = Fix::text("Choose an image that runs as a user other than root, or let snapready set the user.");
        return Some(
            found
                .cause("the image runs as root, and the pod must not")
                .fix(fix.command(again(observation.target)))
                .done(),
        );
    }
    if message.contains("executable file not found") || message.contains("no such file or directory") {
        let fix = Fix::text("Name an image with a shell and the usual tools, for example busybox, with --image.");
        return Some(found.cause("the image has no shell").fix(fix.command(again(observation.target))).done());
    }
    // Secrets and mounts may be a moment late.
    (observation.pod_elapsed >= Duration::from_secs(20)).then(|| {
        found
            .cause("the kubelet refuses to create the container")
            .fix(Fix::text("See what the kubelet says of the pod.").command(again(observation.target)))
            .done()
    })
}

/// The pod that holds the source while it is snapshotted has ended.
pub(super) fn let_go(observation: &Observation<'_>) -> Option<CheckResult> {
    ended_container(observation, observation.pod?)
}

/// A container that ended without its script's report is not the volume's fault.
fn ended_container(observation: &Observation<'_>, pod: &Value) -> Option<CheckResult> {
    if text(pod, "/status/phase") != Some("Failed") && ended(pod, observation.step).next().is_none() {
        return None;
    }
    if let Some(
        reason @ ("Evicted"
        | "NodeLost"
        | "Preempting"
        | "UnexpectedAdmissionError"
        | "OutOfcpu"
        | "OutOfmemory"
        | "NodeAffinity"),
    ) = text(pod, "/status/reason")
    {
        let message = text(pod, "/status/message").unwrap_or_default();
        let found = found(
            observation,
            pod,
            &format!("was ended by its node: {reason}"),
            "status.reason",
            &format!("{reason}: {message}"),
        );
        let fix = Fix::text("Give the nodes room, then run again.").command("kubectl describe nodes");
        return Some(found.cause("the node could not keep the pod").fix(fix).done());
    }
    for (_, terminated) in ended(pod, observation.step) {
        let Some(reason) = text(terminated, "/reason") else {
            continue;
        };
        let message = text(terminated, "/message").unwrap_or_default();
        let path = "status.containerStatuses[].state.terminated";
        let value = format!("{reason}: {message}");
        match reason {
            "StartError" | "ContainerCannotRun" => {
                let fix =
                    Fix::text("Name an image with a shell and the usual tools, for example busybox, with --image.");
                let found = found(observation, pod, "cannot start: its shell cannot be run", path, &value);
                return Some(
                    found
                        .cause("the image has no shell, or none for this machine")
                        .fix(fix.command(again(observation.target)))
                        .done(),
                );
            }
            "OOMKilled" => {
                let fix = Fix::text("Raise the namespace's LimitRange, which lowered the pod's memory limit of 64Mi.");
                let found = found(observation, pod, "was ended: out of memory", path, &value);
                return Some(
                    found
                        .cause("the pod's memory limit is too low for the shell's tools")
                        .fix(fix.command("kubectl get limitranges -A"))
                        .done(),
                );
            }
            _ => {}
        }
    }
    ended_badly(observation, pod)
}

/// The containers that ended badly, or, in the writer, before they were asked to: exit code and how they ended. Whoever
/// deletes a pod ends its containers, and is told of when it has gone; only the writer is to end so.
fn ended(pod: &Value, step: StepId) -> impl Iterator<Item = (i64, &Value)> {
    let deleting = is_deleting(pod);
    statuses(pod).filter(move |_| !deleting || step == StepId::Overwrite).filter_map(move |status| {
        let name = text(status, "/name").unwrap_or_default();
        let ended = status.pointer("/state/terminated")?;
        let code = ended.get("exitCode")?.as_i64()?;
        let bad = match name {
            WRITE_CONTAINER => code != 0 || !deleting,
            READ_CONTAINER => code != 0,
            _ => false,
        };
        bad.then_some((code, ended))
    })
}

/// A container that failed for no reason that is known: nothing more will come of its pod.
fn ended_badly(observation: &Observation<'_>, pod: &Value) -> Option<CheckResult> {
    let (code, ended) = ended(pod, observation.step).next()?;
    let message = text(ended, "/message").unwrap_or_default();
    let (check, status) = match observation.step {
        // The data was not measured: nothing is known about it.
        StepId::Verify => (RoundTripCheck::DataIntact, Status::Unknown),
        StepId::Snapshot | StepId::Overwrite => (RoundTripCheck::RoundTrip, Status::Fail),
        StepId::Write => (RoundTripCheck::WriteSucceeds, Status::Fail),
        _ => (RoundTripCheck::PodStarts, Status::Fail),
    };
    let what = match code {
        0 => format!("pod {} ended before it was asked to", pod_name(pod)),
        code => format!("pod {} failed: its container ended with exit code {code}", pod_name(pod)),
    };
    let value = format!("exit code {code}: {message}");
    let evidence = Evidence::namespaced(
        "Pod",
        &observation.namespace_name(),
        pod_name(pod),
        "status.containerStatuses[].state.terminated",
        value.as_str(),
    );
    let fix = Fix::text("See what the container says; if it is about the image, name another with --image.")
        .command(again(observation.target));
    Some(
        Found::new(check, status, Some(&observation.target.label()), &what)
            .evidence([evidence])
            .cause(if code == 0 {
                "the node ended the pod"
            } else {
                "the script in the pod could not do its work, or was killed"
            })
            .fix(fix)
            .done(),
    )
}

/// So long the scheduler may find no node before nobody is expected to bring one: an autoscaler says within this time
/// that it does.
const NO_NODE: Duration = Duration::from_secs(60);
/// The same after the cluster-autoscaler has said that it does not.
const NO_NEW_NODE: Duration = Duration::from_secs(20);
/// The same where nodes are of no use: the volume lies where none of them can reach it.
const OUT_OF_REACH: Duration = Duration::from_secs(5);

/// What the scheduler says of nodes, what it means, and what to do.
const NO_NODE_TAKES_IT: [(&str, &str, &str); 5] = [
    (
        "volume node affinity conflict",
        "the volume was made where no node that takes pods can reach it",
        "Make a node available in the volume's zone, or use a StorageClass with volumeBindingMode WaitForFirstConsumer.",
    ),
    (
        "enough free storage",
        "the driver reports, as CSIStorageCapacity, that it has no room for this size on any node",
        "Free storage, or choose a smaller --size.",
    ),
    (
        "untolerated taint",
        "all nodes that could take the pod have taints",
        "Take the taint from a node for the run, or add a node without one.",
    ),
    ("were unschedulable", "the nodes are cordoned", "Uncordon a node, or add one."),
    ("Insufficient", "no node has room for a pod", "Free room on a node, or add one."),
];

/// A pod that no node takes.
fn unschedulable(observation: &Observation<'_>, pod: &Value) -> Option<CheckResult> {
    let message = homeless(pod)?;
    // "0/3 nodes are available: 1 node(s) had …, 2 node(s) had …. preemption: …"
    let reasons = message.split_once("nodes are available: ")?.1;
    let reasons = reasons.split_once(". preemption").map_or(reasons, |(reasons, _)| reasons);
    let out_of_reach = |reason: &str| {
        ["volume node affinity conflict", "node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]
            .iter()
            .any(|part| reason.contains(part))
    };
    // The cluster-autoscaler's and Karpenter's words for a node that is to come.
    if observation.pod_events(&["TriggeredScaleUp", "Nominated"]).next().is_some() {
        return None;
    }
    let refused = observation.pod_events(&["NotTriggerScaleUp"]).last();
    let patience = if reasons.contains("volume node affinity conflict") && reasons.split(", ").all(out_of_reach) {
        OUT_OF_REACH
    } else if refused.is_some() {
        NO_NEW_NODE
    } else {
        NO_NODE
    };
    if observation.pod_elapsed < patience {
        return None;
    }
    let (_, cause, advice) = NO_NODE_TAKES_IT.iter().find(|(part, _, _)| reasons.contains(part)).unwrap_or(&(
        "",
        "no node takes the pod, and no autoscaler has announced one",
        "Make a node available that takes pods.",
    ));
    let found = found(
        observation,
        pod,
        &format!("cannot be scheduled: {message}"),
        "status.conditions[PodScheduled].message",
        message,
    )
    .evidence(refused.map(|event| observation.event_evidence(event)));
    let fix = Fix::text(*advice)
        .command("kubectl get nodes -L topology.kubernetes.io/zone")
        .command("kubectl describe nodes");
    Some(found.cause(*cause).fix(fix).done())
}

/// The scheduler's last word, if no node takes the pod. A claim that binds at once and is not bound yet is no matter of
/// nodes.
pub(super) fn homeless(pod: &Value) -> Option<&str> {
    let scheduled = list(pod, "/status/conditions").iter().find(|condition| {
        text(condition, "/type") == Some("PodScheduled") && text(condition, "/reason") == Some("Unschedulable")
    })?;
    text(scheduled, "/message").filter(|message| !message.contains("unbound immediate PersistentVolumeClaims"))
}

fn mount(observation: &Observation<'_>) -> Option<CheckResult> {
    let events: Vec<&SeenEvent> =
        observation.pod_events(&["FailedMount", "FailedMapVolume", "FailedAttachVolume"]).collect();
    let event = events.last()?;
    let pod = observation.pod?;
    if text(pod, "/status/phase") != Some("Pending") {
        return None;
    }
    let evidence = observation.event_evidence(event);
    let failed = |what: &str, cause: &str, fix: Fix| {
        let message = format!("pod {} cannot use its volume: {what}", pod_name(pod));
        Found::fail(RoundTripCheck::PodStarts, &observation.target.label(), &message)
            .evidence([evidence.clone()])
            .cause(cause)
            .fix(fix.command(again(observation.target)))
            .done()
    };
    let of_code = |code: Code| {
        let same = events.iter().filter(|event| Code::find(&event.message) == Some(code));
        same.fold(0u64, |sum, event| sum.saturating_add(event.count.max(1)))
    };
    let times = events.iter().fold(0u64, |sum, event| sum.saturating_add(event.count.max(1)));
    if event.message.contains("duplicate UUID") || event.message.contains("wrong fs type, bad option, bad superblock") {
        return (times >= 2 && observation.pod_elapsed >= Duration::from_secs(5)).then(|| {
            failed(
                &event.message,
                "the file system cannot be mounted; an XFS copy beside its source has the same UUID, which the driver has to change or mount with nouuid",
                Fix::text("Update the driver, or set the file system type ext4 in the StorageClass's parameters."),
            )
        });
    }
    if event.message.contains("not found in the list of registered CSI drivers") {
        let driver = observation.target.driver.as_deref()?;
        let absent = is_surely_unregistered(observation.facts, driver);
        return (absent && times >= 3 && observation.pod_elapsed >= Duration::from_secs(15)).then(|| {
            let cause = "the driver's node plugin runs on no node";
            failed(
                &event.message,
                cause,
                Fix::text("Install or repair the driver's DaemonSet.").command("kubectl get csinodes"),
            )
        });
    }
    let code = Code::find(&event.message)?;
    let (often, long) = code.patience(&event.message)?;
    (of_code(code) >= often && observation.pod_elapsed >= long)
        .then(|| failed(&event.message, code.meaning(), Fix::text(code.advice())))
}
