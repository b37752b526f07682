//! Secrets and parameters that the class names. The texts stand in external-snapshotter pkg/utils/util.go and
//! pkg/sidecar-controller.

use super::CHECK;
use crate::model::command::kubectl;
use crate::model::finding::Fix;
use crate::moment::{Explanation, Moment};
use crate::roundtrip::snapshot_succeeds::{LAG, answers, shown_by};
use crate::text::names::safe;

const UNREADABLE: &str = "cannot get credentials for snapshot content";

/// The secret that the class names does not exist.
pub(crate) fn secret_missing(moment: &Moment<'_>) -> Option<Explanation> {
    let texts = [UNREADABLE, "Failed to get snapshot credentials", "error getting secret"];
    unusable(
        moment,
        |text| texts.iter().any(|part| text.contains(part)) && text.contains("not found"),
        "the secret of its class does not exist",
        "the csi-snapshotter needs the secret that the VolumeSnapshotClass names",
        "Create the secret that the class's parameters csi.storage.k8s.io/snapshotter-secret-name and -namespace name, or correct them.",
    )
}

/// The csi-snapshotter may not read the secret that the class names. Upstream's role external-snapshotter-runner has no rule
/// for secrets (external-snapshotter deploy/kubernetes/csi-snapshotter/rbac-csi-snapshotter.yaml).
pub(crate) fn secret_forbidden(moment: &Moment<'_>) -> Option<Explanation> {
    unusable(
        moment,
        |text| text.contains(UNREADABLE) && text.contains(" is forbidden: User "),
        "the csi-snapshotter may not read the secret of its class",
        "the csi-snapshotter's account may not read the secret that the VolumeSnapshotClass names; upstream's role has no rule for secrets, so drivers that need one have to add it",
        "Permit the csi-snapshotter's account to get secrets in the namespace that the class names.",
    )
}

/// The secret that the class names cannot be read.
pub(crate) fn credentials_unreadable(moment: &Moment<'_>) -> Option<Explanation> {
    let class = class(moment).unwrap_or("of the snapshot");
    unusable(
        moment,
        |text| text.contains(UNREADABLE),
        "the credentials that its class names cannot be read",
        &format!(
            "the secret that VolumeSnapshotClass {class} names does not exist, or the csi-snapshotter may not read it"
        ),
        "Create the secret as the driver's documentation says, or correct the class.",
    )
}

/// The class has parameters that no sidecar accepts.
pub(crate) fn wrong_parameters(moment: &Moment<'_>) -> Option<Explanation> {
    let texts = [
        "with reserved namespace csi.storage.k8s.io/",
        "secret name or namespace not specified",
        "either name and namespace for",
    ];
    unusable(
        moment,
        |text| texts.iter().any(|part| text.contains(part)),
        "the parameters of its class are wrong",
        "the class has parameters that no sidecar accepts",
        "Correct the parameters of the VolumeSnapshotClass; a class cannot be changed, so delete it and create it again.",
    )
}

/// A failure that is to be mended in the class, once an answer says so.
fn unusable(
    moment: &Moment<'_>,
    says: impl Fn(&str) -> bool,
    what: &str,
    cause: &str,
    text: &str,
) -> Option<Explanation> {
    if moment.elapsed < LAG {
        return None;
    }
    let answer = answers(moment).find(|answer| says(&answer.text))?;
    let class = safe(class(moment).unwrap_or_default(), "CLASS");
    let command = kubectl("get volumesnapshotclass").word(class).words("-o yaml");
    Some(shown_by(&answer, &CHECK, moment, what).cause(cause).fix(Fix::text(text).command(command)))
}

/// The class that was named, or that the snapshot-controller chose.
fn class<'a>(moment: &Moment<'a>) -> Option<&'a str> {
    let chosen = || moment.volume_snapshot()?.spec.volume_snapshot_class_name.as_deref();
    moment.subject.snapshot_class.as_deref().or_else(chosen)
}
