//! What is told while the run goes on, and what its report says in the end.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use snapready_checks::model::finding::Status;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Knowledge;
use super::contract;
use crate::model::{
    CheckResult, Contents, DataVerdict, Happening, ObjectName, ObjectRecord, PodUser, RoundTrip, Step, StepId,
};
use crate::roundtrip::machine::Ending;

#[derive(Default)]
struct Trip {
    steps: Vec<Step>,
    begun: Option<(StepId, Instant, Timestamp)>,
    diagnosis: Option<CheckResult>,
    caveat: Option<String>,
    /// What is to be said about what the pods run as.
    admitted: Option<String>,
    passed: Option<fn(StepId) -> Option<&'static str>>,
    data: Option<(DataVerdict, String)>,
    contents: Option<Contents>,
    waiting: Option<(String, String)>,
}

/// Steps, diagnoses and verdicts of all round trips.
pub(super) struct Record {
    trips: Vec<Trip>,
    events: mpsc::UnboundedSender<Happening>,
}

impl Record {
    pub(super) fn new(trips: &[contract::Trip], events: mpsc::UnboundedSender<Happening>) -> Self {
        let trip = |planned: &contract::Trip| Trip {
            caveat: planned.caveat.clone(),
            passed: Some(planned.passed),
            ..Trip::default()
        };
        Self { trips: trips.iter().map(trip).collect(), events }
    }

    pub(super) fn tell(&self, event: Happening) {
        // Nobody listens any more: then nobody needs to know.
        let _ = self.events.send(event);
    }

    pub(super) fn begin(&mut self, target: usize, step: StepId) {
        if let Some(trip) = self.trips.get_mut(target) {
            trip.begun = Some((step, Instant::now(), Timestamp::now()));
            trip.waiting = None;
        }
        self.tell(Happening::StepStarted { target, step });
    }

    pub(super) fn step(&self, trip: usize) -> Option<StepId> {
        self.trips.get(trip)?.begun.map(|(step, ..)| step).or_else(|| Some(self.trips.get(trip)?.steps.last()?.id))
    }

    /// How long the step under way has taken, or the last one took.
    pub(super) fn elapsed(&self, trip: usize) -> Duration {
        let Some(trip) = self.trips.get(trip) else {
            return Duration::ZERO;
        };
        match (trip.begun, trip.steps.last()) {
            (Some((_, since, _)), _) => since.elapsed(),
            (None, Some(step)) => Duration::from_millis(step.duration_ms.unwrap_or_default()),
            (None, None) => Duration::ZERO,
        }
    }

    pub(super) fn waiting(&mut self, target: usize, step: StepId, waiting_for: String, last_seen: String) {
        let Some(trip) = self.trips.get_mut(target) else {
            return;
        };
        let waiting = Some((waiting_for.clone(), last_seen.clone()));
        if trip.waiting != waiting {
            trip.waiting = waiting;
            self.tell(Happening::StepWaiting { target, step, waiting_for, last_seen });
        }
    }

    /// The first diagnosis is the cause; what follows from it is not.
    pub(super) fn diagnose(&mut self, trip: usize, diagnosis: CheckResult) {
        if let Some(trip) = self.trips.get_mut(trip) {
            trip.diagnosis.get_or_insert(diagnosis);
        }
    }

    pub(super) fn data(&mut self, trip: usize, data: DataVerdict, message: String) {
        if let Some(trip) = self.trips.get_mut(trip) {
            // What is not good is the verdict, whatever else was read.
            if trip.data.as_ref().is_none_or(|(known, _)| known.is_good()) {
                trip.data = Some((data, message));
            }
        }
    }

    pub(super) fn contents(&mut self, trip: usize, contents: Option<Contents>) {
        if let (Some(trip), Some(contents)) = (self.trips.get_mut(trip), contents) {
            trip.contents = Some(contents);
        }
    }

    /// All objects are allowed.
    pub(super) fn admitted(&mut self, trip: usize, note: Option<String>) {
        if let Some(trip) = self.trips.get_mut(trip) {
            trip.admitted = note;
        }
    }

    /// A step was taken; `lingering` is what it waited for to go, and did not see go, and `noticed` what else is to be said.
    pub(super) fn passed(&mut self, target: usize, id: StepId, lingering: &[ObjectName], noticed: Option<String>) {
        let Some(trip) = self.trips.get(target) else {
            return;
        };
        let mut message = passed_message(id, trip);
        for object in lingering {
            let _ = write!(message, "; {object} is still there");
        }
        if let Some(noticed) = noticed {
            let _ = write!(message, "; {noticed}");
        }
        self.end(target, id, Status::Pass, message);
    }

