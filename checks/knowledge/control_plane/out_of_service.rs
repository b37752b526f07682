//! Whether a part of the control plane is out of service: its workload is there, and none of its pods works. One look may
//! meet a restart or an update; two looks, one some seconds after the other, do not.

use std::time::Duration;

use crate::knowledge::control_plane::beside::lost;
use crate::knowledge::control_plane::commands::restart;
use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter, is_snapshot_controller};
use crate::knowledge::control_plane::leases::{
    CONTROLLER_LEASE, has_lapsed, lease_evidence, sanitised, snapshotter_lease,
};
use crate::knowledge::control_plane::readiness::readiness;
use crate::knowledge::control_plane::running::{Running, running};
use crate::knowledge::control_plane::sidecars::surely_of;
use crate::knowledge::control_plane::trouble::{meaning, trouble};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::kubernetes::{ContainerStatus, Lease, Pod};
use crate::model::look_again::Earlier;
use crate::text::names::fix_with;

/// So long into a wait, what two looks found not working, with the reason, is believed.
const EXPLAINED: Duration = Duration::from_secs(10);
/// The same without a reason: a pod that is being started gets this long.
const UNEXPLAINED: Duration = Duration::from_secs(18);

/// A part of the control plane that is out of service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfService {
    /// What the static check says of it.
    pub finding: Finding,
    /// Whether it is known why. A pod that is not ready without a reason may only be starting.
    pub is_explained: bool,
}

impl OutOfService {
    /// From when on a wait for it is over.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        if self.is_explained { EXPLAINED } else { UNEXPLAINED }
    }
}

/// Whether no snapshot-controller works, in this look and in an earlier one. `None` as well if none can be seen.
#[must_use]
pub fn snapshot_controller(now: &Facts, earlier: &Earlier) -> Option<OutOfService> {
    let leases = leases(now, CONTROLLER_LEASE);
    let of = |facts| running(facts, is_snapshot_controller);
    all(&of(now), &of(earlier.facts()), |now, before| {
        idle(now, before, "snapshot-controller").or_else(|| hanging(now, &leases, "snapshot-controller"))
    })
}

/// Whether no csi-snapshotter of a driver works, in this look and in an earlier one. `None` as well if none can be seen.
#[must_use]
pub fn csi_snapshotter(now: &Facts, earlier: &Earlier, driver: &str) -> Option<OutOfService> {
    let leases = leases(now, &snapshotter_lease(driver));
    all(&surely_of(now, driver, is_csi_snapshotter), &running(earlier.facts(), is_csi_snapshotter), |now, before| {
        driverless(now, before, "csi-snapshotter")
            .or_else(|| idle(now, before, "csi-snapshotter"))
            .or_else(|| hanging(now, &leases, "csi-snapshotter"))
    })
}

/// Whether no csi-provisioner of a driver works, in this look and in an earlier one. `None` as well if none can be seen.
#[must_use]
pub fn csi_provisioner(now: &Facts, earlier: &Earlier, driver: &str) -> Option<OutOfService> {
    // A csi-provisioner's lease has the driver's name alone.
    let leases = leases(now, &sanitised(driver));
    all(&surely_of(now, driver, is_csi_provisioner), &running(earlier.facts(), is_csi_provisioner), |now, before| {
        driverless(now, before, "csi-provisioner")
            .or_else(|| idle(now, before, "csi-provisioner"))
            .or_else(|| hanging(now, &leases, "csi-provisioner"))
    })
}

/// What the static check says of the first installation, if all are scaled to 0.
pub(crate) fn scaled_to_zero(installations: &[Running<'_>], what: &str) -> Option<Finding> {
    let first = installations.first()?;
    installations.iter().all(|running| running.wanted == 0).then(|| readiness(first, what, false))
}

fn leases<'a>(facts: &'a Facts, name: &str) -> Vec<&'a Lease> {
    facts.leases.seen().into_iter().flatten().filter(|lease| lease.metadata.name == name).collect()
}

