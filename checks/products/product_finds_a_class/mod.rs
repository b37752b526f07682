//! Which `VolumeSnapshotClass` each product that was asked about takes for the volumes of each `StorageClass`.

use crate::knowledge::classes::choose::{DEFAULT_SNAPSHOT_CLASS, classes_of};
use crate::knowledge::classes::marks::{Mark, Place};
use crate::knowledge::drivers::registered::is_in_tree;
use crate::knowledge::drivers::table::known_driver;
use crate::knowledge::products::simulate::{Outcome, simulate};
use crate::knowledge::products::table::{Product, Rule};
use crate::knowledge::products::velero::{Server, servers};
use crate::knowledge::version::Version;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::{Command, kubectl};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::{StorageClass, VolumeSnapshotClass};
use crate::model::need::Need;
use crate::text::names::{is_object_name, safe};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR601",
    slug: "product-finds-a-class",
    title: "The backup product finds a VolumeSnapshotClass for each StorageClass",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::StorageClasses, Need::VolumeSnapshotClasses],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let (Some(storage), Some(classes)) = (facts.storage_classes.seen(), facts.volume_snapshot_classes.seen()) else {
        return;
    };
    let products = Product::asked(facts);
    if products.is_empty() {
        findings.skip(if facts.for_products.is_empty() {
            "no backup product was named: --for velero, or --for auto"
        } else {
            "no backup product that snapready knows is visible"
        });
        return;
    }
    for product in products {
        let (version, known) = version(facts, &product);
        if product.rule == Rule::None {
            findings.push(
                Finding::new(Status::Skip, format!("{} takes no CSI snapshots: {}", product.name, product.key))
                    .target(product.word),
            );
            continue;
        }
        for class in storage {
            let target = format!("{} {}", product.word, class.metadata.name);
            findings.push(look(&product, version, &known, class, classes).target(target));
        }
        if storage.is_empty() {
            findings.push(Finding::new(Status::Skip, "there is no StorageClass").target(product.word));
        }
    }
}

/// Velero's version, and in words what was assumed.
fn version(facts: &Facts, product: &Product) -> (Option<Version>, String) {
    if product.rule != Rule::Velero {
        return (None, String::new());
    }
    let versions: Vec<Version> = servers(facts).iter().filter_map(Server::version).collect();
    match versions.iter().min() {
        Some(version) => (Some(*version), format!(" {version}")),
        None => (None, " 1.17 or later, which is assumed,".to_owned()),
    }
}

fn look(
    product: &Product,
    version: Option<Version>,
    known: &str,
    storage: &StorageClass,
    classes: &[VolumeSnapshotClass],
) -> Finding {
    let driver = storage.provisioner.as_str();
    let name = &storage.metadata.name;
    if is_in_tree(driver) || known_driver(driver).is_some_and(|known| known.snapshots == Some(false)) {
        return Finding::new(Status::Skip, format!("{driver} has no CSI snapshots"));
    }
    let seen = |finding: Finding| {
        let own = classes_of(classes, driver);
        let marks = own.iter().map(|class| {
            Evidence::cluster(
                "VolumeSnapshotClass",
                &class.metadata.name,
                "labels and annotations",
                marks(class, product),
            )
        });
        let finding = finding.evidence(Evidence::cluster("StorageClass", name, "provisioner", driver));
        marks.take(5).fold(finding, Finding::evidence)
    };
    let who = format!("{}{known}", product.name);
    match simulate(product, version, storage, classes) {
        Outcome::Takes { class, why } => seen(Finding::new(Status::Pass, format!("{who} takes {class} ({why})"))),
        Outcome::Names { why } | Outcome::NoSnapshots { why } => Finding::new(Status::Skip, why),
        Outcome::Ambiguous { class, why } => seen(
            Finding::new(Status::Warn, format!("{who} takes {class} now, and another tomorrow: {why}"))
                .cause("The product does not compare them; which one is first depends on their names.")
                .fix(
                    Fix::text("Leave the mark on one class of the driver.")
                        .commands(unmark(product, classes, driver, &class)),
                ),
        ),
        Outcome::Creates { why } => seen(
            Finding::new(Status::Warn, format!("{who} finds no class: {why}"))
                .cause("A class without parameters names no secret and no pool: Ceph, HPE and others refuse it.")
                .fix(mark(product, classes, driver)),
        ),
        Outcome::Nothing { why } => seen(
            Finding::new(Status::Fail, format!("{who} finds no class: {why}"))
                .cause("It fails, or leaves the volumes of this StorageClass out.")
                .fix(mark(product, classes, driver))
                .follows_from("SR211", Some(driver)),
        ),
    }
}

/// What of a class the product may read.
fn marks(class: &VolumeSnapshotClass, product: &Product) -> String {
    let at = |place: Place, key: &str| {
        place.value(&class.metadata, key).map(|value| format!("{} {key}={value}", place.word()))
    };
    let found: Vec<String> = [
        at(Place::Label, product.key),
        at(Place::Annotation, product.key),
        at(Place::Annotation, DEFAULT_SNAPSHOT_CLASS),
    ]
    .into_iter()
    .flatten()
    .collect();
    if found.is_empty() { "none that counts".to_owned() } else { found.join(", ") }
}

/// The line that makes a class the one that is taken.
fn mark(product: &Product, classes: &[VolumeSnapshotClass], driver: &str) -> Fix {
    let mut own = classes_of(classes, driver);
    own.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    let Some(class) = own.first().map(|class| class.metadata.name.as_str()).filter(|name| is_object_name(name)) else {
        return Fix::text(format!("Create a VolumeSnapshotClass for {driver}, with what {} looks for.", product.name))
            .command(kubectl("get volumesnapshotclasses"));
    };
    if let Some(mark) = Mark::with_key(product.key) {
        let set = mark.place.verb().words("volumesnapshotclass").word(class).word(format!("{}=true", mark.key));
        return Fix::text("Mark the class that it is to take.").command(set);
    }
    if product.rule == Rule::Longhorn {
        return Fix::text(
            "Create a VolumeSnapshotClass of Longhorn with parameter type: bak, and set Longhorn's backup target.",
        )
        .command(kubectl("get volumesnapshotclasses"));
    }
    Fix::text(format!("Make one class of {driver} the default."))
        .command(kubectl("annotate volumesnapshotclass").word(class).word(format!("{DEFAULT_SNAPSHOT_CLASS}=true")))
}

fn unmark(product: &Product, classes: &[VolumeSnapshotClass], driver: &str, kept: &str) -> Vec<Command> {
    let Some(mark) = Mark::with_key(product.key) else {
        return vec![
            kubectl("annotate volumesnapshotclass")
                .word(safe(kept, "CLASS"))
                .word(format!("{DEFAULT_SNAPSHOT_CLASS}=true")),
        ];
    };
    let own = classes_of(classes, driver);
    let has = own.iter().filter(|class| mark.place.value(&class.metadata, mark.key).is_some());
    let others = has.map(|class| class.metadata.name.as_str()).filter(|name| *name != kept && is_object_name(name));
    others.take(5).map(|name| mark.place.remove(name, mark.key)).collect()
}
