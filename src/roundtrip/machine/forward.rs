//! How a round trip goes forward in its program.

use super::{Command, Ending, Machine, Stage};
use crate::model::StepId;
use crate::roundtrip::ledger::{Item, Progress, State, Why};
use crate::roundtrip::program::{Act, ObjectId};

/// What came of an act.
enum Turn {
    Done,
    Wait,
    End(Ending),
}

impl Machine {
    /// Goes forward with a round trip until there is something to wait for.
    pub(super) fn advance(&mut self, index: usize, out: &mut Vec<Command>) {
        while let Some(Stage::Running(place)) = self.trips.get(index).map(|trip| trip.stage) {
            let next = self.program(Some(index)).and_then(|program| program.acts().get(place).copied());
            let Some((step, act)) = next else {
                self.end(index, Ending::Passed, out);
                return;
            };
            self.enter(index, step, out);
            match self.act(index, act, out) {
                Turn::Done => {
                    // An act may itself have ended the round trip.
                    if let Some(trip) = self.trips.get_mut(index)
                        && trip.stage == Stage::Running(place)
                    {
                        trip.stage = Stage::Running(place + 1);
                    }
                }
                Turn::Wait => return,
                Turn::End(ending) => {
                    self.end(index, ending, out);
                    return;
                }
            }
        }
    }

    fn enter(&mut self, index: usize, step: StepId, out: &mut Vec<Command>) {
        let Some(trip) = self.trips.get_mut(index) else {
            return;
        };
        if trip.step == Some(step) {
            return;
        }
        if let Some(before) = trip.step {
            out.push(Command::End { trip: index, step: before, passed: true });
        }
        trip.step = Some(step);
        out.push(Command::Begin { trip: index, step });
    }

    fn act(&mut self, index: usize, act: Act, out: &mut Vec<Command>) -> Turn {
        match act {
            Act::AdmitShared => self.admit_shared(index, out),
            Act::Admit => self.dry_run(index, out),
            Act::Create(object) => self.make(self.item(index, object), out),
            Act::Await(object, progress) => self.await_one(index, object, progress, out),
            Act::AwaitHeld { object, progress, holder } => {
                let turn = self.wait_held(index, self.item(index, object), progress, self.item(index, holder), out);
                match (&turn, self.lost(index, object)) {
                    // Whether the writer is still there is asked when all else is done.
                    (Turn::Wait, Some(lost)) if self.ledger.progress(self.item(index, object)) < progress => {
                        Turn::End(Ending::Vanished(lost))
                    }
                    _ => turn,
                }
            }
            Act::Bind(consumer) => self.bind(index, consumer, out),
            Act::Release(writer) => self.release(self.item(index, writer), out),
            Act::TakeOver(object) => self.take_over(self.item(index, object), out),
            Act::Remove(object) => self.remove_now(self.item(index, object), out),
            Act::Delete(object) => self.ask_to_go(self.item(index, object), out),
            Act::AwaitGone(object) => self.await_gone(index, object, out),
        }
    }

    fn item(&self, index: usize, object: ObjectId) -> Item {
        self.program(Some(index)).map_or(Item::Of(index, object), |program| program.item(index, object))
    }

    fn admit_shared(&mut self, index: usize, out: &mut Vec<Command>) -> Turn {
        if self.shared.refused {
            let first = self.program(Some(index)).and_then(|program| program.created_shared().next());
            return Turn::End(first.map_or(Ending::NotAdmitted, |object| Ending::Refused(Item::Shared(object))));
        }
        if !self.shared.asked {
            self.shared.asked = true;
            out.push(Command::DryRun { trip: None });
        }
        if self.shared.admitted.is_some() { Turn::Done } else { Turn::Wait }
    }

    fn dry_run(&mut self, index: usize, out: &mut Vec<Command>) -> Turn {
        let Some(trip) = self.trips.get_mut(index) else {
            return Turn::Wait;
        };
        if trip.admitted.is_some() {
            return Turn::Done;
        }
        if !trip.admission_asked {
            trip.admission_asked = true;
            out.push(Command::DryRun { trip: Some(index) });
        }
        Turn::Wait
    }

    fn make(&mut self, item: Item, out: &mut Vec<Command>) -> Turn {
        match self.ledger.get(item) {
            None => {
                self.create(item, out);
                Turn::Wait
            }
            Some(entry) => match entry.state {
                State::Exists | State::Deleting => Turn::Done,
                // A create that was not processed waits for its next try; others for their answer.
                State::Planned | State::InFlight | State::Unclear => Turn::Wait,
                State::Gone | State::Left(_) | State::Kept | State::Unseen => Turn::End(Ending::Vanished(item)),
                State::Foreign => Turn::End(Ending::Refused(item)),
            },
        }
    }

    fn wait_for(&self, item: Item, progress: Progress) -> Turn {
        if self.ledger.progress(item) >= progress {
            Turn::Done
        } else if self.ledger.state(item).settled() {
            Turn::End(Ending::Vanished(item))
        } else {
            Turn::Wait
        }
    }

    /// What an object that is waited for cannot do without, itself included, and somebody else has deleted. What is on its way out may
    /// stay for as long as a finalizer holds it, but nothing new is made from it.
    fn lost(&self, index: usize, object: ObjectId) -> Option<Item> {
        let Stage::Running(place) = self.trips.get(index)?.stage else { return None };
        let program = self.program(Some(index))?;
        let is_removed =
            |id| program.acts().iter().take(place).any(|(_, act)| [Act::Remove(id), Act::Delete(id)].contains(act));
        let needed = program.object(object)?.needs.iter().copied().filter(|id| !is_removed(*id));
        let items = needed.chain([object]).map(|id| program.item(index, id));
        let is_own = |item: &Item| self.maker(*item).is_none();
        items.filter(is_own).find(|item| matches!(self.ledger.state(*item), State::Deleting | State::Gone))
    }

