//! What the driver has to know, put together: the objects of the plan, their data, and what is seen of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use snapready_checks::diagnosis::{self, Diagnosis};
use snapready_checks::knowledge::drivers::capabilities::{Ability, drivers};
use snapready_checks::model::chain::{BEING_CREATED, Chain, Event};
use snapready_checks::model::check::Check;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::nulls;
use snapready_checks::model::object::Kind;
use snapready_checks::model::quantity::Quantity;
use snapready_checks::model::round_trip::Origin;
use snapready_checks::moment::{Explanation, Moment, Subject, line};
use snapready_checks::roundtrip::admission_allows::{NoRoom, Refusal, no_room, refused};
use snapready_checks::roundtrip::data_intact::{
    self, compared, looked_at, not_measured, not_written_meanwhile, nothing_seen, out_of_order,
};
use snapready_checks::roundtrip::device_denied::{Admitted, Denied, Device, denied};
use snapready_checks::roundtrip::everything_removed::{StuckObject, stuck};
use snapready_checks::roundtrip::restore_succeeds::not_grown;
use snapready_checks::roundtrip::round_trip::{skipped, vanished};
use snapready_checks::roundtrip::snapshot_sidecar_works::not_started;
use snapready_checks::roundtrip::snapshot_succeeds;
use snapready_checks::roundtrip::write_succeeds::{self, not_written};
use snapready_checks::roundtrip::{provisioning_succeeds, snapshot_driver_matches};

use crate::evaluate::stranding;
use crate::model::{CheckResult, DataVerdict, ObjectName, PodUser, StepId, VolumeMode};
use crate::roundtrip::advice;
use crate::roundtrip::driver::{Failure, Knowledge, Observed, ReadResult, Trip};
use crate::roundtrip::existing::{Existing, Given};
use crate::roundtrip::known_facts::{KnownFacts, Latest, Look};
use crate::roundtrip::ledger::Item;
use crate::roundtrip::modes::{Making, Seen, Shape};
use crate::roundtrip::objects::{Manifest, capacity, requested};
use crate::roundtrip::observe::text;
use crate::roundtrip::payload::{Journal, Judgement, Look as DataLook, Payload, UnreadableReport, WriteFault, Written};
use crate::roundtrip::plan::{Plan, Target};
use crate::roundtrip::program::{Object, ObjectId, Policy, Program, Task};
use crate::roundtrip::quota::{Quota, Usage, at_once, lacking, peak};

/// The pods for which a namespace is made that holds raw devices, too: those that do not run as root need no other
/// level than the rest.
const SPACES: &[PodUser] = &[PodUser::Root, PodUser::NonRoot];

