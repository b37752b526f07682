//! Which `VolumeSnapshotClass` each product that was asked about takes for the volumes of each `StorageClass`.

mod remedy;

use crate::knowledge::classes::choose::{DEFAULT_SNAPSHOT_CLASS, classes_of};
use crate::knowledge::classes::marks::{Mark, Place};
use crate::knowledge::drivers::registered::is_in_tree;
use crate::knowledge::drivers::table::known_driver;
use crate::knowledge::volumes::volume::{Claimed, claimed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::model::need::Need;
use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::{asked, cannot_see_which};
use crate::text::words::{list, plural};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR601",
    slug: "product-finds-a-class",
    title: "The backup product finds a VolumeSnapshotClass for each StorageClass",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::StorageClasses, Need::VolumeSnapshotClasses],
    uses: &[Need::Workloads, Need::ProductObjects, Need::PersistentVolumeClaims, Need::PersistentVolumes],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let (Some(storage), Some(classes)) = (facts.storage_classes.seen(), facts.volume_snapshot_classes.seen()) else {
        return;
    };
    let products = asked(facts);
    let claims = claimed(facts).unwrap_or_default();
    if cannot_see_which(facts) {
        findings.unknown("which backup products are installed could not be seen: name them, as in --for velero");
    } else if products.is_empty() {
        findings.skip(if facts.for_products.is_empty() {
            "no backup product was named: --for velero, or --for auto"
        } else {
            "no backup product that snapready knows is visible"
        });
    }
    for product in products {
        let (by, remedy) = match product.classes {
            Classes::Chosen { by, remedy } => (by, remedy),
            Classes::None(what) => {
                findings.push(
                    Finding::new(Status::Skip, format!("{} takes no CSI snapshots: {what}", product.name))
                        .target(product.word),
                );
                continue;
            }
        };
        // Most often all StorageClasses of a driver come to the same: that is told once.
        let mut told: Vec<(Finding, Vec<&str>)> = Vec::new();
        for class in storage {
            let driver = class.provisioner.as_str();
            let has_none =
                is_in_tree(driver) || known_driver(driver).is_some_and(|known| known.snapshots == Some(false));
            let finding = if has_none {
                Finding::new(Status::Skip, format!("{driver} has no CSI snapshots"))
            } else {
                let question = Question { storage: class, classes, facts };
                judge(product, remedy, &question, by(&question))
            };
            let name = class.metadata.name.as_str();
            match told
                .iter_mut()
                .find(|(known, _)| (known.status, &known.message) == (finding.status, &finding.message))
            {
                Some((_, names)) => names.push(name),
                None => told.push((finding, vec![name])),
            }
        }
        for (mut finding, names) in told {
            finding.message.push_str(&of_claims(&claims, &names));
            findings.push(finding.target(format!("{} {}", product.word, list(names))));
        }
        if storage.is_empty() {
            findings.push(Finding::new(Status::Skip, "there is no StorageClass").target(product.word));
        }
    }
}

/// How many claims are of these `StorageClasses`, where there are any: the answer holds for each that names no class itself.
fn of_claims(claims: &[Claimed<'_>], names: &[&str]) -> String {
    let number = claims.iter().filter(|claim| claim.class_name().is_some_and(|class| names.contains(&class))).count();
    let verb = if number == 1 { "is" } else { "are" };
    let which = if names.len() == 1 { "this StorageClass" } else { "these StorageClasses" };
    if number == 0 { String::new() } else { format!("; {} {verb} of {which}", plural(number, "claim")) }
}

fn judge(product: &Product, remedy: Remedy, question: &Question<'_>, answer: Answer) -> Finding {
    let Question { storage, classes, .. } = question;
    let driver = storage.provisioner.as_str();
    let who = answer.who.unwrap_or_else(|| product.name.to_owned());
    let seen = |finding: Finding| {
        let own = classes_of(classes, driver);
        let marks = own.iter().map(|class| {
            let name = &class.metadata.name;
            Evidence::cluster("VolumeSnapshotClass", name, "labels and annotations", marks(class, remedy))
        });
        let finding =
            finding.evidence(Evidence::cluster("StorageClass", &storage.metadata.name, "provisioner", driver));
        marks.take(5).fold(finding, Finding::evidence)
    };
    match answer.outcome {
        Outcome::Takes { class, why } => match classes.iter().find(|known| known.metadata.name == class) {
            Some(taken) if product.expires && taken.deletion_policy == "Retain" => seen(retains(&who, taken, &why)),
            _ => seen(Finding::new(Status::Pass, format!("{who} takes {class} ({why})"))),
        },
        Outcome::Names { why } | Outcome::NoSnapshots { why } => Finding::new(Status::Skip, why),
        Outcome::Unknown { why } => {
            Finding::new(Status::Unknown, format!("which class {who} takes cannot be told: {why}"))
        }
        Outcome::Ambiguous { class, why } => seen(
            Finding::new(Status::Warn, format!("{who} takes {class} now, which may change: {why}"))
                .cause("The product does not compare them.")
                .fix(
                    Fix::text("Leave the mark on one class of the driver.")
                        .commands(remedy::only(remedy, classes, driver, &class)),
                ),
        ),
        Outcome::SeveralDefaults { why } => seen(
            Finding::new(Status::Warn, format!("{who} finds no default class: {why}"))
                .cause("What names no class gets none: \"default snapshot classes were found\".")
                .fix(
                    Fix::text("Leave one class of the driver the default.")
                        .commands(remedy::only_default(classes, driver)),
                ),
        ),
        Outcome::Creates { why } => seen(
            Finding::new(Status::Warn, format!("{who} finds no class: {why}"))
                .cause("A class without parameters names no secret and no pool: Ceph, HPE and others refuse it.")
                .fix(remedy::one(remedy, product, classes, driver)),
        ),
        Outcome::Nothing { why, fix } => seen(
            Finding::new(Status::Fail, format!("{who} finds no class that it can use: {why}"))
                .cause("It fails, or leaves the volumes of this StorageClass out.")
                .fix(fix.unwrap_or_else(|| remedy::one(remedy, product, classes, driver)))
                .follows_from("SR211", Some(driver)),
        ),
    }
}

/// A class whose snapshots stay in the storage when the product deletes them.
fn retains(who: &str, class: &VolumeSnapshotClass, why: &str) -> Finding {
    let name = class.metadata.name.as_str();
    Finding::new(Status::Warn, format!("{who} takes {name} ({why}), whose deletionPolicy is Retain"))
        .evidence(Evidence::cluster("VolumeSnapshotClass", name, "deletionPolicy", "Retain"))
        .cause("It deletes VolumeSnapshots that have expired; their contents and the snapshots in the storage stay, and pile up.")
        .fix(
            Fix::text("Let it take a class with deletionPolicy: Delete; a class cannot be edited, so create one.")
                .command(kubectl("get volumesnapshotclasses")),
        )
}

/// What of a class the product may read.
fn marks(class: &VolumeSnapshotClass, remedy: Remedy) -> String {
    let at = |place: Place, key: &str| {
        place.value(&class.metadata, key).map(|value| format!("{} {key}={value}", place.word()))
    };
    let key = match remedy {
        Remedy::Mark(key) if Mark::with_key(key).is_some() => key,
        _ => "",
    };
    let found = [at(Place::Label, key), at(Place::Annotation, key), at(Place::Annotation, DEFAULT_SNAPSHOT_CLASS)];
    let found: Vec<String> = found.into_iter().flatten().collect();
    if found.is_empty() { "none that counts".to_owned() } else { found.join(", ") }
}