/// The first installation that does not work, if none does. One that was not there in the earlier look only starts.
fn all(
    now: &[Running<'_>],
    before: &[Running<'_>],
    judge: impl Fn(&Running<'_>, &Running<'_>) -> Option<OutOfService>,
) -> Option<OutOfService> {
    let judged: Option<Vec<OutOfService>> = now
        .iter()
        .map(|installation| {
            let same = |other: &&Running<'_>| {
                other.kind == installation.kind
                    && other.namespace == installation.namespace
                    && other.name == installation.name
                    && other.container.name == installation.container.name
            };
            judge(installation, before.iter().find(same)?)
        })
        .collect();
    judged?.into_iter().next()
}

fn explained(finding: Finding) -> OutOfService {
    OutOfService { finding, is_explained: true }
}

/// Without the driver beside it, whatever its own state: what has no driver waits, or exits.
fn driverless(now: &Running<'_>, before: &Running<'_>, what: &str) -> Option<OutOfService> {
    lost(now, before, what).map(|(finding, is_explained)| OutOfService { finding, is_explained })
}

/// Not ready in both looks, or ready for moments only.
fn idle(now: &Running<'_>, before: &Running<'_>, what: &str) -> Option<OutOfService> {
    if now.ready == 0 && before.ready == 0 {
        let is_explained = now.wanted == 0 || trouble(now).is_some();
        return Some(OutOfService { finding: readiness(now, what, false), is_explained });
    }
    restarting(now, before, what)
}

/// A container without a readiness probe is ready as long as it runs, so one that crashes again and again may be met ready.
fn restarting(now: &Running<'_>, before: &Running<'_>, what: &str) -> Option<OutOfService> {
    let crashed = now.statuses().map(|(pod, status)| crashed_since(pod, status, before)).collect::<Option<Vec<_>>>()?;
    let (pod, status) = *crashed.first()?;
    let ended = status.ended()?;
    let names = [pod.metadata.namespace.as_deref().unwrap_or_default(), pod.metadata.name.as_str()];
    let path = |field: &str| format!("status.containerStatuses[{}].{field}", status.name);
    let evidence = |field: &str, value: String| Evidence::namespaced("Pod", names[0], names[1], &path(field), value);
    let fix = Fix::text("Check its log for why it exits.");
    let fix = fix_with(fix, [names[0], names[1], &status.name], |[namespace, pod, container]| {
        kubectl("-n").word(namespace).words("logs").word(pod).words("-c").word(container).words("--previous")
    });
    Some(explained(
        Finding::new(Status::Fail, format!("the {what} of {} keeps restarting", now.place()))
            .evidence(evidence("restartCount", status.restart_count.to_string()))
            .evidence(evidence(
                "lastState.terminated",
                format!("exit code {}: {}", ended.exit_code, ended.message.trim()),
            ))
            .cause(meaning(ended.exit_code, &ended.message))
            .fix(fix),
    ))
}

/// The same container of the same pod, if it was started again since the earlier look.
fn crashed_since<'a>(
    pod: &'a Pod,
    status: &'a ContainerStatus,
    before: &Running<'_>,
) -> Option<(&'a Pod, &'a ContainerStatus)> {
    let was = before.statuses().find(|(other, _)| other.metadata.name == pod.metadata.name)?.1;
    (status.restart_count > was.restart_count).then_some((pod, status))
}