/// A plan that is carried out.
#[derive(Debug)]
pub struct Carry<'a> {
    plan: &'a Plan,
    facts: KnownFacts,
    trips: Vec<Trip>,
    /// By round trip; several where there are several volumes.
    payloads: Vec<Vec<Payload>>,
    programs: Vec<Program>,
    /// What the quotas of a given namespace leave, and the most that each round trip has of it at a time.
    quotas: Vec<Quota>,
    peaks: Vec<Usage>,
    /// What the writers measured, by round trip and data: the readers are compared with it.
    written: Mutex<BTreeMap<(usize, usize), Written>>,
    /// What the pods run as, by round trip; `None` for what all have in common.
    admitted: Mutex<BTreeMap<Option<usize>, Admitted>>,
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
                mode: target.mode.name.to_owned(),
                size_bytes: target.named_size().map(|size| size.0),
            },
            driver: target.driver.clone(),
            source: target.existing.as_ref().map(|existing| existing.reference.object()),
            passed: target.mode.passed,
            caveat: target.unnamed_fails().map(|why| format!("a VolumeSnapshot that names no class fails: {why}")),
        };
        let program = |target: &Target| {
            let immediate = target.binds_at_once();
            (target.mode.program)(Shape { own_namespace: plan.own_namespace, immediate })
        };
        let programs: Vec<Program> = plan.targets.iter().map(program).collect();
        let payloads = |(target, program): (&Target, &Program)| {
            let several = program.objects().iter().map(|object| object.data).max().unwrap_or_default();
            // No two volumes of a run have the same data.
            let index = |data: usize| target.index + data * plan.targets.len();
            let payload = |data| Payload::new(seed, index(data), target.volume_mode, target.size_bytes);
            (0..=several).map(payload).collect()
        };
        Self {
            plan,
            facts,
            trips: plan.targets.iter().map(trip).collect(),
            payloads: plan.targets.iter().zip(&programs).map(payloads).collect(),
            programs,
            quotas: Vec::new(),
            peaks: Vec::new(),
            written: Mutex::default(),
            admitted: Mutex::default(),
        }
    }

    /// The same in a namespace with these quotas.
    #[must_use]
    pub fn with_quotas(mut self, quotas: Vec<Quota>) -> Self {
        let made = |trip: usize, program: &Program, id| {
            self.manifest(program.item(trip, id), PodUser::NonRoot, &Seen::default())
        };
        let peaks = self.programs.iter().enumerate();
        self.peaks = peaks.map(|(trip, program)| peak(program, |id| made(trip, program, id))).collect();
        self.quotas = quotas;
        self
    }

    /// How many of the round trips fit into the namespace at a time, and the quota that has no room for more.
    #[must_use]
    pub fn at_once(&self, parallel: usize) -> (usize, Option<&Quota>) {
        at_once(&self.quotas, &self.peaks, parallel)
    }

    /// What keeps a snapshot from being taken, or from being deleted again.
    fn no_snapshot(&self, facts: &Facts, subject: &Subject) -> Option<Explanation> {
        snapshot_driver_matches::foreseen(facts, subject).or_else(|| {
            let driver = subject.driver.as_deref().filter(|_| !self.plan.force)?;
            let (check, found) = stranding(facts, driver)?;
            Some(not_started(subject, check, found))
        })
    }

    /// The quota that has no room for a round trip.
    fn no_room(&self, trip: usize) -> Option<Explanation> {
        let (quota, needed) = lacking(&self.quotas, self.peaks.get(trip)?)?;
        Some(no_room(&NoRoom {
            namespace: &self.plan.namespace,
            quota: &quota.name,
            resource: &quota.resource,
            hard: quota.hard,
            free: quota.free(),
            needed,
            in_bytes: quota.is_of_bytes(),
        }))
    }

    /// What is known by now.
    pub fn facts(&self) -> MutexGuard<'_, Latest> {
        self.facts.latest()
    }

    #[expect(clippy::expect_used, reason = "the driver names round trips of this very plan")]
    fn target(&self, trip: usize) -> &Target {
        self.plan.targets.get(trip).expect("a round trip of the plan")
    }

    /// The data that an object works with.
    #[expect(clippy::expect_used, reason = "the driver names objects of this very plan")]
    fn payload(&self, trip: usize, data: usize) -> &Payload {
        self.payloads.get(trip).and_then(|payloads| payloads.get(data)).expect("data of the plan")
    }

    /// Which of its round trip's data a pod works with.
    fn data_of(&self, trip: usize, pod: ObjectId) -> usize {
        self.own_program(trip).object(pod).map(|pod| pod.data).unwrap_or_default()
    }

    #[expect(clippy::expect_used, reason = "the driver names round trips of this very plan")]
    fn own_program(&self, trip: usize) -> &Program {
        self.programs.get(trip).expect("a round trip of the plan")
    }

    /// What the pods of a round trip run as, and what was refused before, to what all round trips have in common as
    /// well.
    fn admitted_user(&self, trip: usize) -> Admitted {
        let admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = admitted.get(&None).into_iter().flat_map(|shared| shared.refused.clone());
        match admitted.get(&Some(trip)) {
            Some(own) => Admitted { user: own.user, refused: shared.chain(own.refused.clone()).collect() },
            None => Admitted { user: PodUser::NonRoot, refused: Vec::new() },
        }
    }

    /// A pod could not open the device of its claim.
    fn denied(&self, trip: usize, check: &'static Check, pod: ObjectId, device: &Device, text: &str) -> CheckResult {
        let explanation = denied(
            check,
            &self.target(trip).subject(),
            &Denied {
                device,
                text,
                claim: &self.claim_of(trip, pod),
                pod: &self.object(trip, pod),
                admitted: &self.admitted_user(trip),
                own_namespace: self.plan.own_namespace,
            },
        );
        self.in_words(trip, explanation)
    }

    /// A reader left no report that says anything about the data.
    fn not_read(&self, trip: usize, pod: ObjectId, unreadable: &UnreadableReport) -> CheckResult {
        if let Some(device) = &unreadable.device {
            return self.denied(trip, &data_intact::CHECK, pod, device, &unreadable.text);
        }
        let (subject, reader) = (self.target(trip).subject(), self.object(trip, pod));
        self.in_words(trip, not_measured(&subject, &reader, &unreadable.to_string(), &unreadable.text))
    }

    /// What a look at data shows that the run has not written.
    fn looked(
        &self,
        trip: usize,
        pod: ObjectId,
        existing: &Existing,
        message: &str,
        seen: &Seen<'_>,
    ) -> Result<ReadResult, Box<CheckResult>> {
        let (target, payload) = (self.target(trip), self.payload(trip, self.data_of(trip, pod)));
        let claim = self.own_program(trip).claim_of(pod);
        let least = claim.and_then(|claim| requested(seen.get(claim)?)).unwrap_or(target.size_bytes);
        let look =
            payload.judge_look(least, message).map_err(|unreadable| Box::new(self.not_read(trip, pod, &unreadable)))?;
        let (subject, claim) = (target.subject(), self.claim_of(trip, pod));
        let DataLook { contents, judgement } = look;
        let Some(judgement) = judgement else {
            return Err(Box::new(self.in_words(trip, nothing_seen(&subject, &claim, &contents))));
        };
        let explanation = looked_at(
            &subject,
            judgement.verdict,
            &judgement.message,
            &existing.reference.object(),
            existing.is_used,
            judgement.evidence(&self.plan.namespace, &claim.name),
        );
        let diagnosis = (!judgement.verdict.is_good()).then(|| Box::new(self.in_words(trip, explanation)));
        Ok(ReadResult { data: judgement.verdict, contents: Some(contents), message: judgement.message, diagnosis })
    }

    /// The data of another volume of the round trip are no stranger's.
    fn of_siblings(&self, trip: usize, judgement: Judgement) -> Judgement {
        let mut all = self.payloads.get(trip).into_iter().flatten();
        if !all.any(|payload| payload.is_found_by(&judgement)) {
            return judgement;
        }
        let message = "the restored volume holds the data of another volume of the group".to_owned();
        Judgement { message, ..judgement }
    }

    /// An explanation in the words of a run.
    fn in_words(&self, trip: usize, explanation: Explanation) -> CheckResult {
        let target = self.target(trip);
        explanation.result(|advice| Some(advice::command(advice, target)))
    }

    /// An object of a round trip that the run creates.
    fn object(&self, trip: usize, id: ObjectId) -> ObjectName {
        let item = self.own_program(trip).item(trip, id);
        let manifest = self.manifest(item, PodUser::NonRoot, &Seen::default());
        // Pods and claims are made whatever is known.
        let unnamed = || ObjectName { kind: String::new(), namespace: None, name: String::new() };
        manifest.map_or_else(unnamed, |manifest| manifest.object())
    }

    /// The claim that a pod works on.
    fn claim_of(&self, trip: usize, pod: ObjectId) -> ObjectName {
        self.object(trip, self.own_program(trip).claim_of(pod).unwrap_or(pod))
    }

    /// What the driver cannot do that the mode asks for.
    fn lacking(&self, target: &Target, subject: &Subject) -> Option<Explanation> {
        let facts = &self.facts.latest().facts;
        let driver = drivers(facts).remove(subject.driver.as_deref()?)?;
        let lacks =
            |ability: &&Ability| driver.abilities.get(*ability).is_some_and(|known| known.answer == Some(false));
        let ability = target.mode.needs.iter().find(lacks)?;
        Some(skipped(subject, target.mode.name, *ability, driver.abilities.get(ability)?))
    }

    /// The objects that the diagnosis of a step rests on: the source's, and from the restore on those of the restore.
    fn moment<T>(&self, observed: &Observed<'_>, then: impl FnOnce(&Moment<'_>) -> T) -> T {
        let seen = |id| observed.objects.get(&id).copied();
        let of_trip: Seen<'_> = observed.objects.iter().map(|(id, object)| (*id, *object)).collect();
        let ids = (self.target(observed.trip).mode.chain)(observed.step, &of_trip);
        let pod = ids.pods.iter().copied().find(|id| seen(*id).is_some());
        let events: Vec<Event> = observed.events.iter().filter_map(|event| typed(event)).collect();
        let chain = Chain {
            claim: seen(ids.claim).and_then(typed),
            pod: pod.and_then(seen).and_then(typed),
            volume_snapshot: ids.snapshot.and_then(|(snapshot, _)| seen(snapshot)).and_then(typed),
            is_group: ids
                .snapshot
                .and_then(|(snapshot, _)| text(seen(snapshot)?, "/kind"))
                .is_some_and(|kind| kind == Kind::VOLUME_GROUP_SNAPSHOT.name),
            volume_snapshot_content: ids.snapshot.and_then(|(_, content)| seen(content)).and_then(typed),
            source_node: node_of_writer(self.own_program(observed.trip), observed),
        };
        let known = self.facts.latest();
        then(&Moment {
            step: ids.waits_as.unwrap_or(observed.step),
            elapsed: observed.elapsed,
            pod_elapsed: pod.and_then(|id| observed.ages.get(&id)).copied().unwrap_or_default(),
            facts: &known.facts,
            earlier: known.earlier.as_ref(),
            subject: &self.target(observed.trip).subject(),
            chain: &chain,
            events: &events,
        })
    }
}

