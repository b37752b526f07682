//! The driver's own container in the pod of a sidecar. A sidecar has no readiness probe: without its driver it waits for ever and counts
//! as ready, or it exits and is started again. Either way the driver is the cause.

use crate::knowledge::control_plane::containers::is_helper;
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::control_plane::trouble::is_image_trouble;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::kubernetes::{ContainerStatus, Pod};
use crate::text::names::fix_with;

/// The driver that is down in every pod in which a sidecar is ready.
pub(crate) fn alone(running: &Running<'_>, covered: bool) -> Option<Finding> {
    let ready = running.statuses().filter(|(_, status)| status.ready).map(|(pod, _)| pod);
    let down = |pod| Some((pod, drivers_of(pod).find(|status| !status.ready)?));
    let down: Vec<(&Pod, &ContainerStatus)> = ready.map(down).collect::<Option<_>>()?;
    let (pod, status) = *down.first()?;
    let message = format!(
        "the csi-snapshotter of {} runs, but container {} beside it is not ready",
        running.place(),
        status.name
    );
    let finding = Finding::new(if covered { Status::Warn } else { Status::Fail }, message);
    Some(told(finding, "works on no snapshot", pod, status))
}

/// The driver that in every pod of a sidecar is down in both looks, or was started again between them, and whether it is known why: one
/// that is not ready without a reason may only be starting.
pub(crate) fn lost(now: &Running<'_>, before: &Running<'_>, what: &str) -> Option<(Finding, bool)> {
    let all: Vec<(&Pod, &ContainerStatus)> = now.pods.iter().map(|pod| lost_in(pod, before)).collect::<Option<_>>()?;
    let (pod, status) = *all.first()?;
    let ends = if status.restart_count > 0 { "keeps ending" } else { "is not ready" };
    let message = format!("container {}, the driver beside the {what} of {}, {ends}", status.name, now.place());
    let is_explained = why(status).is_some();
    Some((told(Finding::new(Status::Fail, message), "does nothing", pod, status), is_explained))
}

fn lost_in<'a>(pod: &'a Pod, before: &Running<'_>) -> Option<(&'a Pod, &'a ContainerStatus)> {
    let was = before.pods.iter().find(|other| other.metadata.name == pod.metadata.name)?;
    let status = drivers_of(pod).find(|status| {
        let mut then = was.status.container_statuses.iter().filter(|other| other.name == status.name);
        then.any(|then| (!status.ready && !then.ready) || status.restart_count > then.restart_count)
    })?;
    Some((pod, status))
}

fn told(finding: Finding, without: &str, pod: &Pod, status: &ContainerStatus) -> Finding {
    let names = [pod.metadata.namespace.as_deref().unwrap_or_default(), pod.metadata.name.as_str()];
    let evidence = |field: &str, value: String| {
        let path = format!("status.containerStatuses[{}].{field}", status.name);
        Evidence::namespaced("Pod", names[0], names[1], &path, value)
    };
    let finding = if status.ready { finding } else { finding.evidence(evidence("ready", "false".to_owned())) };
    let because = why(status);
    let finding = match &because {
        Some((field, value, _)) => finding.evidence(evidence(field, value.clone())),
        None => finding,
    };
    let because = because.map_or_else(String::new, |(_, _, because)| format!(" {because}"));
    let has_ended = status.ended().is_some();
    let fix = Fix::text("Read why the driver's container does not start.");
    let fix = fix_with(fix, names, |[namespace, pod]| kubectl("-n").word(namespace).words("describe pod").word(pod));
    let log = |[namespace, pod, container]: [&str; 3]| {
        kubectl("-n").word(namespace).words("logs").word(pod).words("-c").word(container).words("--previous")
    };
    let fix = if has_ended { fix_with(fix, [names[0], names[1], &status.name], log) } else { fix };
    finding.cause(format!("Without the driver it {without}.{because}")).fix(fix)
}

/// Why a driver's container is not ready: the field that tells, its value, and a sentence.
fn why(status: &ContainerStatus) -> Option<(&'static str, String, String)> {
    if let Some(waiting) = status.state.waiting.as_ref().filter(|waiting| is_image_trouble(&waiting.reason)) {
        let value = format!("{}: {}", waiting.reason, waiting.message);
        return Some(("state.waiting", value, "The driver's image cannot be pulled.".to_owned()));
    }
    let ended = status.ended()?;
    let said = ended.message.trim();
    let value = format!("exit code {}: {said}", ended.exit_code);
    // Several lines are the end of a log, which begins anywhere.
    let sentence = if said.is_empty() || said.contains('\n') {
        format!("The driver exits with code {}.", ended.exit_code)
    } else {
        format!("The driver exits with code {}: {}.", ended.exit_code, said.trim_end_matches('.'))
    };
    Some(("lastState.terminated", value, sentence))
}

/// The states of a pod's containers that are no helpers of a driver.
fn drivers_of(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let helps = |name: &str| {
        let mut containers = pod.spec.containers.iter();
        containers.find(|container| container.name == name).is_some_and(is_helper)
    };
    pod.status.container_statuses.iter().filter(move |status| !helps(&status.name))
}
