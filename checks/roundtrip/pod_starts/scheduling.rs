//! Pods that no node takes.

use std::time::Duration;

use super::fail;
use crate::knowledge::tables::rows;
use crate::model::command::kubectl;
use crate::model::finding::Fix;
use crate::model::kubernetes::Pod;
use crate::moment::{Explanation, Moment};

/// So long the scheduler may find no node before nobody is expected to bring one: an autoscaler says within this time
/// that it does.
const NO_NODE: Duration = Duration::from_secs(60);
/// The same after the cluster-autoscaler has said that it does not.
const NO_NEW_NODE: Duration = Duration::from_secs(20);
/// The same where nodes are of no use: the volume lies where none of them can reach it.
const OUT_OF_REACH: Duration = Duration::from_secs(5);

/// A pod that no node takes.
pub(crate) fn unschedulable(moment: &Moment<'_>) -> Option<Explanation> {
    let pod = moment.pod()?;
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
    if moment.pod_events(&["TriggeredScaleUp", "Nominated"]).next().is_some() {
        return None;
    }
    let refused = moment.pod_events(&["NotTriggerScaleUp"]).last();
    let patience = if reasons.contains("volume node affinity conflict") && reasons.split(", ").all(out_of_reach) {
        OUT_OF_REACH
    } else if refused.is_some() {
        NO_NEW_NODE
    } else {
        NO_NODE
    };
    if moment.pod_elapsed < patience {
        return None;
    }
    let (cause, text) = known(reasons).unwrap_or((
        "no node takes the pod, and no autoscaler has announced one",
        "Make a node available that takes pods.",
    ));
    let path = "status.conditions[PodScheduled].message";
    let fix =
        Fix::text(text).command(kubectl("get nodes -L topology.kubernetes.io/zone")).command(kubectl("describe nodes"));
    Some(
        fail(moment, pod, &format!("cannot be scheduled: {message}"), path, message)
            .evidence(refused.map(|event| moment.event_evidence(event)))
            .cause(cause)
            .fix(fix),
    )
}

/// What the scheduler says of nodes: what it means, and what to do.
fn known(reasons: &str) -> Option<(&'static str, &'static str)> {
    rows(include_str!("../../data/scheduler.tsv")).find_map(|row| match *row {
        [contains, cause, text, _source] if reasons.contains(contains) => Some((cause, text)),
        _ => None,
    })
}

/// The scheduler's last word, if no node takes the pod. A claim that binds at once and is not bound yet is no matter of
/// nodes.
pub(crate) fn homeless(pod: &Pod) -> Option<&str> {
    let scheduled = pod
        .status
        .conditions
        .iter()
        .find(|condition| condition.kind == "PodScheduled" && condition.reason == "Unschedulable")?;
    Some(scheduled.message.as_str()).filter(|message| !message.contains("unbound immediate PersistentVolumeClaims"))
}