    /// A step was not taken to its end.
    pub(super) fn failed(&mut self, target: usize, id: StepId, ending: Option<Ending>) {
        let diagnosis = self.trips.get(target).and_then(|trip| trip.diagnosis.as_ref());
        let (status, message) = match (ending, diagnosis) {
            (Some(Ending::Interrupted), _) => (Status::Unknown, "interrupted"),
            // What nothing can be told of has not failed, nor what was not carried out.
            (_, Some(diagnosis)) if diagnosis.status == Status::Unknown => (Status::Unknown, &*diagnosis.message),
            (Some(Ending::NotAdmitted | Ending::Certain), Some(diagnosis)) if diagnosis.status == Status::Skip => {
                (Status::Skip, &*diagnosis.message)
            }
            (_, Some(diagnosis)) => (Status::Fail, &*diagnosis.message),
            (Some(Ending::TimedOut | Ending::Stayed(_)), None) => (Status::Fail, "timed out"),
            (_, None) => (Status::Fail, "failed"),
        };
        let message = message.to_owned();
        self.end(target, id, status, message);
    }

    /// A step has ended so.
    pub(super) fn end(&mut self, target: usize, id: StepId, status: Status, message: String) {
        let Some(trip) = self.trips.get_mut(target) else {
            return;
        };
        let begun = trip.begun.take();
        let step = Step {
            id,
            status,
            message,
            started_at: begun.map(|(_, _, at)| at),
            duration_ms: begun.map(|(_, since, _)| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)),
        };
        trip.steps.push(step.clone());
        self.tell(Happening::StepFinished { target, step });
    }

    pub(super) fn verdict(&mut self, target: usize, ending: Ending) {
        let Some(trip) = self.trips.get(target) else {
            return;
        };
        self.tell(Happening::VerdictKnown {
            target,
            status: status(trip, Some(ending)),
            data: trip.data.as_ref().map(|(data, _)| *data),
            diagnosis: trip.diagnosis.clone().map(Box::new),
        });
    }

    pub(super) fn round_trip<K: Knowledge>(
        &self,
        index: usize,
        knowledge: &K,
        ending: Option<Ending>,
        pod_user: Option<PodUser>,
        capacity_bytes: Option<u64>,
        objects: Vec<ObjectRecord>,
    ) -> Option<RoundTrip> {
        let trip = self.trips.get(index)?;
        let planned = knowledge.trips().get(index)?;
        let steps = knowledge
            .program(index)
            .steps()
            .into_iter()
            .map(|id| {
                trip.steps.iter().find(|step| step.id == id).cloned().unwrap_or_else(|| Step {
                    id,
                    status: Status::Skip,
                    message: "not reached".to_owned(),
                    started_at: None,
                    duration_ms: None,
                })
            })
            .collect();
        Some(RoundTrip {
            storage_class: planned.target.storage_class.clone(),
            snapshot_class: planned.target.snapshot_class.clone(),
            volume_mode: planned.target.volume_mode,
            mode: planned.target.mode.clone(),
            size_bytes: planned.target.size_bytes,
            capacity_bytes,
            driver: planned.driver.clone(),
            namespace: knowledge.namespace().to_owned(),
            pod_user,
            status: status(trip, ending),
            data: trip.data.as_ref().map(|(data, _)| *data),
            source: planned.source.clone(),
            contents: trip.contents.clone(),
            diagnosis: trip.diagnosis.clone(),
            steps,
            objects,
        })
    }
}

/// A pass is only what ended as one, with data that was read and is good.
fn status(trip: &Trip, ending: Option<Ending>) -> Status {
    let is_good = trip.data.as_ref().is_some_and(|(data, _)| data.is_good());
    match ending {
        Some(Ending::Passed) if is_good => Status::Pass,
        Some(Ending::Passed | Ending::Interrupted) | None => Status::Unknown,
        Some(ending) => match trip.diagnosis.as_ref().map(|diagnosis| diagnosis.status) {
            Some(status @ (Status::Fail | Status::Unknown)) => status,
            Some(Status::Skip) if matches!(ending, Ending::NotAdmitted | Ending::Certain) => Status::Skip,
            Some(Status::Pass | Status::Skip | Status::Warn) | None => Status::Fail,
        },
    }
}

fn passed_message(id: StepId, trip: &Trip) -> String {
    let message = match trip.passed.and_then(|passed| passed(id)) {
        Some(words) => words.to_owned(),
        None => usual_message(id, trip),
    };
    match &trip.caveat {
        Some(caveat) if id == StepId::Snapshot => format!("{message}; {caveat}"),
        _ => message,
    }
}

fn usual_message(id: StepId, trip: &Trip) -> String {
    match id {
        StepId::Admission => match &trip.admitted {
            None => "all objects may be created".to_owned(),
            Some(note) => format!("allowed; {note}"),
        },
        StepId::Provision => "volume bound, pod started".to_owned(),
        StepId::Write => "data written and synced".to_owned(),
        StepId::Snapshot => "ready to use".to_owned(),
        StepId::Overwrite => "source overwritten after the snapshot".to_owned(),
        StepId::Restore => "restored volume bound, pod started".to_owned(),
        StepId::Verify => trip.data.as_ref().map(|(_, message)| message.clone()).unwrap_or_default(),
        StepId::Cleanup => String::new(),
    }
}
