//! Commands that install from external-snapshotter's repository, in one release for all.

use crate::model::command::{Command, kubectl};

/// The newest release that snapready knows.
pub const NEWEST: &str = "v8.7.0";
/// The newest release whose CRDs do without validation rules, which Kubernetes has from 1.25 on.
pub const BEFORE_VALIDATION_RULES: &str = "v7.0.2";
/// The folder of the CRDs.
pub const CRDS: &str = "client/config/crd";
/// The folder of the snapshot-controller.
pub const CONTROLLER: &str = "deploy/kubernetes/snapshot-controller";

/// Applies a folder of a release.
#[must_use]
pub fn apply(folder: &str, release: &str) -> Command {
    let repository = "https://github.com/kubernetes-csi/external-snapshotter";
    kubectl("apply -k").word(format!("{repository}/{folder}?ref={release}"))
}
