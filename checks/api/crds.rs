//! The snapshot CRDs among the facts, and how to install them.

use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Fix};
use crate::model::kubernetes::CustomResourceDefinition;
use crate::version::Version;

/// The API group of snapshots.
pub const SNAPSHOT_GROUP: &str = "snapshot.storage.k8s.io";
/// The API group of group snapshots.
pub const GROUP_SNAPSHOT_GROUP: &str = "groupsnapshot.storage.k8s.io";
/// The CRD of `VolumeSnapshot`.
pub const SNAPSHOTS: &str = "volumesnapshots.snapshot.storage.k8s.io";
/// The CRD of `VolumeSnapshotContent`.
pub const CONTENTS: &str = "volumesnapshotcontents.snapshot.storage.k8s.io";
/// The CRD of `VolumeSnapshotClass`.
pub const CLASSES: &str = "volumesnapshotclasses.snapshot.storage.k8s.io";
/// The three CRDs that snapshots need.
pub const NEEDED: [&str; 3] = [SNAPSHOTS, CONTENTS, CLASSES];

/// The newest release of external-snapshotter that is known here.
pub const NEWEST_RELEASE: &str = "v8.7.0";

/// A CRD, if CRDs were seen and it is among them.
#[must_use]
pub fn crd<'a>(facts: &'a Facts, name: &str) -> Option<&'a CustomResourceDefinition> {
    facts.custom_resource_definitions.seen()?.iter().find(|crd| crd.metadata.name == name)
}

/// Those of the three needed CRDs that are there.
#[must_use]
pub fn installed(facts: &Facts) -> Vec<&CustomResourceDefinition> {
    NEEDED.iter().filter_map(|name| crd(facts, name)).collect()
}

/// Evidence from a CRD.
pub fn crd_evidence(name: &str, path: &str, value: impl Into<String>) -> Evidence {
    Evidence::cluster("CustomResourceDefinition", name, path, value)
}

/// How to install the CRDs: those of the newest release that the API server's version takes.
#[must_use]
pub fn install(facts: &Facts, text: &str) -> Fix {
    let server = facts.server_version.seen().and_then(|version| Version::parse(&version.git_version));
    // CRDs from 8.0 on rely on validation rules, which Kubernetes has from 1.25 on.
    let release = if server.is_some_and(|server| server < Version::new(1, 25, 0)) { "v7.0.2" } else { NEWEST_RELEASE };
    Fix::text(text).command(format!(
        "kubectl apply -k 'https://github.com/kubernetes-csi/external-snapshotter/client/config/crd?ref={release}'"
    ))
}
