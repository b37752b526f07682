//! The snapshot CRDs among the facts, and how to install them.

pub mod release;

use crate::knowledge::upstream;
use crate::knowledge::version::Version;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Fix};
use crate::model::kubernetes::CustomResourceDefinition;

/// The CRD of `VolumeSnapshot`.
pub const SNAPSHOTS: &str = "volumesnapshots.snapshot.storage.k8s.io";
/// The CRD of `VolumeSnapshotContent`.
pub const CONTENTS: &str = "volumesnapshotcontents.snapshot.storage.k8s.io";
/// The CRD of `VolumeSnapshotClass`.
pub const CLASSES: &str = "volumesnapshotclasses.snapshot.storage.k8s.io";
/// The three CRDs that snapshots need.
pub const NEEDED: [&str; 3] = [SNAPSHOTS, CONTENTS, CLASSES];

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
    let server = facts.server_version.seen().and_then(|version| Version::of_server(&version.git_version));
    let old = server.is_some_and(|server| server < Version::new(1, 25, 0));
    let release = if old { upstream::BEFORE_VALIDATION_RULES } else { upstream::NEWEST };
    Fix::text(text).command(upstream::apply(upstream::CRDS, release))
}
