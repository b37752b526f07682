//! The driver makes the snapshot.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check = check("SR307", "snapshot-succeeds", "The driver makes the snapshot", include_str!("doc.md"));

mod answers;

pub(crate) use answers::{LAG, Worker, about, answers, lacks_right, shown_by};

use std::time::Duration;

use crate::knowledge::snapshots::is_no_size;
use crate::model::finding::Fix;
use crate::model::quantity::Quantity;
use crate::moment::grpc::{Code, unquoted};
use crate::moment::{Advice, Explanation, Moment, line, with_sidecar_log};

/// The claim that it is to be a snapshot of does not exist (external-snapshotter pkg/common-controller/snapshot_controller.go).
pub(crate) fn source_missing(moment: &Moment<'_>) -> Option<Explanation> {
    let says = |answer: &str| {
        answer.contains("cannot get claim from snapshot")
            || (answer.contains("failed to retrieve PVC") && answer.contains("not found"))
    };
    let answer = answers(moment).find(|answer| says(&answer.text))?;
    (moment.claim().is_none() && moment.elapsed >= LAG).then(|| {
        shown_by(&answer, &CHECK, moment, "the PersistentVolumeClaim that it is to be taken of does not exist")
            .cause("the claim has gone, or the VolumeSnapshot names another one than was meant")
            .fix(Fix::text("Delete the VolumeSnapshot, or create the claim that it names."))
            .advise(Advice::Again)
    })
}

/// A volume that is being provisioned may take so long to be bound.
const BINDING: Duration = Duration::from_secs(30);

/// The claim that it is to be a snapshot of has no volume yet (the same source).
pub(crate) fn source_not_bound(moment: &Moment<'_>) -> Option<Explanation> {
    let claim = moment.unbound_claim()?;
    let answer = answers(moment).find(|answer| answer.text.contains("is not yet bound to a PV"))?;
    (moment.elapsed >= BINDING).then(|| {
        let name = &claim.metadata.name;
        shown_by(&answer, &CHECK, moment, &format!("claim {name} that it is to be taken of has no volume yet"))
            .cause("the claim is not bound: a volume that waits for its first consumer is made when a pod uses it, any other has not been provisioned")
            .fix(Fix::text("See why the claim is not bound. The snapshot is taken when it is."))
            .advise(Advice::Again)
    })
}

/// What makes a volume one that nobody can take a snapshot of.
pub(crate) fn source_without_snapshots(moment: &Moment<'_>) -> Option<Explanation> {
    // Both stand in external-snapshotter pkg/common-controller/snapshot_controller.go.
    let texts = ["snapshotting non-CSI volumes is not supported", "cannot find CSI PersistentVolumeSource for volume"];
    source(
        moment,
        &texts,
        "its source is no CSI volume",
        "volumes of in-tree plugins have no snapshots, even where a CSI driver has taken over",
        "Move the data to a volume of a CSI StorageClass, or use file-system backups.",
    )
}

/// A snapshot that something changed while it was created.
pub(crate) fn malformed(moment: &Moment<'_>) -> Option<Explanation> {
    source(
        moment,
        &["Exactly one of PersistentVolumeClaimName and VolumeSnapshotContentName should be specified"],
        "the controller finds it malformed",
        "something changed the VolumeSnapshot while it was created",
        "Look for a mutating webhook that changes VolumeSnapshots.",
    )
}

/// A snapshot whose content is another's.
pub(crate) fn misbound(moment: &Moment<'_>) -> Option<Explanation> {
    let texts =
        ["VolumeSnapshotContent is not bound to the VolumeSnapshot correctly", "is bound to a different snapshot"];
    source(
        moment,
        &texts,
        "its content belongs to another snapshot",
        "two controllers work on the same snapshots, or objects were restored by hand",
        "Leave one snapshot-controller in the cluster.",
    )
}

fn source(moment: &Moment<'_>, texts: &[&str], what: &str, cause: &str, text: &str) -> Option<Explanation> {
    let says = |answer: &str| texts.iter().any(|part| answer.contains(part));
    let answer = answers(moment).find(|answer| says(&answer.text))?;
    (moment.elapsed >= LAG)
        .then(|| shown_by(&answer, &CHECK, moment, what).cause(cause).fix(Fix::text(text)).advise(Advice::Again))
}

/// What a snapshot that is ready shows besides: no size to which it can be restored, as SR525 finds of snapshots that exist. The
/// round trip requests the source's size, too; others may not.
#[must_use]
pub fn noticed(moment: &Moment<'_>, source: Quantity) -> Option<String> {
    let status = &moment.volume_snapshot()?.status;
    let what = match status.restore_size.as_deref() {
        None => "it has no restoreSize".to_owned(),
        Some(text) if is_no_size(text.parse().ok()?, Some(source)) => {
            format!("its restoreSize is {}, less than its source", line(text, 30))
        }
        Some(_) => return None,
    };
    Some(format!("{what}: a tool that restores to that size fails"))
}

/// The driver's own answer. The status keeps one text per kind of answer and no count, so time alone decides: sidecars
/// have asked again after one, two and four seconds.
pub(crate) fn driver_refuses(moment: &Moment<'_>) -> Option<Explanation> {
    answers(moment).find_map(|answer| {
        let code = Code::at(&answer.text, moment.step)?;
        let (_, long) = code.patience?;
        if moment.elapsed < long {
            return None;
        }
        let message = format!("the driver refuses: {}", unquoted(&answer.text));
        let explanation = shown_by(&answer, &CHECK, moment, &message).cause(code.meaning);
        Some(with_sidecar_log(explanation, moment, Fix::text(code.advice)))
    })
}
