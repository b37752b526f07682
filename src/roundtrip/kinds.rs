//! The kinds of objects that a round trip has to do with, and the marks that its own carry.

use kube::api::ApiResource;

use super::ledger::Role;

/// Label with the run's id; `cleanup --run` selects by it.
pub const RUN_LABEL: &str = "snapready.dev/run";
/// Label that says who made an object, and its value.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "snapready");
/// Annotation with the time after which an object counts as left behind, in RFC 3339.
pub const EXPIRES_AT: &str = "snapready.dev/expires-at";

impl Role {
    /// The resource.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        match self {
            Self::SourceClaim | Self::RestoredClaim => {
                resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
            }
            Self::SourceConsumer | Self::Writer | Self::RestoredConsumer | Self::Reader => {
                resource("", "v1", "Pod", "pods")
            }
            Self::Snapshot => resource("snapshot.storage.k8s.io", "v1", "VolumeSnapshot", "volumesnapshots"),
            Self::Content => {
                resource("snapshot.storage.k8s.io", "v1", "VolumeSnapshotContent", "volumesnapshotcontents")
            }
            Self::SourceVolume | Self::RestoredVolume => resource("", "v1", "PersistentVolume", "persistentvolumes"),
        }
    }
}

/// Namespaces.
#[must_use]
pub fn namespaces() -> ApiResource {
    resource("", "v1", "Namespace", "namespaces")
}

/// Events, as the core group has them.
#[must_use]
pub fn events() -> ApiResource {
    resource("", "v1", "Event", "events")
}

fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") },
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}