/// The node of the pod that wrote the source.
fn node_of_writer(program: &Program, observed: &Observed<'_>) -> Option<String> {
    let is_it = |object: &&Object| object.holds() || object.task == Task::Fill;
    let writer = program.objects().iter().find(is_it)?;
    text(observed.objects.get(&writer.id)?, "/spec/nodeName").map(ToOwned::to_owned)
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

    fn manifest(&self, item: Item, user: PodUser, seen: &Seen<'_>) -> Option<Manifest> {
        let trip = item.trip().unwrap_or_default();
        let target = self.target(trip);
        let program = self.own_program(trip);
        let object = program.object(item.object())?;
        let payload = self.payload(trip, object.data);
        (target.mode.manifest)(&Making { plan: self.plan, target, payload, program, object, user, seen })
    }

    fn pod_users(&self, trip: Option<usize>) -> &'static [PodUser] {
        let is_block = |target: &Target| target.volume_mode == VolumeMode::Block;
        match trip {
            Some(trip) => PodUser::tried(self.target(trip).volume_mode),
            None if self.plan.targets.iter().any(is_block) => SPACES,
            None => PodUser::tried(VolumeMode::Filesystem),
        }
    }

    fn admitted(&self, trip: Option<usize>, user: PodUser, refused: &[(ObjectName, Failure)]) -> Option<String> {
        let refused = refused.iter().map(|(object, failure)| (object.clone(), failure.message.clone())).collect();
        let admitted = Admitted { user, refused };
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner).insert(trip, admitted);
        self.admitted_user(trip?).note(self.pod_users(trip))
    }

    fn foreseen(&self, trip: usize) -> Option<CheckResult> {
        let target = self.target(trip);
        let subject = target.subject();
        if let Some(explanation) = self.lacking(target, &subject) {
            return Some(self.in_words(trip, explanation));
        }
        let takes_snapshot = subject.origin == Origin::VolumeSnapshot && target.existing_of(Given::Snapshot).is_none();
        let facts = &self.facts.latest().facts;
        let explanation = (target.mode.prevented)(self.plan, target, facts)
            .or_else(|| provisioning_succeeds::foreseen(facts, &subject))
            .or_else(|| self.no_snapshot(facts, &subject).filter(|_| takes_snapshot))
            .or_else(|| Some(self.no_room(trip)?.about(&subject)))?;
        Some(self.in_words(trip, explanation))
    }

    fn retains(&self, trip: usize, policy: Policy) -> bool {
        let target = self.target(trip);
        let of_class = match policy {
            Policy::Reclaim => &target.reclaim_policy,
            Policy::Deletion => &target.deletion_policy,
        };
        of_class.as_deref() != Some("Delete")
    }

    fn written(&self, trip: usize, pod: ObjectId, message: &str) -> Result<(), Box<CheckResult>> {
        let data = self.data_of(trip, pod);
        let (target, payload) = (self.target(trip), self.payload(trip, data));
        let written = match self.own_program(trip).object(pod).map(|pod| pod.task) {
            Some(Task::Fill) => payload.judge_filled(message).map(Some),
            Some(Task::Record) => payload.judge_recorded(message).map(Some),
            Some(Task::Overwrite) => payload.judge_overwritten(message).map(|()| None),
            _ => payload.judge_written(message).map(Some),
        };
        match written {
            Ok(written) => {
                let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                all.extend(written.map(|written| ((trip, data), written)));
                Ok(())
            }
            Err(WriteFault::Device { device, text }) => {
                Err(Box::new(self.denied(trip, &write_succeeds::CHECK, pod, &device, &text)))
            }
            Err(fault) => {
                let writer = self.object(trip, pod);
                let explanation =
                    not_written(&target.subject(), &writer, fault.blame(), &fault.to_string(), fault.text());
                Err(Box::new(self.in_words(trip, explanation)))
            }
        }
    }

    fn read(&self, trip: usize, pod: ObjectId, message: &str, seen: &Seen<'_>) -> Result<ReadResult, Box<CheckResult>> {
        let data = self.data_of(trip, pod);
        let (target, payload) = (self.target(trip), self.payload(trip, data));
        if let Some(existing) = &target.existing {
            return self.looked(trip, pod, existing, message, seen);
        }
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner).get(&(trip, data)).cloned();
        let written = written.unwrap_or_default();
        let subject = target.subject();
        let program = self.own_program(trip);
        let judged = match program.object(pod).map(|pod| pod.task) {
            Some(Task::ReadSized) => {
                payload.judge_sized(&written, message).map(|(judgement, room)| (judgement, Some(room), None))
            }
            Some(Task::ReadJournal) => {
                payload.judge_journal(&written, message).map(|(judgement, journal)| (judgement, None, journal))
            }
            _ => payload.judge_read(&written, message).map(|judgement| (judgement, None, None)),
        };
        match judged {
            Ok((judgement, room, journal)) => {
                let judgement = self.of_siblings(trip, judgement);
                let claim = self.claim_of(trip, pod);
                let wanted = program.claim_of(pod).and_then(|claim| requested(seen.get(claim)?)).unwrap_or(u64::MAX);
                let namespace = claim.namespace.as_deref().unwrap_or(&self.plan.namespace);
                let evidence = || judgement.evidence(namespace, &claim.name);
                let explanation = match (journal, room) {
                    (Some(Journal::OutOfOrder), _) => Some(out_of_order(&subject, &judgement.message, evidence())),
                    _ if judgement.verdict != DataVerdict::Intact => {
                        Some(compared(&subject, judgement.verdict, &judgement.message, evidence()))
                    }
                    (Some(Journal::NotWritten), _) => Some(not_written_meanwhile(&subject)),
                    (_, Some(room)) if !is_as_large(room, wanted) => Some(not_grown(&subject, &claim, room, wanted)),
                    _ => None,
                };
                let diagnosis = explanation.map(|explanation| Box::new(self.in_words(trip, explanation)));
                Ok(ReadResult { data: judgement.verdict, contents: None, message: judgement.message, diagnosis })
            }
            Err(unreadable) => Err(Box::new(self.not_read(trip, pod, &unreadable))),
        }
    }

    fn capacity(&self, trip: usize, seen: &Seen<'_>) -> Option<u64> {
        let target = self.target(trip);
        let claim = (target.mode.chain)(StepId::Snapshot, seen).claim;
        capacity(seen.get(claim)?).filter(|_| target.is_one_of_several_sizes)
    }

    fn look_again(&self) -> Option<BoxFuture<'static, Look>> {
        self.facts.look_again()
    }

    fn learn(&self, look: Look) {
        self.facts.learn(look);
    }

    fn diagnose(&self, observed: &Observed<'_>) -> Diagnosis<CheckResult> {
        self.moment(observed, diagnosis::diagnose).map(|explanation| self.in_words(observed.trip, explanation))
    }

    fn noticed(&self, observed: &Observed<'_>) -> Option<String> {
        let source = Quantity(self.target(observed.trip).size_bytes);
        (observed.step == StepId::Snapshot)
            .then(|| self.moment(observed, |moment| snapshot_succeeds::noticed(moment, source)))?
    }

    fn timed_out(&self, observed: &Observed<'_>) -> CheckResult {
        self.in_words(observed.trip, self.moment(observed, diagnosis::timed_out))
    }

    fn refused(&self, trip: usize, failure: &Failure, object: &ObjectName) -> CheckResult {
        let explanation = refused(&Refusal {
            status: failure.status,
            reason: &failure.reason,
            message: &failure.message,
            object,
            own_namespace: self.plan.own_namespace,
            user: self.admitted_user(trip).user,
        });
        self.in_words(trip, explanation.about(&self.target(trip).subject()))
    }

    fn vanished(&self, trip: usize, step: StepId, object: &ObjectName) -> CheckResult {
        self.in_words(trip, vanished(&self.target(trip).subject(), step, object))
    }

    fn stayed(&self, trip: usize, object: ObjectName, seen: &Value) -> CheckResult {
        self.in_words(trip, stuck(&stuck_object(object, seen)).about(&self.target(trip).subject()))
    }

    fn stuck(&self, object: ObjectName, seen: &Value) -> String {
        let explanation = stuck(&stuck_object(object, seen));
        let found = explanation.finding();
        let error = text(seen, "/status/error/message").map(|error| format!("last error: {}", line(error, 200)));
        let more: Vec<String> = found.cause.clone().into_iter().chain(error).collect();
        if more.is_empty() { found.message.clone() } else { format!("{} ({})", found.message, more.join("; ")) }
    }
}