    /// Waits for an object of a round trip, unless it is known that nothing will come of it.
    fn await_one(&mut self, index: usize, object: ObjectId, progress: Progress, out: &mut Vec<Command>) -> Turn {
        let turn = self.look_for(self.item(index, object), progress, out);
        match (&turn, self.lost(index, object)) {
            (Turn::Wait, Some(lost)) => Turn::End(Ending::Vanished(lost)),
            _ => turn,
        }
    }

    /// Waits for an object. Of what controllers make nothing is told: it is looked for.
    fn look_for(&mut self, item: Item, progress: Progress, out: &mut Vec<Command>) -> Turn {
        let turn = self.wait_for(item, progress);
        let is_known = self.ledger.get(item).is_some_and(|entry| entry.uid.is_some());
        match turn {
            Turn::Wait if self.maker(item).is_some() => self.ask(item, is_known, out),
            Turn::End(_) if self.ledger.state(item) == State::Unseen => return Turn::End(Ending::Refused(item)),
            _ => {}
        }
        turn
    }

    fn take_over(&mut self, item: Item, out: &mut Vec<Command>) -> Turn {
        let turn = self.wait_for(item, Progress::Done);
        let entry = self.ledger.entry(item);
        if let (Turn::Wait, false, Some(uid)) = (&turn, entry.asked, entry.uid.clone()) {
            // It is answered like a look, and no look may be answered between change and answer.
            entry.asked = true;
            entry.seen_since = false;
            out.push(Command::TakeOver { item, uid });
        }
        turn
    }

    fn bind(&mut self, index: usize, consumer: ObjectId, out: &mut Vec<Command>) -> Turn {
        let claim = self.program(Some(index)).and_then(|program| program.consumes(consumer));
        let Some(claim) = claim.map(|claim| self.item(index, claim)) else {
            return Turn::Done;
        };
        let consumer = self.item(index, consumer);
        let bound = self.wait_for(claim, Progress::Done);
        match (bound, self.ledger.state(consumer)) {
            (Turn::Wait, _) => match (self.make(consumer, out), self.lost(index, claim.object())) {
                (Turn::Done, Some(lost)) => Turn::End(Ending::Vanished(lost)),
                (Turn::Done, None) => Turn::Wait,
                (turn @ (Turn::Wait | Turn::End(_)), _) => turn,
            },
            (Turn::Done, State::Exists) => {
                self.delete(consumer, out);
                Turn::Wait
            }
            (Turn::Done, state) if !state.settled() => Turn::Wait,
            (bound, _) => bound,
        }
    }

    fn wait_held(
        &mut self,
        index: usize,
        item: Item,
        progress: Progress,
        writer: Item,
        out: &mut Vec<Command>,
    ) -> Turn {
        if self.ledger.state(writer) != State::Exists {
            // Its last deed is to overwrite the source, so what the snapshot holds is not known.
            return Turn::End(Ending::Vanished(writer));
        }
        match (self.wait_for(item, progress), self.trips.get_mut(index)) {
            (Turn::Done, _) if self.ledger.get(writer).is_some_and(|entry| entry.asked) => Turn::Wait,
            (Turn::Done, Some(trip)) if trip.held != Some(writer.object()) => {
                trip.held = Some(writer.object());
                self.ask(writer, false, out);
                Turn::Wait
            }
            (turn, _) => turn,
        }
    }

    fn remove_now(&mut self, item: Item, out: &mut Vec<Command>) -> Turn {
        match self.ledger.state(item) {
            State::Exists => {
                self.delete(item, out);
                Turn::Wait
            }
            State::Gone => Turn::Done,
            State::InFlight | State::Unclear | State::Deleting => Turn::Wait,
            // It stays, or nobody can tell.
            State::Planned | State::Left(_) | State::Kept | State::Foreign | State::Unseen => {
                Turn::End(Ending::Refused(item))
            }
        }
    }

    fn ask_to_go(&mut self, item: Item, out: &mut Vec<Command>) -> Turn {
        match self.remove_now(item, out) {
            // A request that is on its way is not yet a deletion.
            Turn::Wait if self.ledger.get(item).is_some_and(|entry| entry.going) => Turn::Done,
            turn => turn,
        }
    }

    fn await_gone(&mut self, index: usize, object: ObjectId, out: &mut Vec<Command>) -> Turn {
        let item = self.item(index, object);
        let maker = self.maker(item);
        if let (State::Exists, Some(maker)) = (self.ledger.state(item), maker) {
            self.follow(item, maker, out);
        }
        let state = self.ledger.state(item);
        // What goes with something that has had its time and is still there, is as well.
        let maker = maker.filter(|maker| !self.ledger.state(*maker).settled()).map(Item::object);
        let Some(trip) = self.trips.get_mut(index) else {
            return Turn::Wait;
        };
        if state == State::Left(Why::Denied) {
            // The API server does not let us.
            return Turn::End(Ending::Refused(item));
        }
        if state.settled() || (maker.is_some() && trip.given_time == maker && trip.had_its_time) {
            return Turn::Done;
        }
        if trip.given_time != Some(object) {
            trip.given_time = Some(object);
            trip.had_its_time = false;
            out.push(Command::GiveTime { item });
        }
        if trip.had_its_time { Turn::Done } else { Turn::Wait }
    }

    fn release(&mut self, writer: Item, out: &mut Vec<Command>) -> Turn {
        match self.ledger.state(writer) {
            State::Exists => self.delete(writer, out),
            // The API server does not let us.
            State::Left(_) => return Turn::End(Ending::Refused(writer)),
            _ => {}
        }
        self.wait_for(writer, Progress::Done)
    }
}
