//! Whether what should run is ready.

use crate::knowledge::control_plane::commands::{describe, edit, is_workload};
use crate::knowledge::control_plane::flags::{UnknownFlag, unknown_at_next_start};
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::control_plane::trouble::{TroubleKind, dead_registry, trouble};
use crate::model::command::kubectl;
use crate::model::finding::{Finding, Fix, Status};
use crate::text::names::fix_with;
use crate::text::words::upper;

/// The finding about a workload's readiness: fail if no container is ready, unless something else does the work
/// (`covered`); warn if one keeps ending.
pub(crate) fn readiness(running: &Running<'_>, what: &str, covered: bool) -> Finding {
    let count = format!("{} {}/{}", running.place(), running.ready, running.wanted);
    let trouble = trouble(running);
    if running.ready > 0 && trouble.is_none() {
        return unknown_at_next_start(running)
            .map_or_else(|| Finding::new(Status::Pass, count), |flag| next_start_fails(running, what, &flag));
    }
    let status = if running.ready > 0 || covered { Status::Warn } else { Status::Fail };
    if running.wanted == 0 {
        return scaled_to_zero(running, what, status);
    }
    let path = format!("status of container {}", running.container.name);
    let finding = Finding::new(status, format!("{what} is not ready: {count}"))
        .evidence(running.evidence(&path, format!("{} of {} ready", running.ready, running.wanted)));
    let Some(trouble) = trouble else {
        return finding.fix(events_and_logs(running));
    };
    let fix = match &trouble.kind {
        TroubleKind::Image => of_image(running),
        TroubleKind::NotScheduled(pod) => of_scheduling(running, pod),
        TroubleKind::NotCreated => Fix::text(
            "Give its namespace what the message names: room in a quota, a policy's exception, the ServiceAccount.",
        )
        .commands(describe(running)),
        TroubleKind::Init => {
            Fix::text("Check the init container: its log, and what it waits for.").commands(describe(running))
        }
        TroubleKind::Architecture => Fix::text(
            "Use images that are built for this architecture as well, or let the pods run on nodes of another one.",
        )
        .commands(describe(running)),
        TroubleKind::Flag(flag) => of_flag(running, flag),
        TroubleKind::Other => events_and_logs(running),
    };
    let finding = trouble.evidence.into_iter().fold(finding, Finding::evidence);
    finding.cause(format!("{}.", upper(&trouble.cause))).fix(fix)
}

/// Its pods are older than its template, or were not replaced yet.
fn next_start_fails(running: &Running<'_>, what: &str, flag: &UnknownFlag) -> Finding {
    let of = flag.of.as_deref().unwrap_or("its version");
    Finding::new(Status::Warn, format!("the {what} of {} runs, but its next pod will not start", running.place()))
        .evidence(running.evidence("spec.template.spec.containers[].image", &running.container.image))
        .evidence(running.evidence("spec.template.spec.containers[].args", running.container.args.join(" ")))
        .cause(format!(
            "Its template has --{}, a flag that {of} does not have; the pods that are ready are older.",
            flag.name
        ))
        .fix(of_flag(running, flag))
}

fn scaled_to_zero(running: &Running<'_>, what: &str, status: Status) -> Finding {
    let resource = &running.kind.to_ascii_lowercase();
    let names = [running.namespace.as_str(), running.name.as_str()];
    let fix = Fix::text("Scale it up, or start the nodes that it selects.");
    let scales = matches!(running.kind.as_str(), "Deployment" | "StatefulSet");
    let scale = |[namespace, name]: [&str; 2]| {
        kubectl("-n").word(namespace).words("scale").word(resource).word(name).words("--replicas=1")
    };
    Finding::new(status, format!("{what} of {} is scaled to 0", running.place()))
        .evidence(running.evidence("spec.replicas", "0"))
        .fix(if scales { fix_with(fix, names, scale) } else { fix })
}

/// Where the image comes from a registry that is dead, it is to be taken from another one.
fn of_image(running: &Running<'_>) -> Fix {
    let dead = dead_registry(&running.container.image);
    let text = dead.map_or_else(
        || "Correct its image, or make the registry reachable from the nodes.".to_owned(),
        |dead| format!("Take the image from {}, through what installed it.", dead.instead),
    );
    Fix::text(text).commands(describe(running))
}

fn of_scheduling(running: &Running<'_>, pod: &str) -> Fix {
    let fix = Fix::text(
        "Give the workload what its message names (a toleration, a node selector, resources), or make room on the nodes.",
    );
    fix_with(fix, [&running.namespace, pod], |[namespace, pod]| {
        kubectl("-n").word(namespace).words("describe pod").word(pod)
    })
}

fn of_flag(running: &Running<'_>, flag: &UnknownFlag) -> Fix {
    let text = flag.instead.map_or_else(
        || "Remove the flag, or install the release that has it.".to_owned(),
        |instead| format!("Put {instead} in its place, or install the release that has it."),
    );
    Fix::text(text).commands(edit(running))
}

fn events_and_logs(running: &Running<'_>) -> Fix {
    let fix = Fix::text("Check the events and logs of its pods.");
    let fix =
        fix_with(fix, [&running.namespace], |[namespace]| kubectl("-n").word(namespace).words("get pods -o wide"));
    let logs = |[namespace, name, container]: [&str; 3]| {
        let workload = format!("{}/{name}", running.kind.to_ascii_lowercase());
        kubectl("-n").word(namespace).words("logs").word(workload).words("-c").word(container).words("--previous")
    };
    let names = [running.namespace.as_str(), &running.name, &running.container.name];
    if is_workload(running) { fix_with(fix, names, logs) } else { fix }
}
