//! Claims that are not bound: provisioning and restoring.

use std::time::Duration;

use snapready_checks::drivers::registered::is_surely_unregistered;
use snapready_checks::model::finding::{Evidence, Fix};
use snapready_checks::sidecars::find::without_provisioner;

use super::commands::see_more;
use super::grpc::Code;
use super::result::{Found, RoundTripCheck, safe};
use super::{Observation, SeenEvent, dead, text};
use crate::model::{CheckResult, StepId};

/// Refusals of the provisioner that only a change of class, claim or rights ends: what its text holds, what it means,
/// what to do. Each stands in csi-provisioner's source.
const PERMANENT: [(&str, &str, &str); 9] = [
    (
        "is not handled by CSI driver of StorageClass",
        "the snapshot was taken by another driver than the StorageClass's",
        "Restore into a StorageClass whose provisioner is the snapshot's driver.",
    ),
    (
        "is less than the size",
        "the claim is smaller than what the snapshot holds",
        "Request at least the snapshot's restoreSize with --size.",
    ),
    (
        "modifies the mode of the source volume",
        "the volume mode of claim and snapshot differ, as csi-provisioner sees them",
        "Update snapshot-controller and csi-provisioner: the content's sourceVolumeMode is missing or wrong.",
    ),
    (
        "does not support snapshot restore",
        "the driver reports no capability to create snapshots, so it restores none",
        "Use a StorageClass whose driver has snapshots; for this driver use file-system backups.",
    ),
    (
        "volume content source missing",
        "the driver made a volume without restoring: it ignored the snapshot",
        "Update the driver to a release that restores snapshots of this kind of volume.",
    ),
    (
        "does not belong to the right APIGroup",
        "csi-provisioner takes no VolumeSnapshot of this API group as a source",
        "Update csi-provisioner.",
    ),
    (
        "created volume capacity",
        "the driver made a smaller volume than was requested",
        "Update the driver, or choose another --size.",
    ),
    (
        "storageclass.storage.k8s.io",
        "the StorageClass does not exist any more",
        "Create the StorageClass, or name another with --storage-class.",
    ),
    (
        "is being deleted",
        "the snapshot is being deleted by somebody else",
        "Run again while nothing deletes the snapshot.",
    ),
];

/// A provisioner says that it begins within a second; so long after the claim was made, none has heard of it.
const UNHEARD: Duration = Duration::from_secs(8);
/// How newer releases of csi-provisioner introduce an `InvalidArgument`: they ask again only after minutes.
const INFEASIBLE: &str = "failed with infeasible error";

pub(super) fn certain(observation: &Observation<'_>) -> Option<CheckResult> {
    let claim = observation.claim?;
    let check = check(observation);
    let name = text(claim, "/metadata/name").unwrap_or_default();
    match text(claim, "/status/phase") {
        Some("Bound") => return None,
        Some("Lost") => {
            let message = format!("claim {name} has lost its volume");
            let evidence = Evidence::namespaced(
                "PersistentVolumeClaim",
                &observation.namespace_name(),
                name,
                "status.phase",
                "Lost",
            );
            let found = Found::fail(check, &observation.target.label(), &message)
                .evidence([evidence])
                .cause("the PersistentVolume of the claim was deleted or is bound to another one")
                .fix(Fix::text("Find out who deletes PersistentVolumes, then run again."));
            return Some(found.done());
        }
        _ => {}
    }
    let events: Vec<&SeenEvent> = observation.claim_events(&["ProvisioningFailed"]).collect();
    if let Some(event) = events.last() {
        if let Some((_, cause, advice)) = PERMANENT.iter().find(|(part, _, _)| means(&event.message, part)) {
            return Some(failed(observation, check, event, cause, Fix::text(*advice)));
        }
        if event.message.contains(" is forbidden: User ") && seen(&events) >= 2 {
            let cause = "csi-provisioner's account lacks a right that it needs";
            let fix = Fix::text(
                "Give the driver's provisioner account the rights of upstream's external-provisioner-runner role.",
            );
            return Some(failed(observation, check, event, cause, fix));
        }
        if let Some(result) = by_code(observation, check, &events, event) {
            return Some(result);
        }
    }
    no_provisioner(observation, check, name).or_else(|| dead::claim(observation, check, name))
}

fn check(observation: &Observation<'_>) -> RoundTripCheck {
    if observation.step == StepId::Provision {
        RoundTripCheck::ProvisioningSucceeds
    } else {
        RoundTripCheck::RestoreSucceeds
    }
}

