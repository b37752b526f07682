//! What is made of what is seen while a round trip waits, and in its end.

use std::time::Duration;

use futures::FutureExt;
use snapready_checks::diagnosis::Diagnosis;

use super::take::Message;
use super::{Driver, Knowledge, Observed};
use crate::model::{CheckResult, Kind, StepId};
use crate::roundtrip::ledger::{Item, Progress, State};
use crate::roundtrip::machine::{Ending, Input};
use crate::roundtrip::observe;
use crate::roundtrip::program::{Object, Program};

/// How often a content is looked at that cannot be watched.
const LOOK: Duration = Duration::from_secs(1);

impl<K: Knowledge> Driver<'_, K> {
    pub(super) fn observed(&self, trip: usize, step: StepId) -> Observed<'_> {
        let own = |item: &Item| (item.trip() == Some(trip)).then(|| item.object());
        Observed {
            trip,
            step,
            elapsed: self.record.elapsed(trip),
            objects: self.objects.iter().filter_map(|(item, object)| own(item).map(|id| (id, object))).collect(),
            ages: self.since.iter().filter_map(|(item, since)| Some((own(item)?, since.elapsed()))).collect(),
            events: self
                .events
                .iter()
                .filter(|event| self.about(event).is_some_and(|item| own(&item).is_some()))
                .collect(),
        }
    }

    pub(super) fn diagnose_all(&mut self) {
        for trip in 0..self.knowledge.trips().len() {
            self.look_at_content(trip);
            self.diagnose(trip);
        }
    }

    pub(super) fn diagnose(&mut self, trip: usize) {
        if self.machine.ending(trip).is_some() {
            return;
        }
        let Some(step) = self.machine.step(trip).filter(|step| *step != StepId::Admission) else {
            return;
        };
        if let Some(item) = self.machine.leaving(trip) {
            let Some(place) = self.place(item) else { return };
            let deleting = self.objects.get(&item).is_some_and(observe::is_deleting);
            let last_seen = if deleting { "it is being deleted" } else { "" };
            self.record.waiting(trip, step, format!("{} to be gone", place.object()), last_seen.to_owned());
            return;
        }
        match self.knowledge.diagnose(&self.observed(trip, step)) {
            Diagnosis::Waiting { waiting_for, last_seen } => self.record.waiting(trip, step, waiting_for, last_seen),
            Diagnosis::Certain(diagnosis) => {
                self.record.diagnose(trip, *diagnosis);
                self.feed(Input::Certain { trip });
            }
        }
    }

    /// Looks at the content of a snapshot that is to be ready or to go: it tells how far the driver's sidecar is.
    pub(super) fn look_at_content(&mut self, trip: usize) {
        let program = self.knowledge.program(trip);
        for content in program.objects().iter().filter(|object| object.kind == Kind::VOLUME_SNAPSHOT_CONTENT) {
            match content.maker() {
                Some(_) => self.look_at_one_content(trip, content),
                None => self.look_at_given_content(trip, &program, content),
            }
        }
    }

    /// A content that the run has created, while the snapshot that names it is not ready.
    fn look_at_given_content(&mut self, trip: usize, program: &Program, content: &Object) {
        let ledger = self.machine.ledger();
        let names_it = |object: &&Object| object.kind == Kind::VOLUME_SNAPSHOT && object.needs.contains(&content.id);
        let snapshot = program.objects().iter().find(names_it).map(|snapshot| Item::Of(trip, snapshot.id));
        let waits = snapshot.is_some_and(|snapshot| {
            ledger.state(snapshot) == State::Exists && ledger.progress(snapshot) < Progress::Done
        });
        let item = Item::Of(trip, content.id);
        if waits && self.machine.ending(trip).is_none() && ledger.state(item) == State::Exists {
            self.look_when_it_changes(item);
        }
    }

    fn look_at_one_content(&mut self, trip: usize, content: &Object) {
        let (item, Some(snapshot)) = (Item::Of(trip, content.id), content.maker().map(|maker| Item::Of(trip, maker)))
        else {
            return;
        };
        let Some(seen) = self.objects.get(&snapshot) else {
            return;
        };
        let bound = observe::text(seen, "/status/boundVolumeSnapshotContentName").is_some();
        let goes = observe::is_deleting(seen) && !self.machine.ledger().state(snapshot).settled();
        let waits = self.machine.ending(trip).is_none() && self.machine.step(trip) == Some(StepId::Snapshot);
        if bound && (waits || goes) {
            self.look_when_it_changes(item);
        }
    }

    fn look_when_it_changes(&mut self, item: Item) {
        if let Some(place) = self.place(item)
            && self.looking.insert(item)
        {
            let server = self.server.clone();
            let mut lookout = self.lookout(item, place);
            self.work.push(
                async move {
                    let answer = lookout.next(&server, LOOK).await;
                    Message::Content { item, answer, lookout }
                }
                .boxed(),
            );
        }
    }

    /// What the API server has refused up to now, if it was sent again and again because the refusal might have passed.
    fn still_refused(&self, trip: usize) -> Option<CheckResult> {
        let ledger = self.machine.ledger();
        let mut refused = self.failures.iter().filter(|(item, (_, failure))| {
            item.trip().is_none_or(|other| other == trip)
                && ledger.get(**item).is_some_and(|entry| entry.uid.is_none())
                && failure.may_pass()
        });
        refused.next().map(|(_, (object, failure))| self.knowledge.refused(trip, failure, object))
    }

    pub(super) fn verdict(&mut self, trip: usize, ending: Ending) {
        let name = |item: Item| self.place(item).map(|place| place.object());
        let step = self.record.step(trip).unwrap_or(StepId::Admission);
        let diagnosis = match ending {
            Ending::Passed | Ending::Interrupted | Ending::Certain | Ending::NotAdmitted => None,
            Ending::TimedOut => {
                let refused = self.still_refused(trip);
                refused.or_else(|| Some(self.knowledge.timed_out(&self.observed(trip, step))))
            }
            Ending::Refused(item) | Ending::Unmade(item) => {
                self.failures.get(&item).map(|(object, failure)| self.knowledge.refused(trip, failure, object))
            }
            Ending::Stayed(item) => name(item).map(|object| {
                let seen = self.objects.get(&item).cloned().unwrap_or_default();
                self.knowledge.stayed(trip, object, &seen)
            }),
            Ending::Vanished(item) => name(item).map(|object| self.knowledge.vanished(trip, step, &object)),
        };
        if let Some(diagnosis) = diagnosis {
            self.record.diagnose(trip, diagnosis);
        }
        self.record.verdict(trip, ending);
    }
}
