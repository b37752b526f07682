//! Objects that do not go away. What keeps them has an owner; stripping a finalizer would leave storage behind that
//! nobody knows of, so it is never proposed.

use snapready_checks::model::finding::{Evidence, Fix, Status};

use super::commands::again;
use super::in_words;
use super::result::{Found, RoundTripCheck, safe};
use crate::model::{CheckResult, ObjectName, StepId};
use crate::roundtrip::plan::Target;

/// An object whose deletion does not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckObject {
    /// Which one.
    pub object: ObjectName,
    /// Since when it is being deleted; `None` if its deletion was not even accepted.
    pub deletion_timestamp: Option<String>,
    /// Its finalizers.
    pub finalizers: Vec<String>,
    /// Whether the driver's last answer left open if it still cuts the snapshot: csi-snapshotter's annotation
    /// `snapshot.storage.kubernetes.io/volumesnapshot-being-created` on a `VolumeSnapshotContent`.
    pub being_created: bool,
    /// The last error that its status or events tell, if any.
    pub error: Option<String>,
}

/// Finalizers, who removes them, and what they wait for.
const OWNERS: [(&str, &str, &str); 11] = [
    (
        "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection",
        "the snapshot-controller",
        "the content to be gone",
    ),
    (
        "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection",
        "the snapshot-controller",
        "no pending claim to use the snapshot as its source",
    ),
    (
        "snapshot.storage.kubernetes.io/volumesnapshot-in-group-protection",
        "the snapshot-controller",
        "its group snapshot to be deleted",
    ),
    (
        "provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection",
        "the driver's csi-provisioner",
        "the restore to end; after a restore that failed it looks for what is over every 5 minutes, but releases 6.0.1, 6.1.1 and 6.2.0 leave it behind",
    ),
    (
        "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection",
        "the driver's csi-snapshotter",
        "the driver to delete the snapshot in its storage",
    ),
    (
        "snapshot.storage.kubernetes.io/pvc-as-source-protection",
        "the snapshot-controller",
        "the snapshot of the claim to be cut",
    ),
    ("kubernetes.io/pvc-protection", "the kube-controller-manager", "no pod to use the claim"),
    ("kubernetes.io/pv-protection", "the kube-controller-manager", "the volume to be unbound"),
    (
        "external-provisioner.volume.kubernetes.io/finalizer",
        "the driver's csi-provisioner",
        "the driver to delete the volume in its storage",
    ),
    ("external-attacher/", "the driver's csi-attacher", "the volume to be detached"),
    ("kubernetes", "the kube-controller-manager", "everything in the namespace to be gone"),
];

fn owner(finalizer: &str) -> (&'static str, &'static str) {
    let known =
        |(name, _, _): &&(&str, &str, &str)| finalizer == *name || (name.ends_with('/') && finalizer.starts_with(name));
    OWNERS
        .iter()
        .find(known)
        .map_or(("a component that snapready does not know", "something of its own"), |(_, owner, what)| (owner, what))
}

/// An object that the round trip needs was deleted, and not by snapready.
#[must_use]
pub fn vanished(target: &Target, step: StepId, object: &ObjectName) -> CheckResult {
    if step == StepId::Overwrite && object.kind == "Pod" {
        return unproven(target, object);
    }
    let evidence = Evidence {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        path: "metadata".to_owned(),
        value: "deleted by somebody else".to_owned(),
    };
    Found::fail(
        RoundTripCheck::RoundTrip,
        &target.label(),
        &format!("{} was deleted while it was needed", in_words(object)),
    )
    .evidence([evidence])
    .cause("somebody, or a controller that cleans up, deletes objects in the namespace of the round trip")
    .fix(Fix::text("Run again, in a namespace where nothing else deletes."))
    .done()
}

/// The writer was asked to overwrite the source and to go. It went without having said that it did, so a restore could
/// not be told from a copy of the live volume.
fn unproven(target: &Target, object: &ObjectName) -> CheckResult {
    let message = format!("{} went without saying that it has overwritten the source", in_words(object));
    Found::new(RoundTripCheck::RoundTrip, Status::Unknown, Some(&target.label()), &message)
        .cause("its last status was not seen: it was removed by force, or the API server could not be watched")
        .fix(Fix::text("Run again.").command(again(target)))
        .done()
}

/// Why an object does not go away.
#[must_use]
pub fn stuck(stuck: &StuckObject) -> CheckResult {
    let object = &stuck.object;
    let words = in_words(object);
    let evidence = |path: &str, value: &str| Evidence {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        path: path.to_owned(),
        value: value.to_owned(),
    };
    let message = match (&stuck.deletion_timestamp, stuck.finalizers.is_empty()) {
        (None, _) => format!("{words} was not deleted"),
        (Some(_), true) => format!("{words} is being deleted, but not gone"),
        (Some(_), false) => format!("{words} is being deleted, but kept by {}", stuck.finalizers.join(", ")),
    };
    let mut found = Found::new(RoundTripCheck::EverythingRemoved, Status::Fail, None, &message);
    found = found.evidence(stuck.deletion_timestamp.iter().map(|time| evidence("metadata.deletionTimestamp", time)));
    found = found.evidence(stuck.finalizers.iter().map(|finalizer| evidence("metadata.finalizers[]", finalizer)));
    found = found.evidence(stuck.error.iter().map(|error| evidence("status.error.message", error)));
    let owners: Vec<String> = stuck
        .finalizers
        .iter()
        .map(|finalizer| {
            let (owner, what) = owner(finalizer);
            format!("{owner} removes {finalizer} and waits for {what}")
        })
        .collect();
    let cause = match (&stuck.deletion_timestamp, owners.is_empty()) {
        (None, _) => "the delete was refused or did not reach the API server".to_owned(),
        _ if stuck.being_created => "the driver has not said for certain whether the snapshot exists in its storage; csi-snapshotter asks again, at most every 5 minutes, and does not delete before".to_owned(),
        (_, true) if object.kind == "Pod" => "the node's kubelet has not ended the pod".to_owned(),
        (_, true) if object.kind == "Namespace" => "objects in the namespace are not gone yet".to_owned(),
        (_, true) => "nothing that the object itself shows keeps it".to_owned(),
        (_, false) => owners.join("; "),
    };
    let scope = object
        .namespace
        .as_deref()
        .map(|namespace| format!(" -n {}", safe(namespace, "NAMESPACE")))
        .unwrap_or_default();
    let kind = object.kind.to_ascii_lowercase();
    let fix = Fix::text("Make the component that owns the finalizer run and reach its storage; it then removes the object. Taking the finalizer away by hand would leave the snapshot or volume in the storage.")
        .command(format!("kubectl get {} {}{scope} -o yaml", safe(&kind, "KIND"), safe(&object.name, "NAME")))
        .command("snapready cleanup --expired");
    found.cause(cause).fix(fix).done()
}
