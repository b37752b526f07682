//! Whether the csi-snapshotters are ready.

use crate::controller::find::is_snapshot_controller;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::{Container, ContainerStatus, Pod};
use crate::model::need::Need;
use crate::names::fix_with;
use crate::running::{Running, image_name, readiness};
use crate::sidecars::SIGNS;
use crate::sidecars::each::each;
use crate::sidecars::mapping::{is_controller_part, is_csi_snapshotter};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR122",
    slug: "snapshot-sidecar-ready",
    title: "Each csi-snapshotter is ready",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: SIGNS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    each(facts, findings, "csi-snapshotter", is_csi_snapshotter, |running, covered| {
        alone(running, covered).unwrap_or_else(|| readiness(running, "csi-snapshotter", covered))
    });
}

/// A csi-snapshotter has no readiness probe and waits for its driver for ever: where the driver beside it is down in every
/// pod, it counts as ready and does nothing.
pub(crate) fn alone(running: &Running<'_>, covered: bool) -> Option<Finding> {
    let ready = running.statuses().filter(|(_, status)| status.ready).map(|(pod, _)| pod);
    let down: Vec<(&Pod, &ContainerStatus)> = ready.map(|pod| Some((pod, driver_down(pod)?))).collect::<Option<_>>()?;
    let (pod, status) = down.first()?;
    let path = format!("status.containerStatuses[{}].ready", status.name);
    let fix = Fix::text("Read why the driver's container does not start.");
    let names = [pod.metadata.namespace.as_deref().unwrap_or_default(), pod.metadata.name.as_str()];
    let finding = Finding::new(
        if covered { Status::Warn } else { Status::Fail },
        format!(
            "the csi-snapshotter of {} runs, but container {} beside it is not ready",
            running.place(),
            status.name
        ),
    );
    Some(
        finding
            .evidence(Evidence::namespaced("Pod", names[0], names[1], &path, "false"))
            .cause("Without the driver it waits, and works on no snapshot.")
            .fix(fix_with(fix, names, |[namespace, pod]| {
                kubectl("-n").word(namespace).words("describe pod").word(pod)
            })),
    )
}

/// The state of a pod's driver, if it is not ready.
fn driver_down(pod: &Pod) -> Option<&ContainerStatus> {
    let is_helper = |name: &str| {
        let mut containers = pod.spec.containers.iter();
        containers.find(|container| container.name == name).is_some_and(is_helper)
    };
    pod.status.container_statuses.iter().find(|status| !status.ready && !is_helper(&status.name))
}

/// Whether a container is not the driver: a sidecar of Kubernetes' or a proxy for metrics.
fn is_helper(container: &Container) -> bool {
    const HELPERS: [&str; 6] = ["liveness", "registrar", "health-monitor", "proxy", "metrics", "csi-addons"];
    is_csi_snapshotter(container)
        || is_controller_part(container)
        || is_snapshot_controller(container)
        || HELPERS.iter().any(|name| container.name.contains(name) || image_name(&container.image).contains(name))
}