/// Ready, and leader by its lease, which it does not renew: client-go's leader election gives up long before that, so the
/// process hangs, or cannot reach the API server.
fn hanging(now: &Running<'_>, leases: &[&Lease], what: &str) -> Option<OutOfService> {
    let lease = leases.iter().find(|lease| {
        let holder = lease.spec.holder_identity.as_deref().unwrap_or_default();
        has_lapsed(lease)
            && lease.metadata.namespace.as_deref() == Some(now.namespace.as_str())
            && now.pods.iter().any(|pod| holder.starts_with(&pod.metadata.name))
    })?;
    let age = lease.unrenewed_for_ms.unwrap_or_default() / 1_000;
    let fix = Fix::text("Check its log, and restart it.");
    Some(explained(
        Finding::new(Status::Fail, format!("the {what} of {} has stopped renewing its lease", now.place()))
            .evidence(lease_evidence(lease))
            .cause(format!("it has not renewed its lease for {age} s: it hangs, or cannot reach the API server"))
            .fix(fix.commands(restart(now))),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const IMAGE: &str = "r/snapshot-controller:v8.2.0";

    fn look(replicas: u32, status: &Value) -> Facts {
        let spec = json!({"containers": [{"name": "snapshot-controller", "image": IMAGE}]});
        let mut status = status.clone();
        let pods = if status.is_null() {
            json!([])
        } else {
            status["name"] = json!("snapshot-controller");
            json!([{
                "metadata": {
                    "name": "snapshot-controller-7c-x",
                    "namespace": "kube-system",
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "snapshot-controller-7c"}],
                },
                "spec": spec,
                "status": {"containerStatuses": [status]},
            }])
        };
        let seen = |value: Value| json!({"state": "seen", "value": value});
        let facts = json!({
            "pods": seen(pods),
            "workloads": seen(json!([{
                "kind": "Deployment",
                "metadata": {"name": "snapshot-controller", "namespace": "kube-system"},
                "spec": {"replicas": replicas, "template": {"spec": spec}},
            }])),
            "leases": seen(json!([{
                "metadata": {"name": "snapshot-controller-leader", "namespace": "kube-system"},
                "spec": {
                    "holderIdentity": "snapshot-controller-7c-x",
                    "leaseDurationSeconds": 15,
                    "renewTime": "2026-01-01T00:00:00Z",
                },
            }])),
        });
        serde_json::from_value(facts).unwrap()
    }

    /// What two looks show, ten seconds apart.
    fn judged(before: &Facts, now: &Facts) -> Option<OutOfService> {
        let mut facts = before.clone();
        let earlier = facts.look_again(now.clone(), Duration::from_secs(10));
        snapshot_controller(&facts, &earlier)
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_named() {
        let facts = look(1, &json!({"ready": false, "state": {"waiting": {"reason": "ImagePullBackOff"}}}));
        let found = judged(&facts, &facts).unwrap();
        assert!(found.is_explained);
        assert_eq!(found.finding.cause.as_deref(), Some("The image cannot be pulled."));
    }

    #[test]
    fn what_was_ready_a_moment_ago_may_be_restarting() {
        let down = look(1, &json!({"ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}));
        let up = look(1, &json!({"ready": true}));
        assert_eq!(judged(&up, &down), None);
        assert_eq!(judged(&down, &up), None);
        assert_eq!(judged(&up, &up), None);
    }

    #[test]
    fn a_pod_that_is_not_there_yet_is_no_explanation() {
        let facts = look(1, &Value::Null);
        assert!(!judged(&facts, &facts).unwrap().is_explained);
        let facts = look(0, &Value::Null);
        let found = judged(&facts, &facts).unwrap();
        assert!(found.is_explained);
        assert!(found.finding.message.contains("scaled to 0"), "{}", found.finding.message);
    }

    #[test]
    fn a_container_that_crashes_again_and_again_is_met_ready() {
        let restarted = |count: u32| {
            let ended = json!({"terminated": {"exitCode": 2, "message": ""}});
            look(1, &json!({"ready": true, "restartCount": count, "lastState": ended}))
        };
        assert_eq!(judged(&restarted(3), &restarted(3)), None);
        let found = judged(&restarted(3), &restarted(4)).unwrap();
        assert!(found.finding.cause.unwrap().contains("flag"), "{}", found.finding.message);
    }

    #[test]
    fn a_leader_that_no_longer_renews_its_lease_hangs() {
        let up = look(1, &json!({"ready": true}));
        let mut facts = up.clone();
        facts.look_again(up.clone(), Duration::from_secs(10));
        let earlier = facts.look_again(up.clone(), Duration::from_secs(6));
        assert_eq!(snapshot_controller(&facts, &earlier), None);
        let earlier = facts.look_again(up, Duration::from_secs(1));
        let found = snapshot_controller(&facts, &earlier).unwrap();
        assert!(found.finding.message.contains("lease"), "{}", found.finding.message);
    }

    #[test]
    fn a_second_installation_that_works_is_enough() {
        let mut facts = look(1, &json!({"ready": false, "state": {"waiting": {"reason": "ErrImagePull"}}}));
        assert!(judged(&facts, &facts).is_some());
        let mut other = look(1, &json!({"ready": true}));
        let move_away = |metadata: &mut crate::model::kubernetes::Metadata| metadata.namespace = Some("b".to_owned());
        let (mut pods, mut workloads) = (other.pods.seen().unwrap().clone(), other.workloads.seen().unwrap().clone());
        for pod in &mut pods {
            move_away(&mut pod.metadata);
        }
        for workload in &mut workloads {
            move_away(&mut workload.metadata);
        }
        pods.extend(facts.pods.seen().unwrap().clone());
        workloads.extend(facts.workloads.seen().unwrap().clone());
        other.pods = pods.into();
        other.workloads = workloads.into();
        facts = other;
        assert_eq!(judged(&facts, &facts), None);
    }
}
