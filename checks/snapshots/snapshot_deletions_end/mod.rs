//! Whether deletions of `VolumeSnapshots` and `VolumeSnapshotContents` end, and who is to remove what keeps them.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::knowledge::finalizers::owner;
use crate::knowledge::snapshots::{NO_SIDECAR_WORKS, age, contents, in_words};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::{Command, kubectl};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::{Metadata, SnapshotError};
use crate::model::need::Need;
use crate::moment::grpc::Code;
use crate::moment::line;
use crate::text::names::is_object_name;
use crate::text::words::{plural, upper};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR522",
    slug: "snapshot-deletions-end",
    title: "No deletion of a snapshot has been waiting",
    group: Group::Snapshots,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshots, Need::VolumeSnapshotContents, Need::PersistentVolumeClaims],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// A driver that works deletes within seconds; csi-snapshotter repeats what failed after at most five minutes.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// So many are shown of those that are kept by one finalizer.
const SHOWN: usize = 3;
/// What the snapshot-controller sets on a claim while a snapshot of it is taken.
const AS_SOURCE: &str = "snapshot.storage.kubernetes.io/pvc-as-source-protection";

/// What the snapshot-controller sets on a content, and the csi-snapshotter removes.
const OF_SIDECAR: &str = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";

/// An object whose deletion does not end.
struct Stuck<'a> {
    kind: &'static str,
    metadata: &'a Metadata,
    /// Of a content: what the last attempt to delete its snapshot came to.
    error: Option<&'a SnapshotError>,
    /// Of a content.
    driver: Option<&'a str>,
}

fn run(facts: &Facts, findings: &mut Findings) {
    let stuck = stuck(facts);
    let mut groups: BTreeMap<(&str, &str, Option<&str>), Vec<&Stuck<'_>>> = BTreeMap::new();
    for one in &stuck {
        let finalizers = one.metadata.finalizers.iter().map(String::as_str);
        for finalizer in finalizers.filter(|finalizer| one.kind != "PersistentVolumeClaim" || *finalizer == AS_SOURCE) {
            groups.entry((one.kind, finalizer, one.driver)).or_default().push(one);
        }
    }
    if groups.is_empty() {
        findings.pass("no deletion waits");
    }
    for ((kind, finalizer, driver), members) in groups {
        findings.push(told(facts, kind, finalizer, driver, &members));
    }
}

/// All that are being deleted for too long.
fn stuck(facts: &Facts) -> Vec<Stuck<'_>> {
    let late = |metadata: &Metadata| age(facts, metadata.deletion_timestamp) >= PATIENCE;
    let snapshots = facts.volume_snapshots.seen().into_iter().flatten().map(|snapshot| Stuck {
        kind: "VolumeSnapshot",
        metadata: &snapshot.metadata,
        error: None,
        driver: None,
    });
    let contents = contents(facts).map(|content| Stuck {
        kind: "VolumeSnapshotContent",
        metadata: &content.metadata,
        error: content.status.error.as_ref(),
        driver: Some(&content.spec.driver),
    });
    let claims = facts.persistent_volume_claims.seen().into_iter().flatten();
    let claims = claims.map(|claim| Stuck {
        kind: "PersistentVolumeClaim",
        metadata: &claim.metadata,
        error: None,
        driver: None,
    });
    snapshots.chain(contents).chain(claims).filter(|one| late(one.metadata)).collect()
}

fn told(facts: &Facts, kind: &str, finalizer: &str, driver: Option<&str>, members: &[&Stuck<'_>]) -> Finding {
    let ages = members.iter().map(|one| age(facts, one.metadata.deletion_timestamp));
    let longest = in_words(ages.max().unwrap_or_default());
    let verb = if members.len() == 1 { "has" } else { "have" };
    let (who, what) = owner(finalizer);
    let of_driver = driver.map_or_else(String::new, |driver| format!(" of {driver}"));
    let message = format!(
        "{}{of_driver} {verb} been deleted for up to {longest}, and {verb} finalizer {finalizer}",
        plural(members.len(), kind)
    );
    let mut finding = Finding::new(Status::Warn, line(&message, 400)).target(format!("{kind}{of_driver}: {finalizer}"));
    for one in members.iter().take(SHOWN) {
        finding = finding.evidence(evidence(one, "metadata.deletionTimestamp", deleted_at(one)));
    }
    // The driver's answer, which no other finalizer waits for.
    let by_sidecar = finalizer == OF_SIDECAR;
    let failed = members.iter().find_map(|one| Some((one, one.error?.message.as_deref()?))).filter(|_| by_sidecar);
    let mut cause = format!("{} removes it, and waits for {what}.", upper(who));
    let mut advice = format!(
        "Make {who} run and reach its storage; it then removes the finalizer. Removing it by hand may leave what it protects in the storage."
    );
    if let Some((one, error)) = failed {
        finding = finding.evidence(evidence(one, "status.error.message", line(error, 400)));
        if let Some(code) = Code::find(error) {
            cause = format!("{cause} The last answer: {}.", code.meaning);
            advice = format!("{} {advice}", code.advice);
        }
    }
    if by_sidecar {
        for check in NO_SIDECAR_WORKS {
            finding = finding.follows_from(check, driver);
        }
    }
    let drivers: Vec<String> = driver.map(str::to_owned).into_iter().collect();
    finding.drivers(&drivers).cause(cause).fix(Fix::text(advice).commands(members.first().and_then(|one| get(one))))
}

fn deleted_at(one: &Stuck<'_>) -> String {
    one.metadata.deletion_timestamp.map(|time| time.to_string()).unwrap_or_default()
}

fn evidence(one: &Stuck<'_>, path: &str, value: String) -> Evidence {
    match one.metadata.namespace.as_deref() {
        Some(namespace) => Evidence::namespaced(one.kind, namespace, &one.metadata.name, path, value),
        None => Evidence::cluster(one.kind, &one.metadata.name, path, value),
    }
}

fn get(one: &Stuck<'_>) -> Option<Command> {
    let kind = one.kind.to_ascii_lowercase();
    let describe = match one.metadata.namespace.as_deref() {
        Some(namespace) if is_object_name(namespace) => kubectl("-n").word(namespace).words("describe").word(kind),
        Some(_) => return None,
        None => kubectl("describe").word(kind),
    };
    is_object_name(&one.metadata.name).then(|| describe.word(one.metadata.name.as_str()))
}
