//! The one way out.

use super::{Command, Machine, Stage};
use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::{Item, State, Why};
use crate::roundtrip::program::ObjectId;

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
        if self.drain_first() && !self.ledger.items(Some(index), |state| state == State::InFlight).is_empty() {
            return;
        }
        if kept {
            self.keep(index, out);
            return;
        }
        let mut open = false;
        let Some(program) = self.program(Some(index)).cloned() else {
            return;
        };
        for space in program.objects().iter().filter(|object| object.kind == Kind::NAMESPACE && !object.shared) {
            if self.ledger.state(Item::Of(index, space.id)) == State::Gone {
                self.gone_with_space(Item::Of(index, space.id));
            }
        }
        for wave in program.waves() {
            let mut waiting = false;
            for object in wave {
                waiting |= self.remove(Item::Of(index, *object), out);
            }
            open |= waiting;
            if waiting && !hurry && self.reverse_order() {
                return;
            }
        }
        if !open {
            self.cleaned(index, out);
        }
    }

    /// Says whether the object has to be waited for.
    fn remove(&mut self, item: Item, out: &mut Vec<Command>) -> bool {
        let taken_over = self.ledger.get(item).is_some_and(|entry| entry.taken_over);
        match (self.ledger.state(item), self.maker(item).filter(|_| !taken_over)) {
            (State::Exists, None) => {
                self.delete(item, out);
                true
            }
            (State::Exists, Some(maker)) => {
                self.follow(item, maker, out);
                // What it was made for goes with the namespace, and it is looked for again when that is gone.
                let later = self.goes_with_space(maker) && self.ledger.state(maker) == State::Unclear;
                !later && !self.ledger.state(item).settled()
            }
            (State::Deleting, _) => true,
            (State::Unclear, _) => {
                self.ask(item, true, out);
                // In a namespace of our own it goes with the namespace, if it comes at all.
                !self.goes_with_space(item)
            }
            (State::InFlight, _) => self.drain_first(),
            (State::Planned | State::Gone | State::Left(_) | State::Kept | State::Foreign | State::Unseen, _) => false,
        }
    }

    /// What a controller made goes with what it was made for. We only look.
    pub(super) fn follow(&mut self, item: Item, maker: Item, out: &mut Vec<Command>) {
        match self.ledger.state(maker) {
            State::Left(why) => self.ledger.entry(item).state = State::Left(why),
            State::Kept => self.ledger.entry(item).state = State::Kept,
            State::Gone | State::Planned | State::Foreign => {
                self.ledger.entry(item).state = State::Deleting;
                self.ask(item, false, out);
            }
            State::InFlight | State::Unclear | State::Exists | State::Deleting | State::Unseen => {}
        }
    }

    /// What a controller's object was made for; `None` for what the run creates.
    pub(super) fn maker(&self, item: Item) -> Option<Item> {
        let program = self.program(item.trip())?;
        let maker = program.object(item.object())?.maker()?;
        Some(item.trip().map_or(Item::Shared(maker), |trip| program.item(trip, maker)))
    }

    /// The namespace of the run's own that an object lies in.
    fn space(&self, item: Item) -> Option<Item> {
        let program = self.program(item.trip())?;
        let space = program.own_space(item.object())?;
        Some(item.trip().map_or(Item::Shared(space), |trip| program.item(trip, space)))
    }

    fn goes_with_space(&self, item: Item) -> bool {
        self.space(item).is_some()
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
                if self.shared.removal {
                    for item in self.ledger.items(None, |state| !state.settled()) {
                        self.ledger.entry(item).state = State::Left(why);
                    }
                }
            }
        }
    }

    /// All round trips are done: what they had in common goes, and the run is over.
    pub(super) fn remove_shared(&mut self, out: &mut Vec<Command>) {
        let kept = self.trips.iter().any(|trip| trip.kept);
        let shared: Vec<ObjectId> =
            self.program(None).map(|program| program.created_shared().collect()).unwrap_or_default();
        let mut waiting = false;
        for object in shared {
            waiting |= self.remove_one_shared(object, kept, out);
        }
        if waiting {
            return;
        }
        for item in self.ledger.items(None, |state| !state.settled()) {
            self.ledger.entry(item).state = State::Left(Why::Budget);
        }
        self.finish(out);
    }

    /// Says whether there is something to wait for.
    fn remove_one_shared(&mut self, object: ObjectId, kept: bool, out: &mut Vec<Command>) -> bool {
        let item = Item::Shared(object);
        let state = self.ledger.state(item);
        if kept && matches!(state, State::Exists | State::Deleting) {
            self.ledger.entry(item).state = State::Kept;
        } else if !state.settled() && !self.shared.removal {
            self.shared.removal = true;
            out.push(Command::RemoveShared);
        }
        match self.ledger.state(item) {
            State::Exists => self.delete(item, out),
            State::Unclear => self.ask(item, true, out),
            State::InFlight | State::Deleting => {}
            State::Gone => {
                self.gone_with_space(item);
                for trip in 0..self.trips.len() {
                    self.unwind(trip, out);
                }
                return self.ledger.items(None, |state| !state.settled()).iter().any(|item| item.trip().is_some());
            }
            State::Planned | State::Left(_) | State::Kept | State::Foreign | State::Unseen => return false,
        }
        true
    }

    /// The namespace is gone, so what was in it is, and nothing can come any more. What was made for it outside of the
    /// namespace is looked at once more.
    fn gone_with_space(&mut self, space: Item) {
        if self.shared.emptied.contains(&space) {
            return;
        }
        self.shared.emptied.push(space);
        for item in self.ledger.items(None, |state| !state.settled() || matches!(state, State::Left(_))) {
            let was_in_it = self.space(item) == Some(space);
            let made_for_it = self.maker(item).is_some_and(|maker| self.space(maker) == Some(space));
            let entry = self.ledger.entry(item);
            if was_in_it {
                entry.state = State::Gone;
            } else if made_for_it && entry.state != State::Left(Why::Policy) {
                entry.state = State::Exists;
            }
        }
    }
}
