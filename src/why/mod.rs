//! Why an object is stuck that nobody's round trip made: a snapshot that does not get ready, a claim that stays Pending, a pod that
//! waits for its volume, a deletion that does not end. The same rules explain it that explain a round trip.

mod chain;
mod document;
mod explain;
mod known;
mod look;
mod name;
mod shown;
mod table;

pub use document::{Certainty, Document, Link, SCHEMA_VERSION, State, Stuck};
pub(crate) use look::{in_cluster, in_files, listed_in_cluster};
pub(crate) use name::Named;
pub use table::table;

use snapready_checks::catalogue;
use snapready_checks::model::check::{Check, Group};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::Status;

use crate::api::Place;
use crate::evaluate::evaluate;
use crate::model::CheckResult;
pub(crate) use known::Known;

/// The checks of what works on snapshots: what they find may be the cause, whatever the object itself shows.
pub(crate) fn checks() -> Vec<&'static Check> {
    let wanted = [Group::Api, Group::Controller, Group::Sidecars, Group::Drivers, Group::Snapshots];
    catalogue().into_iter().filter(|check| wanted.contains(&check.group)).collect()
}

/// What is wrong with an object.
pub(crate) fn of_one(start: &Place, known: &Known, facts: &Facts) -> Document {
    Document::new(facts, known, vec![Stuck::of(start, known, facts)], also_found(facts))
}

/// What is wrong with everything that is stuck, in a namespace or in all.
pub(crate) fn of_all(namespace: Option<&str>, known: &Known, facts: &Facts) -> Document {
    let all = known.suspects(namespace).into_iter().map(|start| Stuck::of(&start, known, facts));
    let stuck = all.filter(|one| one.state != State::Fine).collect();
    Document::new(facts, known, stuck, also_found(facts))
}

/// Failures of the control plane. Those about single snapshots say nothing that is not said of them.
fn also_found(facts: &Facts) -> Vec<CheckResult> {
    let checks: Vec<&Check> = checks().into_iter().filter(|check| check.group != Group::Snapshots).collect();
    evaluate(facts, &checks).into_iter().filter(|result| result.status == Status::Fail).collect()
}
