//! The driver makes a volume from the snapshot. The rules are those of [`crate::roundtrip::provisioning_succeeds`]: the same component
//! provisions, with a source.

use std::time::Duration;

use crate::knowledge::control_plane::arguments::is_on;
use crate::knowledge::control_plane::containers::is_csi_snapshotter;
use crate::knowledge::control_plane::sidecars::sidecars;
use crate::model::check::Check;
use crate::model::finding::{Evidence, Fix};
use crate::model::object::{Kind, ObjectName};
use crate::model::quantity::Quantity;
use crate::model::round_trip::{Origin, StepId, VolumeMode};
use crate::model::volumes::PersistentVolumeClaim;
use crate::moment::{Advice, Explanation, Moment, Subject, with_sidecar_log};
use crate::roundtrip::check;
use crate::roundtrip::snapshot_succeeds::{answers, shown_by};

/// See `doc.md`.
pub const CHECK: Check =
    check("SR309", "restore-succeeds", "The driver makes a volume from the snapshot", include_str!("doc.md"));

/// Set by the scheduler on a claim whose pod it has placed: the node for which the volume is made.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// Set by the snapshot-controller with `--enable-distributed-snapshotting`: the node whose csi-snapshotter has taken the snapshot.
const MANAGED_BY: &str = "snapshot.storage.kubernetes.io/managed-by";

/// What to do about it.
pub(crate) const STAY: &str =
    "Let the pod run on the node that holds the snapshot; storage that all nodes reach has no such limit.";

/// A volume was restored that is larger than its source, and what is in it has not grown: `room` bytes were found, `wanted` asked for.
#[must_use]
pub fn not_grown(subject: &Subject, claim: &ObjectName, room: u64, wanted: u64) -> Explanation {
    let asked = Quantity(wanted);
    let driver = subject.driver_in_words();
    let (message, value, cause) = match subject.volume_mode {
        VolumeMode::Filesystem => (
            format!(
                "the data is intact, but the file system of the restored volume was not grown to the {asked} that were asked for"
            ),
            format!("a file system of {room} bytes in a volume of {asked}"),
            format!("{driver} does not grow the file system of a volume that is restored larger than its source"),
        ),
        VolumeMode::Block => (
            format!("the data is intact, but the restored device is smaller than the {asked} that were asked for"),
            format!("a device without the last block of {asked}"),
            format!("{driver} restores a volume in the size of its snapshot, whatever is asked for"),
        ),
    };
    let evidence = Evidence {
        kind: claim.kind.clone(),
        namespace: claim.namespace.clone(),
        name: claim.name.clone(),
        path: "size".to_owned(),
        value,
    };
    Explanation::fail(&CHECK, &message)
        .about(subject)
        .evidence([evidence])
        .cause(cause)
        .fix(Fix::text("Restore in the size of the source and expand the claim afterwards, or update the driver: its node plugin has to grow a restored file system."))
        .advise(Advice::Again)
}

/// What a csi-snapshotter says of a content with a handle that `ListSnapshots` does not know (external-snapshotter
/// pkg/snapshotter/snapshotter.go, `GetSnapshotStatus`).
const NOT_LISTED: &str = "can not find snapshot for snapshotID";
/// A cloud may list a snapshot some seconds after it was taken.
const LISTED: Duration = Duration::from_secs(8);

/// A snapshot that is there is not found by its handle, so that nothing but the object that it was taken by can restore it.
pub(crate) fn handle_not_found(moment: &Moment<'_>) -> Option<Explanation> {
    let answer = answers(moment).find(|answer| answer.text.contains(NOT_LISTED))?;
    if moment.elapsed < LISTED {
        return None;
    }
    let driver = moment.subject.driver_in_words();
    let fix = "Update the driver, or give its VolumeSnapshotClass the secret that listing takes (csi.storage.k8s.io/snapshotter-list-secret-name). \
               Until then restore from the VolumeSnapshot itself: a backup product that creates a VolumeSnapshotContent for the handle cannot.";
    let explanation = shown_by(&answer, &CHECK, moment, "the driver does not find the snapshot by its handle")
        .cause(format!("{driver} says that it lists snapshots (LIST_SNAPSHOTS), and does not list this one"));
    Some(with_sidecar_log(explanation, moment, Fix::text(fix)))
}

/// A restored volume that is to be made on another node than the one that may hold the snapshot: why that is likely to be the cause, and
/// what shows it.
pub(crate) fn on_another_node(moment: &Moment<'_>) -> Option<(String, Vec<Evidence>)> {
    if moment.step != StepId::Restore {
        return None;
    }
    let claim = moment.unbound_claim()?;
    let node = claim.metadata.annotations.get(SELECTED_NODE)?;
    let selected = selected_node(moment, claim, node);
    let content = moment.volume_snapshot_content();
    let holder = content.and_then(|content| Some((content, content.metadata.labels.get(MANAGED_BY)?)));
    if let Some((content, holder)) = holder {
        let path = format!("metadata.labels[{MANAGED_BY}]");
        let held = Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, &path, holder.as_str());
        return (holder != node).then(|| {
            (
                format!("likely: the snapshot lies on node {holder}, and the volume is to be made on {node}"),
                vec![held, selected],
            )
        });
    }
    on_each_node(moment, node, selected)
}

/// The same where the driver's refusal names the node on which the source was in use: it has a room of its own on each.
pub(crate) fn named_node(moment: &Moment<'_>, refusal: &str) -> Option<(String, Vec<Evidence>)> {
    let holder = moment.chain.source_node.as_deref()?;
    let claim = moment.unbound_claim().filter(|_| moment.step == StepId::Restore)?;
    let node = claim.metadata.annotations.get(SELECTED_NODE).filter(|node| *node != holder)?;
    let is_part_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let names_it = refusal.split(|c| !is_part_of_name(c)).any(|word| word.trim_end_matches('.') == holder);
    names_it.then(|| {
        let what = match moment.subject.origin {
            Origin::VolumeSnapshot => "snapshot",
            Origin::Volume => "source",
        };
        let cause = format!("likely: the {what} lies on node {holder}, and the volume is to be made on {node}");
        (cause, vec![selected_node(moment, claim, node)])
    })
}

fn selected_node(moment: &Moment<'_>, claim: &PersistentVolumeClaim, node: &str) -> Evidence {
    let path = format!("metadata.annotations[{SELECTED_NODE}]");
    Evidence::namespaced(Kind::PERSISTENT_VOLUME_CLAIM.name, moment.namespace(), &claim.metadata.name, &path, node)
}

/// Drivers with a csi-snapshotter on each node keep snapshots there.
fn on_each_node(moment: &Moment<'_>, node: &str, selected: Evidence) -> Option<(String, Vec<Evidence>)> {
    let driver = moment.subject.driver.as_deref()?;
    let sidecars = sidecars(moment.facts, is_csi_snapshotter);
    let on_each = sidecars.iter().find(|sidecar| {
        sidecar.drivers.iter().any(|known| known == driver) && is_on(sidecar.running.container, "node-deployment")
    })?;
    let seen = on_each.running.evidence("spec.template.spec.containers[].args", "--node-deployment");
    Some((
        format!(
            "likely: driver {driver} keeps a snapshot on the node of its volume, and the volume is to be made on {node}"
        ),
        vec![seen, selected],
    ))
}
