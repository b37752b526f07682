//! Nodes.

use crate::model::kubernetes::{Condition, Node, Taint};

/// Whether a node takes any pod of Linux.
pub(crate) fn takes_any_pod(node: &Node) -> bool {
    let keeps_away = |taint: &Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    let is_ready = |condition: &Condition| condition.kind == "Ready" && condition.status == "True";
    let is_linux = node.metadata.labels.get("kubernetes.io/os").is_none_or(|os| os == "linux");
    is_linux
        && !node.spec.unschedulable
        && !node.spec.taints.iter().any(keeps_away)
        && node.status.conditions.iter().any(is_ready)
}
