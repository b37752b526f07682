//! Commands about a workload, for fixes.

use crate::knowledge::control_plane::running::Running;
use crate::model::command::{Command, kubectl};
use crate::text::names::is_object_name;

/// Shows the last lines of the container's log.
#[must_use]
pub fn log(running: &Running<'_>) -> Option<Command> {
    let container = Some(running.container.name.as_str()).filter(|name| is_object_name(name))?;
    let (namespace, workload) = workload(running)?;
    Some(kubectl("logs -n").word(namespace).word(workload).words("-c").word(container).words("--tail=50"))
}

/// Starts the workload's pods anew, if it is of a kind that makes new ones.
#[must_use]
pub fn restart(running: &Running<'_>) -> Option<Command> {
    if running.kind == "Pod" {
        return None;
    }
    let (namespace, workload) = workload(running)?;
    Some(kubectl("rollout restart -n").word(namespace).word(workload))
}

/// Opens the workload in an editor.
#[must_use]
pub fn edit(running: &Running<'_>) -> Option<Command> {
    verb(running, "edit")
}

/// Shows the workload's labels, which tell what installed it.
#[must_use]
pub fn show_labels(running: &Running<'_>) -> Option<Command> {
    verb(running, "get").map(|command| command.words("--show-labels"))
}

/// Describes the workload.
#[must_use]
pub fn describe(running: &Running<'_>) -> Option<Command> {
    verb(running, "describe")
}

fn verb(running: &Running<'_>, verb: &'static str) -> Option<Command> {
    let kind = running.kind.to_ascii_lowercase();
    let names = [running.namespace.as_str(), running.name.as_str()];
    (is_workload(running) && names.into_iter().all(is_object_name))
        .then(|| kubectl("-n").word(&running.namespace).words(verb).word(kind).word(&running.name))
}

/// Whether it is of a kind that kubectl knows by one word.
pub(crate) fn is_workload(running: &Running<'_>) -> bool {
    matches!(running.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod")
}

/// The namespace, and `deployment/NAME`; nothing of a kind that kubectl would have to be told the group of.
fn workload<'a>(running: &'a Running<'_>) -> Option<(&'a str, String)> {
    let kind = match running.kind.as_str() {
        kind @ ("Deployment" | "StatefulSet" | "DaemonSet" | "Pod") => kind.to_ascii_lowercase(),
        _ => return None,
    };
    (is_object_name(&running.namespace) && is_object_name(&running.name))
        .then(|| (running.namespace.as_str(), format!("{kind}/{}", running.name)))
}
