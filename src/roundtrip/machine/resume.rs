//! A run that ended before its clean-up did is taken up where it was left: on its way out.

use super::{Ending, Machine, Settings, Shared, Stage, Trip};
use crate::model::{PodUser, StepId};
use crate::roundtrip::ledger::{Item, Ledger, State, Uid};
use crate::roundtrip::program::Program;

impl Machine {
    /// A machine that removes what was found of a run, in the order that its programs ask for. It creates nothing. A
    /// namespace counts as the run's own only if its program creates it.
    #[must_use]
    pub fn resume(programs: Vec<Program>, found: impl IntoIterator<Item = (Item, Uid)>) -> Self {
        let unwinding = Trip {
            stage: Stage::Unwinding,
            step: Some(StepId::Cleanup),
            ending: Some(Ending::Interrupted),
            ..Trip::QUEUED
        };
        let mut machine = Self {
            settings: Settings { parallel: programs.len(), ..Settings::default() },
            #[cfg(test)]
            rules: super::walk::Rules::ALL,
            ledger: Ledger::default(),
            trips: vec![unwinding; programs.len()],
            programs,
            shared: Shared { asked: true, admitted: Some(PodUser::NonRoot), ..Shared::default() },
            signals: 0,
            finished: false,
        };
        let mut found: Vec<(Item, Uid)> = found.into_iter().collect();
        // What a controller made is found by the labels that it got when it was taken over.
        found.sort_by_key(|(item, _)| machine.maker(*item).is_some());
        for (item, uid) in found {
            let taken_over = machine.maker(item).is_some();
            let entry = machine.ledger.entry(item);
            entry.taken_over = taken_over;
            entry.state = State::Exists;
            entry.uid = Some(uid);
            machine.expect_derived(item, true);
        }
        machine
    }
}
