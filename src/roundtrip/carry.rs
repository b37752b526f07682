//! What the driver has to know, put together: the objects of the plan, their data, and what is seen of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use serde_json::Value;

use crate::model::{CheckResult, DataVerdict, ObjectName, StepId};

use crate::roundtrip::diagnose::{
    self, Observation, SeenEvent, StuckObject, data_result, line, refused, timed_out, unreadable_result, vanished,
    write_result,
};
use crate::roundtrip::driver::{Diagnosis, Failure, Judgement, Knowledge, Observed, Trip};
use crate::roundtrip::known_facts::{KnownFacts, Look};
use crate::roundtrip::ledger::Item;
use crate::roundtrip::modes::{Making, Seen, Shape};
use crate::roundtrip::objects::Manifest;
use crate::roundtrip::payload::{Payload, Written};
use crate::roundtrip::plan::{Plan, Target};
use crate::roundtrip::program::Program;

/// A plan that is carried out.
#[derive(Debug)]
pub struct Carry<'a> {
    plan: &'a Plan,
    facts: KnownFacts,
    trips: Vec<Trip>,
    payloads: Vec<Payload>,
    programs: Vec<Program>,
    /// What the writers measured, by round trip: the readers are compared with it.
    written: Mutex<BTreeMap<usize, Written>>,
}

impl<'a> Carry<'a> {
    /// The seed has to be another one for each run: it tells this run's data from any other's.
    #[must_use]
    pub fn new(plan: &'a Plan, facts: KnownFacts, seed: &[u8]) -> Self {
        let trip = |target: &Target| Trip {
            target: crate::model::Target {
                index: target.index,
                storage_class: target.storage_class.clone(),
                snapshot_class: target.snapshot_class.clone(),
                volume_mode: target.volume_mode,
            },
            driver: target.driver.clone(),
        };
        let payload = |target: &Target| Payload::new(seed, target.index, target.volume_mode, target.size_bytes);
        let program = |target: &Target| {
            let immediate = target.binds_at_once();
            (plan.mode.program)(Shape { own_namespace: plan.own_namespace, immediate })
        };
        Self {
            plan,
            facts,
            trips: plan.targets.iter().map(trip).collect(),
            payloads: plan.targets.iter().map(payload).collect(),
            programs: plan.targets.iter().map(program).collect(),
            written: Mutex::default(),
        }
    }

    #[expect(clippy::expect_used, reason = "the driver names round trips of this very plan")]
    fn target(&self, trip: usize) -> (&Target, &Payload) {
        let both = self.plan.targets.get(trip).zip(self.payloads.get(trip));
        both.expect("a round trip of the plan")
    }

    #[expect(clippy::expect_used, reason = "the driver names round trips of this very plan")]
    fn own_program(&self, trip: usize) -> &Program {
        self.programs.get(trip).expect("a round trip of the plan")
    }

    /// The objects that the diagnosis of a step rests on: the source's, and from the restore on those of the restore.
    fn observe<T>(&self, observed: &Observed<'_>, then: impl FnOnce(&Observation<'_>) -> T) -> T {
        let seen = |id| observed.objects.get(&id).copied();
        let chain = (self.plan.mode.chain)(observed.step);
        let pod = chain.pods.iter().copied().find(|id| seen(*id).is_some());
        let events: Vec<SeenEvent> = observed.events.iter().copied().map(event).collect();
        let known = self.facts.latest();
        then(&Observation {
            step: observed.step,
            elapsed: observed.elapsed,
            pod_elapsed: pod.and_then(|id| observed.ages.get(&id)).copied().unwrap_or_default(),
            facts: &known.facts,
            earlier: known.earlier.as_ref(),
            target: self.target(observed.trip).0,
            claim: seen(chain.claim),
            pod: pod.and_then(seen),
            volume_snapshot: seen(chain.snapshot),
            volume_snapshot_content: seen(chain.content),
            events: &events,
        })
    }
}

