//! The one way out.

use super::{Command, Machine, Stage};
use crate::model::StepId;
use crate::roundtrip::ledger::{Item, Role, State, Why};

/// What is removed together; each wave waits for the one before. A pending restore blocks the snapshot's deletion, and
/// not every driver deletes a volume that has snapshots.
const WAVES: [&[Role]; 4] = [
    &[Role::Reader, Role::RestoredConsumer, Role::Writer, Role::SourceConsumer],
    &[Role::RestoredClaim, Role::RestoredVolume],
    &[Role::Snapshot, Role::Content],
    &[Role::SourceClaim, Role::SourceVolume],
];

impl Machine {
    /// Removes what a round trip made, as far as that can be done now.
    pub(super) fn unwind(&mut self, index: usize, out: &mut Vec<Command>) {
        let Some(trip) = self.trips.get(index) else {
            return;
        };
        if !matches!(trip.stage, Stage::Unwinding | Stage::Done) {
            return;
        }
        let (hurry, kept) = (trip.hurry, trip.kept);
        if self.rules.drain_first && !self.ledger.items(Some(index), |state| state == State::InFlight).is_empty() {
            return;
        }
        if kept {
            self.keep(index, out);
            return;
        }
        let mut open = false;
        for wave in WAVES {
            let mut waiting = false;
            for role in wave {
                waiting |= self.remove(index, *role, out);
            }
            open |= waiting;
            if waiting && !hurry && self.rules.reverse_order {
                return;
            }
        }
        if !open {
            self.cleaned(index, out);
        }
    }

    /// Says whether the object has to be waited for.
    fn remove(&mut self, index: usize, role: Role, out: &mut Vec<Command>) -> bool {
        let item = Self::item(index, role);
        match self.ledger.state(item) {
            State::Exists if role.namespaced() => {
                self.delete(item, out);
                true
            }
            State::Exists => {
                self.follow(index, role, out);
                // What it was made for goes with the namespace, and it is looked for again when that is gone.
                let later = self.settings.own_namespace && self.maker_state(index, role) == Some(State::Unclear);
                !later && !self.ledger.state(item).settled()
            }
            State::Deleting => true,
            State::Unclear => {
                self.ask(item, true, out);
                // In a namespace of our own it goes with the namespace, if it comes at all.
                !self.settings.own_namespace
            }
            State::InFlight => self.rules.drain_first,
            State::Planned | State::Gone | State::Left(_) | State::Kept | State::Foreign | State::Unseen => false,
        }
    }

    /// What a controller made goes with what it was made for. We only look.
    fn follow(&mut self, index: usize, role: Role, out: &mut Vec<Command>) {
        let item = Self::item(index, role);
        match self.maker_state(index, role) {
            Some(State::Left(why)) => self.ledger.entry(item).state = State::Left(why),
            Some(State::Kept) => self.ledger.entry(item).state = State::Kept,
            Some(State::Gone | State::Planned | State::Foreign) => {
                self.ledger.entry(item).state = State::Deleting;
                self.ask(item, false, out);
            }
            Some(State::InFlight | State::Unclear | State::Exists | State::Deleting | State::Unseen) | None => {}
        }
    }

    /// The state of what a controller's object was made for.
    fn maker_state(&self, index: usize, role: Role) -> Option<State> {
        Some(self.ledger.state(Self::item(index, role.maker()?)))
    }

    /// The one place where a delete leaves the machine.
    pub(super) fn delete(&mut self, item: Item, out: &mut Vec<Command>) {
        let entry = self.ledger.entry(item);
        if let Some(uid) = entry.uid.clone() {
            entry.state = State::Deleting;
            out.push(Command::Delete { item, uid });
        } else {
            self.ask(item, false, out);
        }
    }

    fn keep(&mut self, index: usize, out: &mut Vec<Command>) {
        for item in self.ledger.items(Some(index), |state| !state.settled()) {
            self.ledger.entry(item).state = State::Kept;
        }
        self.cleaned(index, out);
    }

    fn cleaned(&mut self, index: usize, out: &mut Vec<Command>) {
        let clean = self.ledger.items(Some(index), |state| matches!(state, State::Left(_))).is_empty();
        let Some(trip) = self.trips.get_mut(index) else {
            return;
        };
        trip.stage = Stage::Done;
        if !trip.cleaned {
            trip.cleaned = true;
            out.push(Command::End { trip: index, step: StepId::Cleanup, passed: clean });
        }
    }

    /// The budget is spent: what is not seen to be gone is listed.
    pub(super) fn give_up(&mut self, trip: Option<usize>, why: Why) {
        match trip {
            Some(index) => {
                if self.trips.get(index).is_some_and(|trip| trip.ending.is_some()) {
                    for item in self.ledger.items(Some(index), |state| !state.settled()) {
                        self.ledger.entry(item).state = State::Left(why);
                    }
                }
            }
            None => {
                if self.namespace_removal {
                    for item in self.ledger.items(None, |state| !state.settled()) {
                        self.ledger.entry(item).state = State::Left(why);
                    }
                }
            }
        }
    }

    /// All round trips are done: the namespace goes, and the run is over.
    pub(super) fn remove_namespace(&mut self, out: &mut Vec<Command>) {
        let kept = self.trips.iter().any(|trip| trip.kept);
        let state = self.ledger.state(Item::Namespace);
        if kept && matches!(state, State::Exists | State::Deleting) {
            self.ledger.entry(Item::Namespace).state = State::Kept;
        } else if !state.settled() && !self.namespace_removal {
            self.namespace_removal = true;
            out.push(Command::RemoveNamespace);
        }
        match self.ledger.state(Item::Namespace) {
            State::Exists => return self.delete(Item::Namespace, out),
            State::Unclear => return self.ask(Item::Namespace, true, out),
            State::InFlight | State::Deleting => return,
            State::Gone => {
                self.gone_with_namespace();
                for trip in 0..self.trips.len() {
                    self.unwind(trip, out);
                }
                if self.ledger.items(None, |state| !state.settled()).iter().any(|item| item.trip().is_some()) {
                    return;
                }
            }
            State::Planned | State::Left(_) | State::Kept | State::Foreign | State::Unseen => {}
        }
        for item in self.ledger.items(None, |state| !state.settled()) {
            self.ledger.entry(item).state = State::Left(Why::Budget);
        }
        self.finish(out);
    }

    /// The namespace is gone, so what was in it is, and nothing can come any more. What was made for it outside of the
    /// namespace is looked at once more.
    fn gone_with_namespace(&mut self) {
        if self.namespace_emptied {
            return;
        }
        self.namespace_emptied = true;
        for item in self.ledger.items(None, |state| !state.settled() || matches!(state, State::Left(_))) {
            let entry = self.ledger.entry(item);
            match item {
                Item::Of(_, role) if role.namespaced() => entry.state = State::Gone,
                Item::Of(..) if entry.state != State::Left(Why::Policy) => {
                    entry.state = State::Exists;
                }
                Item::Of(..) | Item::Namespace => {}
            }
        }
    }
}
