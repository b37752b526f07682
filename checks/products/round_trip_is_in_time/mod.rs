//! Whether snapshot and restore of a round trip took no longer than the backup products wait that were asked about.

use std::cmp::Reverse;

use jiff::SignedDuration;

use crate::knowledge::growth::{Point, extrapolated};
use crate::knowledge::volumes::volume::{Claimed, claimed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::quantity::Quantity;
use crate::products::asked;
use crate::products::product::{Patience, Product};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR620",
    slug: "round-trip-is-in-time",
    title: "Snapshot and restore of the round trip are ready before the backup product gives up",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};

/// How long the plain round trips took that differ in nothing but their size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// What they are about.
    pub label: String,
    /// Their `StorageClass`.
    pub storage_class: String,
    /// Until the snapshot was ready.
    pub snapshots: Vec<Point>,
    /// Until the restored volume was mounted.
    pub restores: Vec<Point>,
}

/// A step that a product gives up on.
struct Step {
    word: &'static str,
    /// What is ready after it.
    done: &'static str,
    of: fn(&Times) -> &[Point],
    patience: fn(&Product, &Facts) -> Option<Patience>,
}

const STEPS: [Step; 2] = [
    Step {
        word: "snapshot",
        done: "the snapshot was ready",
        of: |times| &times.snapshots,
        patience: |product, facts| product.patience.map(|patience| patience(facts)),
    },
    Step {
        word: "restore",
        done: "the restored volume was mounted",
        of: |times| &times.restores,
        patience: |product, facts| product.restore_patience.and_then(|patience| patience(facts)),
    },
];

/// A finding for each product and step of which a limit is known and a time was measured.
#[must_use]
pub fn in_time(facts: &Facts, measured: &[Times]) -> Vec<Finding> {
    let claims = claimed(facts).unwrap_or_default();
    let mut findings = Vec::new();
    for product in asked(facts) {
        for step in &STEPS {
            let patience = (step.patience)(product, facts);
            let judged = patience.and_then(|patience| judge(product, step, patience, measured, &claims));
            findings.extend(judged.map(|finding| finding.target(format!("{} {}", product.word, step.word))));
        }
    }
    findings
}

/// What a step comes to with the largest claim of a `StorageClass`, reckoned from what was measured.
struct Reckoned<'a> {
    claim: &'a Claimed<'a>,
    took: SignedDuration,
}

fn judge(
    product: &Product,
    step: &Step,
    Patience { limit, set_by }: Patience,
    measured: &[Times],
    claims: &[Claimed<'_>],
) -> Option<Finding> {
    let mut points: Vec<(&Times, Point)> =
        measured.iter().flat_map(|times| (step.of)(times).iter().map(move |point| (times, *point))).collect();
    points.sort_by_key(|(_, point)| Reverse(point.milliseconds));
    let (_, slowest) = points.first()?;
    let largest = points.iter().map(|(_, point)| point.bytes).max()?;
    let name = product.name;
    let (done, longest) = (step.done, shown(duration(slowest.milliseconds)));
    let with = format!("with volumes of up to {}", Quantity(largest));
    let raise = |what: &str| Fix::text(format!("The limit is set by {set_by}. Raise it, or {what}."));
    let seen = |finding: Finding, late: &dyn Fn(SignedDuration) -> bool| {
        let late = points.iter().filter(|(_, point)| late(duration(point.milliseconds)));
        late.take(SHOWN).fold(finding, |finding, (times, point)| {
            let took = format!("{} of {}", shown(duration(point.milliseconds)), Quantity(point.bytes));
            finding.evidence(Evidence::cluster(
                "StorageClass",
                &times.storage_class,
                &format!("round trip, {}", step.word),
                took,
            ))
        })
    };
    if duration(slowest.milliseconds) > limit {
        let message = format!("{done} after {longest} {with}; {name} gives up after {limit:#}");
        let finding = Finding::new(Status::Fail, message)
            .cause("The storage takes longer than the product waits: backups fail, or cannot be restored.")
            .fix(raise("find out why the storage takes so long").command(kubectl("get storageclasses")));
        return Some(seen(finding, &|took| took > limit));
    }
    let reckoned = measured.iter().filter_map(|times| reckon((step.of)(times), &times.storage_class, claims));
    let worst = reckoned.max_by_key(|reckoned| reckoned.took);
    let of_claim = |reckoned: &Reckoned<'_>| {
        let (namespace, claim) = (reckoned.claim.namespace(), &reckoned.claim.claim.metadata.name);
        let size = Quantity(reckoned.claim.bytes());
        format!("the {size} of {namespace}/{claim} would take about {}", shown(reckoned.took))
    };
    let measured = format!("{done} after {longest} at most {with}");
    Some(match worst {
        Some(worst) if worst.took > limit => {
            let message = format!("{measured}, and {}; {name} gives up after {limit:#}", of_claim(&worst));
            let size = Quantity(worst.claim.bytes()).to_string();
            let finding = Finding::new(Status::Warn, message)
                .evidence(worst.claim.evidence("size", size))
                .cause("The time grows with the size of the volume. It was reckoned for this claim, not measured.")
                .fix(
                    raise("keep such volumes on a storage that does not copy them")
                        .command(kubectl("get persistentvolumeclaims -A")),
                );
            seen(finding, &|_| true)
        }
        worst => {
            let reckoned = worst.map(|worst| format!(", and {}", of_claim(&worst))).unwrap_or_default();
            Finding::new(Status::Pass, format!("{measured}{reckoned}; {name} gives up after {limit:#}"))
        }
    })
}

/// So many times are shown.
const SHOWN: usize = 3;

/// The largest claim of a `StorageClass`, where the time is known to grow with the size.
fn reckon<'a>(points: &[Point], storage_class: &str, claims: &'a [Claimed<'a>]) -> Option<Reckoned<'a>> {
    let of_class = claims.iter().filter(|claim| claim.class_name() == Some(storage_class));
    let claim = of_class.max_by_key(|claim| claim.bytes())?;
    Some(Reckoned { claim, took: duration(extrapolated(points, claim.bytes())?) })
}

fn duration(milliseconds: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// To a tenth of a second below a minute, else to the second.
fn shown(duration: SignedDuration) -> String {
    let unit = if duration < SignedDuration::from_mins(1) { 100 } else { 1_000 };
    let whole = duration.as_millis() / unit * unit;
    format!("{:#}", SignedDuration::from_millis(i64::try_from(whole).unwrap_or(i64::MAX)))
}