impl Knowledge for Carry<'_> {
    fn run(&self) -> &str {
        self.plan.run.as_str()
    }

    fn namespace(&self) -> &str {
        &self.plan.namespace
    }

    fn trips(&self) -> &[Trip] {
        &self.trips
    }

    fn program(&self, trip: usize) -> Program {
        self.own_program(trip).clone()
    }

    fn manifest(&self, item: Item, seen: &Seen<'_>) -> Option<Manifest> {
        let trip = item.trip().unwrap_or_default();
        let (target, payload) = self.target(trip);
        let program = self.own_program(trip);
        let object = program.object(item.object())?;
        (self.plan.mode.manifest)(&Making { plan: self.plan, target, payload, program, object, seen })
    }

    fn foreseen(&self, trip: usize) -> Option<CheckResult> {
        diagnose::foreseen(&self.facts.latest().facts, self.target(trip).0)
    }

    fn written(&self, trip: usize, message: &str) -> Result<(), Box<CheckResult>> {
        let (target, payload) = self.target(trip);
        match payload.judge_written(message) {
            Ok(written) => {
                self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(trip, written);
                Ok(())
            }
            Err(fault) => Err(Box::new(write_result(self.plan, target, &fault))),
        }
    }

    fn read(&self, trip: usize, message: &str) -> Result<Judgement, Box<CheckResult>> {
        let (target, payload) = self.target(trip);
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner).get(&trip).cloned();
        match payload.judge_read(&written.unwrap_or_default(), message) {
            Ok(judgement) => Ok(Judgement {
                data: judgement.verdict,
                message: judgement.message.clone(),
                diagnosis: (judgement.verdict != DataVerdict::Intact)
                    .then(|| Box::new(data_result(self.plan, target, &judgement))),
            }),
            Err(unreadable) => Err(Box::new(unreadable_result(self.plan, target, &unreadable))),
        }
    }

    fn look_again(&self) -> Option<BoxFuture<'static, Look>> {
        self.facts.look_again()
    }

    fn learn(&self, look: Look) {
        self.facts.learn(look);
    }

    fn diagnose(&self, observed: &Observed<'_>) -> Diagnosis {
        match self.observe(observed, diagnose::diagnose) {
            diagnose::Diagnosis::Waiting { waiting_for, last_seen } => Diagnosis::Waiting { waiting_for, last_seen },
            diagnose::Diagnosis::Certain(result) => Diagnosis::Certain(result),
        }
    }

    fn timed_out(&self, observed: &Observed<'_>) -> CheckResult {
        self.observe(observed, timed_out)
    }

    fn refused(&self, trip: usize, failure: &Failure, object: &ObjectName) -> CheckResult {
        let mut result = refused(failure.status, &failure.reason, &failure.message, object, self.plan.own_namespace);
        result.target = Some(self.target(trip).0.label());
        result
    }

    fn vanished(&self, trip: usize, step: StepId, object: &ObjectName) -> CheckResult {
        vanished(self.target(trip).0, step, object)
    }

    fn stuck(&self, object: ObjectName, seen: &Value) -> String {
        let text = |pointer| seen.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
        let finalizers = seen.pointer("/metadata/finalizers").and_then(Value::as_array);
        let result = diagnose::stuck(&StuckObject {
            object,
            deletion_timestamp: text("/metadata/deletionTimestamp"),
            finalizers: finalizers.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
            being_created: text("/metadata/annotations/snapshot.storage.kubernetes.io~1volumesnapshot-being-created")
                .is_some(),
            error: text("/status/error/message"),
        });
        match (result.cause, text("/status/error/message")) {
            (Some(cause), Some(error)) => format!("{} ({cause}; last error: {})", result.message, line(&error, 200)),
            (None, Some(error)) => format!("{} (last error: {})", result.message, line(&error, 200)),
            (Some(cause), None) => format!("{} ({cause})", result.message),
            (None, None) => result.message,
        }
    }
}

fn event(event: &Value) -> SeenEvent {
    let text = |pointer| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    SeenEvent {
        kind: text("/involvedObject/kind"),
        name: text("/involvedObject/name"),
        event_type: text("/type"),
        reason: text("/reason"),
        message: text("/message"),
        count: event.pointer("/count").and_then(Value::as_u64).unwrap_or_default(),
        component: text("/source/component"),
    }
}
