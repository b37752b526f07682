//! Whether a backup's `VolumeSnapshots` carry labels by which a `GitOps` tool prunes objects that it does not know.

use std::collections::BTreeSet;

use crate::knowledge::snapshots::seen;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::Metadata;
use crate::model::need::Need;
use crate::text::words::{list, plural};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR526",
    slug: "snapshots-kept-by-gitops",
    title: "No backup's VolumeSnapshot carries the labels of a GitOps tool",
    group: Group::Snapshots,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshots],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// What Velero writes on each of its snapshots.
const OF_VELERO: &str = "velero.io/backup-name";
/// By which the tools know what is theirs to prune: Argo CD's default tracking label of its own, Flux's Kustomizations.
const TRACKED: [&str; 2] = ["argocd.argoproj.io/instance", "kustomize.toolkit.fluxcd.io/name"];
/// So many are shown.
const SHOWN: usize = 3;

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(snapshots) = facts.volume_snapshots.seen() else { return };
    let tracked = |metadata: &Metadata| {
        let by = TRACKED.into_iter().find(|label| metadata.labels.contains_key(*label))?;
        metadata.labels.contains_key(OF_VELERO).then_some(by)
    };
    let found: Vec<(&Metadata, &str)> =
        snapshots.iter().filter_map(|one| Some((&one.metadata, tracked(&one.metadata)?))).collect();
    if found.is_empty() {
        findings.pass("none does");
        return;
    }
    let verb = if found.len() == 1 { "carries" } else { "carry" };
    let labels: BTreeSet<&str> = found.iter().map(|(_, label)| *label).collect();
    let message =
        format!("{} of Velero {verb} a GitOps tool's label: {}", plural(found.len(), "VolumeSnapshot"), list(labels));
    let mut finding = Finding::new(Status::Warn, message);
    for (metadata, label) in found.iter().take(SHOWN) {
        let value = metadata.labels.get(*label).map(String::as_str).unwrap_or_default();
        finding = finding.evidence(seen(metadata, &format!("metadata.labels[{label}]"), value));
    }
    findings.push(
        finding
            .cause("Velero copies the labels of a claim to its snapshot. A GitOps tool that prunes may take the snapshot for an object of its own that is no longer in the repository, and delete it while the backup runs.")
            .fix(
                Fix::text("Have the tool track its objects by annotation, or not prune VolumeSnapshots.")
                    .command(kubectl("get volumesnapshots -A --show-labels")),
            ),
    );
}