/// Two of the texts are common English: they count only in csi-provisioner's own sentences.
fn means(message: &str, part: &str) -> bool {
    let own = match part {
        "is being deleted" => message.contains("error getting handle for DataSource") && Code::find(message).is_none(),
        "storageclass.storage.k8s.io" => message.ends_with("not found"),
        "is less than the size" => message.contains("requested volume size"),
        "created volume capacity" => message.contains("less than requested capacity"),
        _ => true,
    };
    own && message.contains(part)
}

fn by_code(
    observation: &Observation<'_>,
    check: RoundTripCheck,
    events: &[&SeenEvent],
    event: &SeenEvent,
) -> Option<CheckResult> {
    let code = Code::find(&event.message)?;
    if event.message.contains(INFEASIBLE) {
        return Some(failed(observation, check, event, code.meaning(), advice(observation, code)));
    }
    let (often, long) = code.patience(&event.message)?;
    let same: Vec<&SeenEvent> =
        events.iter().filter(|event| Code::find(&event.message) == Some(code)).copied().collect();
    // Without a count in the events time alone has to do, and more of it.
    let enough = (seen(&same) >= often && observation.elapsed >= long) || observation.elapsed >= long * 4;
    if !enough {
        return None;
    }
    Some(failed(observation, check, event, code.meaning(), advice(observation, code)))
}

fn advice(observation: &Observation<'_>, code: Code) -> Fix {
    let class = safe(&observation.target.storage_class, "CLASS");
    let fix = Fix::text(code.advice());
    match code {
        Code::InvalidArgument | Code::OutOfRange if observation.step == StepId::Provision => Fix::text(
            "Choose a size that the driver offers; if the message is not about the size, correct the StorageClass's parameters.",
        )
        .command(format!("snapready roundtrip --storage-class {class} --size 10Gi"))
        .command(format!("kubectl get storageclass {class} -o yaml")),
        Code::InvalidArgument | Code::OutOfRange => fix.command(format!("kubectl get storageclass {class} -o yaml")),
        _ => fix,
    }
}

fn seen(events: &[&SeenEvent]) -> u64 {
    events.iter().fold(0, |sum: u64, event| sum.saturating_add(event.count.max(1)))
}

pub(super) fn failed(
    observation: &Observation<'_>,
    check: RoundTripCheck,
    event: &SeenEvent,
    cause: &str,
    fix: Fix,
) -> CheckResult {
    let what = if observation.step == StepId::Provision { "is not provisioned" } else { "is not restored" };
    Found::fail(check, &observation.target.label(), &format!("claim {} {what}: {}", event.name, event.message))
        .evidence([observation.event_evidence(event)])
        .cause(cause)
        .fix(see_more(observation, fix))
        .done()
}

/// Kubernetes waits for the provisioner, which has not said a word.
pub(super) fn is_unheard(observation: &Observation<'_>) -> bool {
    let words = ["Provisioning", "ProvisioningFailed", "ProvisioningSucceeded"];
    observation.elapsed >= UNHEARD
        && observation.claim_events(&words).next().is_none()
        && observation.claim_events(&["ExternalProvisioning"]).next().is_some()
}

/// Nothing but Kubernetes itself has said a word, and nobody is there who would.
fn no_provisioner(observation: &Observation<'_>, check: RoundTripCheck, claim: &str) -> Option<CheckResult> {
    let driver = observation.target.driver.as_deref()?;
    let event = observation.claim_events(&["ExternalProvisioning"]).last()?;
    if !is_unheard(observation) {
        return None;
    }
    let class = &observation.target.storage_class;
    let found = |what: &str| {
        Found::fail(check, &observation.target.label(), &format!("claim {claim} is not provisioned: {what}")).evidence(
            [Evidence::cluster("StorageClass", class, "provisioner", driver), observation.event_evidence(event)],
        )
    };
    if is_surely_unregistered(observation.facts, driver) {
        let fix = Fix::text("Install the driver, or correct the StorageClass's provisioner.")
            .command("kubectl get csidrivers")
            .command(format!("kubectl get storageclass {} -o yaml", safe(class, "CLASS")));
        return Some(
            found(&format!("no driver {driver} is installed"))
                .evidence([Evidence::cluster("CSIDriver", driver, "metadata.name", "not found")])
                .cause("the StorageClass names a provisioner that is neither registered as a CSIDriver nor on any node")
                .fix(fix)
                .done(),
        );
    }
    let part = without_provisioner(observation.facts, driver)?;
    let containers: Vec<&str> = part.spec.containers.iter().map(|container| container.name.as_str()).collect();
    Some(
        found(&format!("no csi-provisioner of driver {driver} works on it"))
            .evidence([part.evidence("spec.template.spec.containers", containers.join(", "))])
            .cause(format!("the driver's controller runs in {} without csi-provisioner", part.place()))
            .fix(Fix::text("Install the driver's controller as its vendor does, with the csi-provisioner sidecar."))
            .done(),
    )
}
