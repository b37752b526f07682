//! Whether the round trips did what the backup products do that were asked about.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Fix, Status};
use crate::model::round_trip::DataVerdict;
use crate::products::asked;
use crate::products::product::{Classes, Outcome, Product, Question};
use crate::products::rehearsal::Rehearsal;
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR621",
    slug: "round-trip-rehearses",
    title: "The round trip does what the backup product does",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::RoundTrip,
};

const NOT_SHOWN: &str = "That the product can do it on this cluster is not shown.";
const MEND: &str = "Mend what the round trip says in this mode, and run it again.";

/// So many round trips are named.
const NAMED: usize = 3;

/// A round trip that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What it is about, for people.
    pub label: String,
    /// Its mode.
    pub mode: String,
    /// Its `StorageClass`.
    pub storage_class: String,
    /// Its `VolumeSnapshotClass`.
    pub snapshot_class: Option<String>,
    /// The outcome.
    pub status: Status,
    /// What the restored data was found to be; `None` if it was not read.
    pub data: Option<DataVerdict>,
    /// The id of its diagnosis, and what that is about.
    pub diagnosis: Option<(String, Option<String>)>,
}

impl Done {
    /// A pass is one that has read the data and found it intact.
    fn status(&self) -> Status {
        match (self.status, self.data) {
            (Status::Pass | Status::Warn, Some(DataVerdict::Intact)) => self.status,
            (Status::Pass | Status::Warn, _) => Status::Unknown,
            (status, _) => status,
        }
    }
}

/// A finding for each product and each thing that it does with snapshots.
#[must_use]
pub fn rehearsed(facts: &Facts, done: &[Done]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for product in asked(facts) {
        let of_product: Vec<&Done> = done.iter().filter(|done| is_its_class(product, facts, done)).collect();
        findings.extend(product.rehearsals.iter().map(|rehearsal| {
            let of_mode: Vec<&Done> = of_product.iter().copied().filter(|done| done.mode == rehearsal.mode).collect();
            judge(product, *rehearsal, &of_mode).target(format!("{} {}", product.word, rehearsal.mode))
        }));
    }
    findings
}

/// Whether a product would take this class. Where that cannot be told, any counts; where it finds none, none does.
fn is_its_class(product: &Product, facts: &Facts, done: &Done) -> bool {
    let Classes::Chosen { by, .. } = product.classes else { return false };
    let classes = facts.volume_snapshot_classes.seen().map(Vec::as_slice).unwrap_or_default();
    let mut storage = facts.storage_classes.seen().into_iter().flatten();
    let Some(storage) = storage.find(|class| class.metadata.name == done.storage_class) else { return true };
    let outcome = by(&Question { storage, classes, facts }).outcome;
    match &outcome {
        Outcome::Nothing { .. } | Outcome::NoSnapshots { .. } => false,
        _ => outcome.class().is_none_or(|class| Some(class) == done.snapshot_class.as_deref()),
    }
}

fn judge(product: &Product, Rehearsal { mode, does }: Rehearsal, done: &[&Done]) -> Finding {
    let what = format!("{} {does}", product.name);
    let worst = done.iter().map(|done| done.status()).max();
    let Some(worst) = worst else {
        return Finding::new(
            Status::Skip,
            format!("{what}: not tried, in mode {mode} and with the class that it takes"),
        )
        .cause(NOT_SHOWN)
        .fix(Fix::text(format!("Add {mode} to --mode, or leave --mode out; which class it takes is said by SR601.")));
    };
    let like_worst: Vec<&Done> = done.iter().copied().filter(|done| done.status() == worst).collect();
    let named: Vec<&str> = like_worst.iter().take(NAMED).map(|done| done.label.as_str()).collect();
    let more = like_worst.len().saturating_sub(named.len());
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let these = format!("{}{more}", named.join("; "));
    let of = format!("{} of {}", like_worst.len(), plural(done.len(), "round trip"));
    let message = match worst {
        Status::Pass => format!("{what}: data intact in {}", plural(done.len(), "round trip")),
        Status::Warn => format!("{what}: data intact, with a warning in {of}: {these}"),
        Status::Skip => format!("{what}: not shown, {of} skipped: {these}"),
        Status::Unknown => format!("{what}: not shown, {of} without a verdict: {these}"),
        Status::Fail => format!("{what}: {of} failed: {these}"),
    };
    let finding = Finding::new(worst, message);
    let finding = match worst {
        Status::Pass => finding,
        Status::Skip | Status::Unknown => finding.cause(NOT_SHOWN).fix(Fix::text(MEND)),
        Status::Warn | Status::Fail => finding
            .cause("The round trip does what the product does, and the product runs into the same.")
            .fix(Fix::text(MEND)),
    };
    let diagnosis = like_worst.iter().find_map(|done| done.diagnosis.as_ref());
    match diagnosis {
        Some((id, target)) => finding.follows_from(id, target.as_deref()),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::products::ALL;

    #[test]
    fn the_documentation_names_what_each_product_does() {
        for product in ALL {
            let modes: Vec<String> = product.rehearsals.iter().map(|one| format!("`{}`", one.mode)).collect();
            let row = CHECK.doc.lines().find(|line| line.ends_with(&format!("| {} |", modes.join(", "))));
            let named = row.is_some_and(|row| row.contains(short(product.name)));
            assert!(named || modes.is_empty(), "{}: {modes:?}", product.name);
        }
    }

    /// As it stands in the table.
    fn short(name: &'static str) -> &'static str {
        name.split(' ').next().unwrap_or_default()
    }
}