/// An object that does not go, as it was last seen.
fn stuck_object(object: ObjectName, seen: &Value) -> StuckObject {
    let finalizers = seen.pointer("/metadata/finalizers").and_then(Value::as_array);
    StuckObject {
        object,
        deletion_timestamp: text(seen, "/metadata/deletionTimestamp").map(ToOwned::to_owned),
        finalizers: finalizers.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        being_created: seen.pointer("/metadata/annotations").is_some_and(|all| all.get(BEING_CREATED).is_some()),
        error: text(seen, "/status/error/message").map(ToOwned::to_owned),
    }
}

/// Whether a volume has grown to the size that was asked for, which is twice that of its source. A file system keeps some of it
/// for itself, and storage that is shared shows more.
const fn is_as_large(room: u64, wanted: u64) -> bool {
    room >= wanted / 4 * 3
}

/// An object of the API server in its type. One that does not have its kind's form is as good as not seen.
fn typed<T: DeserializeOwned>(object: &Value) -> Option<T> {
    nulls::from_ref(object).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use snapready_checks::model::finding::Status;

    use super::*;
    use crate::roundtrip::modes::{Mode, plain};
    use crate::roundtrip::plan::Selection;

    /// See `checks/data/drivers.tsv`.
    const CANNOT_CLONE: &str = "kubevirt.io.hostpath-provisioner";

    #[test]
    fn a_mode_that_the_driver_is_known_not_to_be_able_to_do_is_skipped() {
        static CLONES: Mode = Mode {
            name: "clones",
            doc: "",
            program: plain::program,
            manifest: plain::manifest,
            chain: plain::chain,
            passed: |_| None,
            needs: &[Ability::Snapshot, Ability::Clone],
            prevented: |_, _, _| None,
            nature: plain::nature::NATURE,
        };
        for (driver, is_known) in [(CANNOT_CLONE, true), ("nobody-knows.csi.example.org", false)] {
            let class = json!([{ "metadata": { "name": "a" }, "provisioner": driver }]);
            let facts: Facts =
                serde_json::from_value(json!({ "storageClasses": { "state": "seen", "value": class } })).unwrap();
            let selection = Selection { storage_classes: vec!["a".to_owned()], ..Selection::default() };
            let run = "7f3a9c".parse().unwrap();
            let mut plan = Plan::new(&selection, &facts, run, "2026-01-01T01:00:00Z".parse().unwrap()).unwrap();
            plan.targets[0].mode = &CLONES;
            let carry = Carry::new(&plan, KnownFacts::new(facts, None), b"seed");
            for (trip, target) in plan.targets.iter().enumerate() {
                let skipped = carry.foreseen(trip).filter(|foreseen| foreseen.status == Status::Skip);
                assert_eq!(skipped.is_some(), is_known && trip == 0, "{target:?}: {skipped:?}");
                let because = skipped.and_then(|skipped| skipped.cause);
                assert!(because.is_none_or(|because| because.contains("according to")));
            }
        }
    }

    #[test]
    fn a_file_system_keeps_some_of_its_volume_for_itself() {
        let wanted = 2 << 30;
        for (room, grown) in
            [(wanted, true), (wanted / 16 * 15, true), (wanted / 2, false), (0, false), (u64::MAX, true)]
        {
            assert_eq!(is_as_large(room, wanted), grown, "{room}");
        }
        assert!(!is_as_large(1 << 60, u64::MAX), "what was asked for is not known");
    }
}
