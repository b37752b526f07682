//! What has to be known about round trips, and is decided elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;
use snapready_checks::diagnosis::Diagnosis;

use super::Failure;
use crate::model::{CheckResult, Contents, DataVerdict, ObjectName, PodUser, StepId};
use crate::roundtrip::known_facts::Look;
use crate::roundtrip::ledger::Item;
use crate::roundtrip::modes::Seen;
use crate::roundtrip::objects::Manifest;
use crate::roundtrip::program::{ObjectId, Policy, Program};

/// A round trip of the plan, as far as reports name it.
#[derive(Debug, Clone)]
pub struct Trip {
    /// As in events.
    pub target: crate::model::Target,
    /// The driver.
    pub driver: Option<String>,
    /// What exists already and is restored from.
    pub source: Option<ObjectName>,
    /// What a snapshot that was taken does not show.
    pub caveat: Option<String>,
    /// What a step has done when it has passed, where its mode has words of its own for it.
    pub passed: fn(StepId) -> Option<&'static str>,
}

/// What is seen of a round trip while it waits.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    /// Which one.
    pub trip: usize,
    /// The step that it is at.
    pub step: StepId,
    /// How long it has been at it.
    pub elapsed: Duration,
    /// The objects as they were last seen, also those that have gone.
    pub objects: BTreeMap<ObjectId, &'a Value>,
    /// Since when each has been seen.
    pub ages: BTreeMap<ObjectId, Duration>,
    /// The namespace's events that are about them, oldest first.
    pub events: Vec<&'a Value>,
}

/// What the reader found.
#[derive(Debug, Clone)]
pub struct ReadResult {
    /// What the restored data is.
    pub data: DataVerdict,
    /// What is in the restored volume, if the run has not written it.
    pub contents: Option<Contents>,
    /// One line for people.
    pub message: String,
    /// What is wrong; `None` only if nothing is.
    pub diagnosis: Option<Box<CheckResult>>,
}

/// What has to be known about round trips, and is decided elsewhere: their objects, and what is seen of them.
pub trait Knowledge: Sync {
    /// The run's id.
    fn run(&self) -> &str;
    /// The namespace that reports name.
    fn namespace(&self) -> &str;
    /// The round trips.
    fn trips(&self) -> &[Trip];
    /// What a round trip does.
    fn program(&self, trip: usize) -> Program;
    /// An object to be created, for pods that run as this user, made from all that is known of its round trip's
    /// objects. What is not known yet is left out: its place is asked for before there is anything to know. `None` for
    /// what controllers make.
    fn manifest(&self, item: Item, user: PodUser, seen: &Seen<'_>) -> Option<Manifest>;
    /// What the pods of a round trip (`None`: those for which what all have in common is made) may run as: the first
    /// that admission allows is taken. At least one.
    fn pod_users(&self, trip: Option<usize>) -> &'static [PodUser];
    /// Admission allows pods that run as this user, after it has refused those before; what is to be said about it.
    fn admitted(&self, trip: Option<usize>, user: PodUser, refused: &[(ObjectName, Failure)]) -> Option<String>;
    /// Why a round trip will fail, if that is certain before anything is made.
    fn foreseen(&self, trip: usize) -> Option<CheckResult>;
    /// Whether the class of a round trip retains what controllers make, as far as is known: what is not known may.
    fn retains(&self, trip: usize, policy: Policy) -> bool;
    /// Whether a pod that writes reports what its task is: that it has written what was to be written, overwritten it, or both.
    fn written(&self, trip: usize, pod: ObjectId, message: &str) -> Result<(), Box<CheckResult>>;
    /// What a reader reports; an error if it cannot be understood. `seen` is all that is known of its round trip's objects.
    fn read(&self, trip: usize, pod: ObjectId, message: &str, seen: &Seen<'_>) -> Result<ReadResult, Box<CheckResult>>;
    /// How large the storage has made the source volume, where that is to be reported.
    fn capacity(&self, trip: usize, seen: &Seen<'_>) -> Option<u64>;
    /// A look at the control plane, which diagnoses rest on; `None` if it cannot be looked at.
    fn look_again(&self) -> Option<BoxFuture<'static, Look>>;
    /// What that look has shown.
    fn learn(&self, look: Look);
    /// What an observation means.
    fn diagnose(&self, observed: &Observed<'_>) -> Diagnosis<CheckResult>;
    /// What a step that has passed shows besides.
    fn noticed(&self, observed: &Observed<'_>) -> Option<String>;
    /// A step took too long.
    fn timed_out(&self, observed: &Observed<'_>) -> CheckResult;
    /// The API server refused, or did not answer, a create.
    fn refused(&self, trip: usize, failure: &Failure, object: &ObjectName) -> CheckResult;
    /// An object that the round trip needs at this step was deleted by somebody else.
    fn vanished(&self, trip: usize, step: StepId, object: &ObjectName) -> CheckResult;
    /// An object that was to go before the clean-up, as it was last seen, has not gone in time.
    fn stayed(&self, trip: usize, object: ObjectName, seen: &Value) -> CheckResult;
    /// An object, as it was last seen, does not go away: what keeps it, in a few words.
    fn stuck(&self, object: ObjectName, seen: &Value) -> String;
}
