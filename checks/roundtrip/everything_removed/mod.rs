//! Everything that the round trip made is gone.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check =
    check("SR312", "everything-removed", "Everything that the round trip made is gone", include_str!("doc.md"));

use crate::knowledge::finalizers::owner;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix, Status};
use crate::model::object::{Kind, ObjectName};
use crate::moment::grpc::Code;
use crate::moment::{Advice, Explanation};
use crate::text::names::safe;

/// An object whose deletion does not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckObject {
    /// Which one.
    pub object: ObjectName,
    /// Since when it is being deleted; `None` if its deletion was not even accepted.
    pub deletion_timestamp: Option<String>,
    /// Its finalizers.
    pub finalizers: Vec<String>,
    /// Whether the driver's last answer left open if it still takes the snapshot: csi-snapshotter's annotation
    /// [`BEING_CREATED`](crate::model::chain::BEING_CREATED) on a `VolumeSnapshotContent`.
    pub being_created: bool,
    /// The last error that its status or events report, if any.
    pub error: Option<String>,
}

/// Why an object does not go away. What keeps it has an owner; stripping a finalizer would leave storage behind that
/// nobody knows of, so it is never proposed.
#[must_use]
pub fn stuck(stuck: &StuckObject) -> Explanation {
    let object = &stuck.object;
    let evidence = |path: &str, value: &String| Evidence {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        path: path.to_owned(),
        value: value.clone(),
    };
    let message = match (&stuck.deletion_timestamp, stuck.finalizers.is_empty()) {
        (None, _) => format!("{object} was not deleted"),
        (Some(_), true) => format!("{object} is being deleted, but not gone"),
        (Some(_), false) => format!("{object} is being deleted, but kept by {}", stuck.finalizers.join(", ")),
    };
    let namespace = object.namespace.as_deref();
    let kind = object.kind.to_ascii_lowercase();
    let get = kubectl("get").word(safe(&kind, "KIND")).word(safe(&object.name, "NAME"));
    let get = match namespace {
        Some(namespace) => get.words("-n").word(safe(namespace, "NAMESPACE")),
        None => get,
    };
    let fix = Fix::text("Make the component that owns the finalizer run and reach its storage; it then removes the object. Removing the finalizer by hand would leave the snapshot or volume in the storage.")
        .command(get.words("-o yaml"));
    Explanation::new(&CHECK, Status::Fail, &message)
        .evidence(stuck.deletion_timestamp.iter().map(|time| evidence("metadata.deletionTimestamp", time)))
        .evidence(stuck.finalizers.iter().map(|finalizer| evidence("metadata.finalizers[]", finalizer)))
        .evidence(stuck.error.iter().map(|error| evidence("status.error.message", error)))
        .cause(cause(stuck))
        .fix(fix)
        .advise(Advice::CleanUp)
}

fn cause(stuck: &StuckObject) -> String {
    let kind = stuck.object.kind.as_str();
    let fixed = match stuck.deletion_timestamp {
        None => "the delete was refused or did not reach the API server",
        Some(_) if stuck.being_created => {
            "the driver has not said for certain whether the snapshot exists in its storage; csi-snapshotter asks again, at most every 5 minutes, and does not delete before"
        }
        Some(_) if !stuck.finalizers.is_empty() => {
            let owners: Vec<String> = stuck
                .finalizers
                .iter()
                .map(|finalizer| {
                    let (owner, what) = owner(finalizer);
                    format!("{owner} removes {finalizer} and waits for {what}")
                })
                .collect();
            // What csi-snapshotter writes down is the driver's answer.
            let answer = stuck.error.as_deref().filter(|_| kind == Kind::VOLUME_SNAPSHOT_CONTENT.name);
            let answer = answer.and_then(Code::find).map(|code| format!("the last answer: {}", code.meaning));
            return owners.into_iter().chain(answer).collect::<Vec<_>>().join("; ");
        }
        Some(_) if kind == Kind::POD.name => "the node's kubelet has not terminated the pod",
        Some(_) if kind == Kind::NAMESPACE.name => "objects in the namespace are not gone yet",
        Some(_) => "nothing that the object itself shows keeps it",
    };
    fixed.to_owned()
}
