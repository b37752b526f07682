//! Velero.

pub mod server;

use crate::knowledge::version::Version;
use crate::model::facts::Facts;
use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::{first, names, takes};
use crate::products::velero::server::{Server, servers};

/// The mark of a class.
pub const KEY: &str = "velero.io/csi-volumesnapshot-class";

/// Velero as its makers ship it.
pub const PRODUCT: Product = Product {
    word: "velero",
    name: "Velero",
    source: "vmware-tanzu/velero pkg/util/csi/volume_snapshot.go",
    images: &["velero"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Mark(KEY) },
    expires: false,
    patience: Some(server::patience),
    restore_patience: Some(server::restore_patience),
    rehearsals: rehearsal::ANYWHERE,
    kinds: &[&BACKUP_STORAGE_LOCATION, &SCHEDULE],
};

/// Where backups go.
pub const BACKUP_STORAGE_LOCATION: ProductKind = ProductKind::new(
    "velero.io",
    &["v1"],
    "BackupStorageLocation",
    "backupstoragelocations",
    &["spec.default", "spec.accessMode", "status.phase", "status.message"],
);

/// Where a Schedule's namespaces stand; none is all.
pub(super) const INCLUDED: &str = "spec.template.includedNamespaces.*";
/// Where the namespaces stand that it leaves out.
pub(super) const EXCLUDED: &str = "spec.template.excludedNamespaces.*";
/// Where the `ConfigMap` of its volume policy stands.
pub(super) const VOLUME_POLICY: &str = "spec.template.resourcePolicy.name";
/// Where it selects objects by their labels.
pub(super) const SELECTORS: [&str; 3] = [
    "spec.template.labelSelector.matchLabels.*",
    "spec.template.labelSelector.matchExpressions.*.key",
    "spec.template.orLabelSelectors.*.matchLabels.*",
];

/// What is backed up when, and how.
pub const SCHEDULE: ProductKind = ProductKind {
    annotations: &["velero.io/csi-"],
    ..ProductKind::new(
        "velero.io",
        &["v1"],
        "Schedule",
        "schedules",
        &[
            "spec.paused",
            "spec.template.snapshotMoveData",
            "spec.template.snapshotVolumes",
            "spec.template.defaultVolumesToFsBackup",
            "spec.template.csiSnapshotTimeout",
            INCLUDED,
            EXCLUDED,
            VOLUME_POLICY,
            SELECTORS[0],
            SELECTORS[1],
            SELECTORS[2],
        ],
    )
};

/// Whether a product is Velero, or has it inside.
#[must_use]
pub fn is_inside(product: &Product) -> bool {
    matches!(product.classes, Classes::Chosen { remedy: Remedy::Mark(KEY), .. })
}

/// The first release that takes the only class of a driver.
const ONLY_CLASS: Version = Version::new(1, 14, 0);
/// The first release that reads the annotation of the default class.
const DEFAULT_CLASS: Version = Version::new(1, 17, 0);

/// What is known of the release.
enum Release {
    /// These run.
    Seen(Vec<Version>),
    /// None runs, as far as can be seen: a new one would be installed.
    Newest,
    /// One runs, or may run, that does not tell.
    Hidden,
}

fn release(facts: &Facts) -> Release {
    let servers = servers(facts);
    if servers.is_empty() {
        let may_run = facts.workloads.seen().is_none_or(|workloads| {
            workloads.iter().any(|workload| server::may_be_velero(&workload.spec.template.spec))
        });
        return if may_run { Release::Hidden } else { Release::Newest };
    }
    let mut versions: Vec<Version> = servers.iter().filter_map(Server::version).collect();
    if versions.len() < servers.len() {
        return Release::Hidden;
    }
    versions.sort();
    versions.dedup();
    Release::Seen(versions)
}

/// Which class Velero takes, by the rule of the releases that run.
pub(super) fn choose(question: &Question<'_>) -> Answer {
    let release = release(question.facts);
    let is_hidden = matches!(release, Release::Hidden);
    let (who, versions): (String, Vec<Version>) = match release {
        Release::Seen(versions) => match versions.as_slice() {
            [version] => (format!("Velero {version}"), versions),
            _ => ("Velero".to_owned(), versions),
        },
        Release::Newest => ("Velero 1.17 or later, which is assumed,".to_owned(), vec![DEFAULT_CLASS]),
        Release::Hidden => (
            "Velero, whose release cannot be seen,".to_owned(),
            vec![Version::new(1, 13, 0), ONLY_CLASS, DEFAULT_CLASS],
        ),
    };
    let mut outcomes: Vec<Outcome> = versions.iter().map(|version| of(*version, question)).collect();
    let key = |outcome: &Outcome| match outcome {
        Outcome::Takes { class, .. } => format!("takes {class}"),
        Outcome::Ambiguous { .. } => "takes one of several".to_owned(),
        _ => "finds none".to_owned(),
    };
    let keys: Vec<String> = outcomes.iter().map(key).collect();
    if keys.iter().all(|key| Some(key) == keys.first()) {
        return Answer { who: Some(who), outcome: outcomes.swap_remove(0) };
    }
    let each: Vec<String> = versions.iter().zip(keys).map(|(version, key)| format!("{version} {key}")).collect();
    let why = each.join("; ");
    let outcome = if is_hidden { Outcome::Unknown { why } } else { Outcome::nothing(why) };
    Answer { who: Some(who), outcome }
}

/// The label whatever its value; from 1.17 the annotation of the default whatever its value; from 1.14 the only class of the driver.
fn of(version: Version, question: &Question<'_>) -> Outcome {
    let (driver, own) = (question.driver(), question.own());
    if let Some(outcome) = question.by_mark(KEY) {
        return outcome;
    }
    let annotated = question.annotated();
    if version >= DEFAULT_CLASS && !annotated.is_empty() {
        return first(&annotated, "the annotation of the default class");
    }
    match own.as_slice() {
        [class] if version >= ONLY_CLASS => takes(class, "the only class of the driver"),
        [] => Outcome::nothing(format!("no class has driver {driver}")),
        _ => Outcome::nothing(format!(
            "\"failed to get VolumeSnapshotClass for provisioner {driver}\": of {} none has label {KEY}",
            names(&own),
        )),
    }
}

#[cfg(test)]
mod tests;
