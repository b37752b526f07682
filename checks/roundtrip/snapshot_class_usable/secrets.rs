//! Secrets and parameters that the class names. The texts stand in external-snapshotter pkg/utils/util.go and
//! pkg/sidecar-controller.

use super::CHECK;
use crate::model::command::{Command, kubectl};
use crate::model::finding::Fix;
use crate::moment::{Explanation, Moment};
use crate::names::safe;
use crate::roundtrip::snapshot_succeeds::{Answer, LAG, about, answers};

const UNREADABLE: &str = "cannot get credentials for snapshot content";

/// The secret that the class names does not exist.
pub(crate) fn secret_missing(moment: &Moment<'_>) -> Option<Explanation> {
    let texts = [UNREADABLE, "Failed to get snapshot credentials", "error getting secret"];
    let answer = first(moment, |text| texts.iter().any(|part| text.contains(part)) && text.contains("not found"))?;
    let fix = Fix::text(
        "Create the secret that the class's parameters csi.storage.k8s.io/snapshotter-secret-name and -namespace name, or correct them.",
    );
    Some(
        about(&CHECK, moment, "the secret of its class does not exist")
            .evidence([answer.evidence])
            .cause("the csi-snapshotter needs the secret that the VolumeSnapshotClass names")
            .fix(fix.command(get_class(moment))),
    )
}

/// The csi-snapshotter may not read the secret that the class names. Upstream's role external-snapshotter-runner has no rule
/// for secrets (external-snapshotter deploy/kubernetes/csi-snapshotter/rbac-csi-snapshotter.yaml).
pub(crate) fn secret_forbidden(moment: &Moment<'_>) -> Option<Explanation> {
    let answer = first(moment, |text| text.contains(UNREADABLE) && text.contains(" is forbidden: User "))?;
    let text = "Permit the csi-snapshotter's account to get secrets in the namespace that the class names.";
    Some(
        about(&CHECK, moment, "the csi-snapshotter may not read the secret of its class")
            .evidence([answer.evidence])
            .cause("the csi-snapshotter's account may not read the secret that the VolumeSnapshotClass names; upstream's role has no rule for secrets, so drivers that need one have to add it")
            .fix(Fix::text(text).command(get_class(moment))),
    )
}

/// The secret that the class names cannot be read.
pub(crate) fn credentials_unreadable(moment: &Moment<'_>) -> Option<Explanation> {
    let answer = first(moment, |text| text.contains(UNREADABLE))?;
    let class = class(moment).map_or_else(|| "of the snapshot".to_owned(), ToOwned::to_owned);
    let cause = format!(
        "the secret that VolumeSnapshotClass {class} names does not exist, or the csi-snapshotter may not read it"
    );
    let fix = Fix::text("Create the secret as the driver's documentation says, or correct the class.");
    Some(
        about(&CHECK, moment, "the credentials that its class names cannot be read")
            .evidence([answer.evidence])
            .cause(cause)
            .fix(fix.command(get_class(moment))),
    )
}

/// The class has parameters that no sidecar accepts.
pub(crate) fn wrong_parameters(moment: &Moment<'_>) -> Option<Explanation> {
    let texts = [
        "with reserved namespace csi.storage.k8s.io/",
        "secret name or namespace not specified",
        "either name and namespace for",
    ];
    let answer = first(moment, |text| texts.iter().any(|part| text.contains(part)))?;
    let fix = Fix::text(
        "Correct the parameters of the VolumeSnapshotClass; a class cannot be changed, so delete it and create it again.",
    );
    Some(
        about(&CHECK, moment, "the parameters of its class are wrong")
            .evidence([answer.evidence])
            .cause("the class has parameters that no sidecar accepts")
            .fix(fix.command(get_class(moment))),
    )
}

fn first(moment: &Moment<'_>, says: impl Fn(&str) -> bool) -> Option<Answer> {
    (moment.elapsed >= LAG).then(|| answers(moment).into_iter().find(|answer| says(&answer.text)))?
}

/// The class that was named, or that the snapshot-controller chose.
fn class<'a>(moment: &Moment<'a>) -> Option<&'a str> {
    let chosen = || moment.volume_snapshot()?.spec.volume_snapshot_class_name.as_deref();
    moment.subject.snapshot_class.as_deref().or_else(chosen)
}

fn get_class(moment: &Moment<'_>) -> Command {
    let class = safe(class(moment).unwrap_or_default(), "CLASS");
    kubectl("get volumesnapshotclass").word(class).words("-o yaml")
}
