//! Volumes that cannot be attached or mounted.

use std::time::Duration;

use super::CHECK;
use crate::knowledge::drivers::object::without_object;
use crate::model::chain::Event;
use crate::model::command::kubectl;
use crate::model::finding::{Fix, Status};
use crate::moment::grpc::Code;
use crate::moment::{Advice, Explanation, Moment, times};

/// A pod on a node that does not start has been at it for so long; with a volume that is at hand it starts within seconds.
const ATTACHED: Duration = Duration::from_secs(5);

/// A volume that Kubernetes waits to see attached, because the driver's `CSIDriver` is gone, and that nobody attaches. Kubernetes itself
/// says so only after two minutes.
pub(crate) fn not_attached(moment: &Moment<'_>) -> Option<Explanation> {
    let pod = moment.pod().filter(|pod| pod.status.phase == "Pending" && pod.spec.node_name.is_some())?;
    if !moment.has_bound_claim() || moment.pod_elapsed < ATTACHED {
        return None;
    }
    let driver = moment.subject.driver.as_deref()?;
    let found = without_object(moment.facts, driver).filter(|found| found.status == Status::Fail)?;
    let message = format!("pod {} cannot use its volume: {}", pod.metadata.name, found.message);
    Some(
        Explanation::fail(&CHECK, &message)
            .about(moment.subject)
            .with_finding(found)
            .follows_from("SR201", Some(driver)),
    )
}

/// A volume that the kubelet or the driver's node plugin cannot bring into the pod.
pub(crate) fn not_mounted(moment: &Moment<'_>) -> Option<Explanation> {
    let pod = moment.pod().filter(|pod| pod.status.phase == "Pending")?;
    let events: Vec<&Event> = moment.pod_events(&["FailedMount", "FailedMapVolume", "FailedAttachVolume"]).collect();
    let event = *events.last()?;
    let (cause, fix) = explain(moment, event, &events)?;
    let message = format!("pod {} cannot use its volume: {}", pod.metadata.name, event.message);
    Some(
        Explanation::fail(&CHECK, &message)
            .about(moment.subject)
            .evidence([moment.event_evidence(event)])
            .cause(cause)
            .fix(fix)
            .advise(Advice::Again),
    )
}

const NOT_HERE: &str = "the driver's node plugin does not run on the pod's node, but on others";
const NOWHERE: &str = "the driver's node plugin runs on no node";

/// Whether a node lists a driver, or any node if it is not known which; `None` if that could not be seen.
fn is_on_node(moment: &Moment<'_>, driver: &str, node: Option<&str>) -> Option<bool> {
    let mut nodes =
        moment.facts.csi_nodes.seen()?.iter().filter(|one| node.is_none_or(|node| one.metadata.name == node));
    Some(nodes.any(|node| node.has(driver)))
}

fn explain(moment: &Moment<'_>, event: &Event, events: &[&Event]) -> Option<(&'static str, Fix)> {
    let lasts = |often: u64, seconds: u64| {
        times(events.iter().copied()) >= often && moment.pod_elapsed >= Duration::from_secs(seconds)
    };
    if event.message.contains("duplicate UUID") || event.message.contains("wrong fs type, bad option, bad superblock") {
        return lasts(2, 5).then(|| {
            (
                "the file system cannot be mounted; an XFS copy beside its source has the same UUID, which the driver has to change or mount with nouuid",
                Fix::text("Update the driver, or set the file system type ext4 in the StorageClass's parameters."),
            )
        });
    }
    // The words of mount(8) and, in the kernel's log, of ext4.
    if ["read-only", "readonly"].iter().any(|word| event.message.contains(word))
        && ["cannot mount", "recovery required", "write access unavailable"]
            .iter()
            .any(|word| event.message.contains(word))
    {
        return lasts(2, 5).then(|| {
            (
                "the file system was in use when the snapshot was taken, and its journal cannot be replayed on a volume that is read-only",
                Fix::text("Use restored volumes read-write (for Velero's and OADP's data movers: backupPVC without readOnly), or a driver that mounts read-only volumes with norecovery (XFS) or noload (ext4)."),
            )
        });
    }
    // TopoLVM's words (internal/filesystem); other drivers leave it to mkfs and mount.
    if event.message.contains("already formatted with different filesystem") {
        return lasts(2, 5).then(|| {
            (
                "the copy holds the file system of its source, and the StorageClass asks for another one",
                Fix::text("Restore with a StorageClass of the same csi.storage.k8s.io/fstype as the source's."),
            )
        });
    }
    if event.message.contains("not found in the list of registered CSI drivers") {
        let driver = moment.subject.driver.as_deref()?;
        let node = moment.pod()?.spec.node_name.as_deref();
        return (lasts(3, 15) && !is_on_node(moment, driver, node)?).then(|| {
            let fix = Fix::text("Install or repair the driver's DaemonSet.").command(kubectl("get csinodes"));
            let elsewhere = is_on_node(moment, driver, None) == Some(true);
            (if elsewhere { NOT_HERE } else { NOWHERE }, fix)
        });
    }
    let code = Code::alone(&event.message)?;
    let (often, long) = code.patience?;
    let same = events.iter().copied().filter(|event| Code::alone(&event.message) == Some(code));
    (times(same) >= often && moment.pod_elapsed >= long).then(|| (code.meaning, Fix::text(code.advice)))
}
