//! Whether the objects of backup products, and claims for them, name `VolumeSnapshotClasses` that exist and fit, or find a default.

mod naming;

use std::collections::BTreeMap;

use crate::knowledge::classes::choose::{Choice, choose_snapshot_class};
use crate::knowledge::volumes::volume::{Claimed, claimed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::model::need::Need;
use crate::products::product_objects_find_classes::naming::{Naming, Wish, namings};
use crate::products::{asked, cannot_see_which};
use crate::text::words::{list, plural};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR602",
    slug: "product-objects-find-classes",
    title: "Objects of backup products name VolumeSnapshotClasses that exist",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshotClasses, Need::ProductObjects],
    uses: &[Need::Workloads, Need::PersistentVolumeClaims, Need::PersistentVolumes, Need::StorageClasses],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.volume_snapshot_classes.seen() else { return };
    if facts.for_products.is_empty() {
        findings.skip("no backup product was named: --for velero, or --for auto");
        return;
    }
    if cannot_see_which(facts) {
        findings.unknown("which backup products are installed could not be seen: name them, as in --for velero");
        return;
    }
    let claims = claimed(facts);
    let mut said = false;
    for product in asked(facts) {
        let mut namings = Vec::new();
        for unseen in self::namings(facts, product, claims.as_deref(), &mut namings) {
            said = true;
            findings.push(unseen);
        }
        if !namings.is_empty() {
            said = true;
            judge(product.word, &namings, classes, claims.as_deref(), findings);
        }
    }
    if !said {
        findings.skip("no object of these products names a class, or takes snapshots without naming one");
    }
}

/// What is wrong with an object, in words that objects with the same fault share.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Missing {
        class: String,
    },
    OtherDriver {
        class: String,
        driver: String,
        wanted: String,
    },
    /// `certain` where the object names its claim; one that chooses claims in another way may choose none of this driver.
    NoDefault {
        driver: String,
        certain: bool,
    },
    PassedOver {
        class: String,
        wanted: String,
    },
}

fn judge(
    word: &str,
    namings: &[Naming<'_>],
    classes: &[VolumeSnapshotClass],
    claims: Option<&[Claimed<'_>]>,
    findings: &mut Findings,
) {
    let mut faults: BTreeMap<Fault, Vec<&Naming<'_>>> = BTreeMap::new();
    let mut unknown: Vec<&Naming<'_>> = Vec::new();
    for naming in namings {
        match fault(naming, classes, claims) {
            Some(Ok(fault)) => faults.entry(fault).or_default().push(naming),
            Some(Err(())) => unknown.push(naming),
            None => {}
        }
    }
    let bad: usize = faults.values().map(Vec::len).sum();
    for (fault, namings) in faults {
        findings.push(told(word, &fault, &namings));
    }
    let places = |namings: &[&Naming<'_>]| list(namings.iter().map(|naming| naming.place.as_str()));
    if let [first, ..] = unknown.as_slice() {
        findings.push(
            Finding::new(
                Status::Unknown,
                format!(
                    "whether a default class is there for {} {} cannot be told: their claims were not read",
                    first.kind,
                    places(&unknown)
                ),
            )
            .target(format!("{word} default")),
        );
    }
    let good = namings.len() - bad - unknown.len();
    if good > 0 {
        findings.push(
            Finding::new(
                Status::Pass,
                format!("{} of {word} {} a class", plural(good, "object"), if good == 1 { "finds" } else { "find" }),
            )
            .target(word),
        );
    }
}

/// What is wrong with one; `Err` if that cannot be told.
fn fault(
    naming: &Naming<'_>,
    classes: &[VolumeSnapshotClass],
    claims: Option<&[Claimed<'_>]>,
) -> Option<Result<Fault, ()>> {
    let own = |claim: &&Claimed<'_>| {
        claim.namespace() == naming.namespace && naming.claim.is_none_or(|name| claim.claim.metadata.name == name)
    };
    let drivers = || claims.map(|claims| claims.iter().filter(own).filter_map(Claimed::driver).collect::<Vec<&str>>());
    let known = |name: &str| classes.iter().find(|class| class.metadata.name == name);
    match &naming.wish {
        Wish::Class(name) => match known(name) {
            None => Some(Ok(Fault::Missing { class: (*name).to_owned() })),
            Some(class) => {
                naming.claim?;
                let wanted = drivers()?.into_iter().find(|driver| *driver != class.driver)?;
                Some(Ok(Fault::OtherDriver {
                    class: (*name).to_owned(),
                    driver: class.driver.clone(),
                    wanted: wanted.to_owned(),
                }))
            }
        },
        Wish::Preferred { class: name, driver } => {
            let fits = known(name).is_some_and(|class| class.driver.eq_ignore_ascii_case(driver));
            (!fits).then(|| Ok(Fault::PassedOver { class: (*name).to_owned(), wanted: driver.clone() }))
        }
        Wish::Default => {
            let Some(drivers) = drivers() else { return Some(Err(())) };
            let without =
                drivers.into_iter().find(|driver| !matches!(choose_snapshot_class(classes, driver), Choice::One(_)))?;
            Some(Ok(Fault::NoDefault { driver: without.to_owned(), certain: naming.claim.is_some() }))
        }
    }
}

fn told(word: &str, fault: &Fault, namings: &[&Naming<'_>]) -> Finding {
    let kind = namings.first().map_or("", |naming| naming.kind);
    let who = format!("{kind} {}", list(namings.iter().map(|naming| naming.place.as_str())));
    let (status, target, message, cause, fix) = match fault {
        Fault::Missing { class } => (
            Status::Fail,
            class,
            format!("VolumeSnapshotClass {class} does not exist; {who} of {word} names it"),
            "A snapshot of a class that does not exist never becomes ready.",
            "Name a class that exists, or create it.",
        ),
        Fault::OtherDriver { class, driver, wanted } => (
            Status::Fail,
            class,
            format!(
                "VolumeSnapshotClass {class} is of {driver}, and the volumes are of {wanted}; {who} of {word} names it"
            ),
            "The snapshot-controller refuses a class of another driver.",
            "Name a class of the volumes' driver.",
        ),
        Fault::NoDefault { driver, certain } => (
            if *certain { Status::Fail } else { Status::Warn },
            driver,
            format!("{driver} has not exactly one default VolumeSnapshotClass; {who} of {word} names none"),
            "A snapshot that names no class takes the default one of its volume's driver.",
            "Name a class in the object, or make one the default.",
        ),
        Fault::PassedOver { class, wanted } => (
            Status::Warn,
            class,
            format!("VolumeSnapshotClass {class} is not one of {wanted}, and is passed over; {who} of {word} names it"),
            "Velero writes that to its debug log only, and takes a class by its other rules.",
            "Name a class of the volumes' driver.",
        ),
    };
    let finding = Finding::new(status, message)
        .target(format!("{word} {target}"))
        .cause(cause)
        .fix(Fix::text(fix).command(kubectl("get volumesnapshotclasses")));
    namings.iter().take(5).fold(finding, |finding, naming| {
        finding.evidence(Evidence {
            namespace: Some(naming.namespace.to_owned()),
            ..Evidence::cluster(naming.kind, naming.name, naming.field, naming.wish.text())
        })
    })
}
