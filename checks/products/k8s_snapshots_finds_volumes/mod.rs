//! Whether k8s-snapshots has anything to back up.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::Metadata;
use crate::model::need::Need;
use crate::products::asked_about;
use crate::products::k8s_snapshots::{DELTAS, PRODUCT};
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR617",
    slug: "k8s-snapshots-finds-volumes",
    title: "Volumes have the annotation that k8s-snapshots looks for",
    group: Group::Products,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::PersistentVolumeClaims, Need::PersistentVolumes],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    if asked_about(facts, &PRODUCT, |product| *product == PRODUCT, findings).is_none() {
        return;
    }
    let (Some(claims), Some(volumes)) = (facts.persistent_volume_claims.seen(), facts.persistent_volumes.seen()) else {
        return;
    };
    let claims = claims.iter().map(|claim| ("PersistentVolumeClaim", &claim.metadata));
    let volumes = volumes.iter().map(|volume| ("PersistentVolume", &volume.metadata));
    let marked: Vec<(&str, &Metadata, &String)> = claims
        .chain(volumes)
        .filter_map(|(kind, metadata)| Some((kind, metadata, metadata.annotations.get(DELTAS)?)))
        .collect();
    for (kind, metadata, value) in &marked {
        if !are_durations(value) {
            let evidence = Evidence {
                namespace: metadata.namespace.clone(),
                ..Evidence::cluster(kind, &metadata.name, &format!("metadata.annotations.{DELTAS}"), value.as_str())
            };
            findings.push(
                Finding::new(
                    Status::Warn,
                    format!("{kind} {} has {DELTAS}={value}, which are no durations", metadata.name),
                )
                .target(format!("{kind} {}", metadata.name))
                .evidence(evidence)
                .cause("k8s-snapshots reads ISO 8601 durations, the shortest first: PT1H P2D P30D.")
                .fix(Fix::text("Write durations into the annotation.").command(kubectl("get pv,pvc -A"))),
            );
        }
    }
    let good = marked.iter().filter(|(_, _, value)| are_durations(value)).count();
    match (marked.len(), good) {
        (0, _) => findings.push(
            Finding::new(
                Status::Warn,
                format!("k8s-snapshots backs up nothing: no claim and no volume has annotation {DELTAS}"),
            )
            .evidence(Evidence::cluster("PersistentVolume", "all", "metadata.annotations", format!("no {DELTAS}")))
            .cause("It takes the volumes with the annotation, and those that a SnapshotRule names.")
            .fix(
                Fix::text("Annotate the claims that it is to back up.")
                    .command(kubectl("annotate pvc CLAIM -n NAMESPACE").word(format!("{DELTAS}=PT1H P2D P30D P180D"))),
            ),
        ),
        (_, 0) => {}
        _ => findings.pass(format!("{} with {DELTAS}", plural(good, "object"))),
    }
}

/// Whether a text is a list of ISO 8601 durations.
fn are_durations(text: &str) -> bool {
    let is_one = |word: &str| {
        word.strip_prefix('P').is_some_and(|rest| {
            !rest.is_empty()
                && rest.chars().all(|c| c.is_ascii_digit() || "YMWDTHS.".contains(c))
                && rest.ends_with(|c: char| c.is_ascii_uppercase())
        })
    };
    let mut words = text.split_ascii_whitespace().peekable();
    words.peek().is_some() && words.all(is_one)
}
