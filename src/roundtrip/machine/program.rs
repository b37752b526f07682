//! The round trip as a program, and how it goes forward.

use super::{Command, Ending, Machine, Stage};
use crate::model::StepId;
use crate::roundtrip::ledger::{Item, Progress, Role, State};

/// One thing that a round trip does, and waits for.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// The namespace exists.
    Namespace,
    /// The dry run of all objects is allowed.
    DryRun,
    /// The object exists.
    Create(Role),
    /// The object has come that far.
    Await(Role, Progress),
    /// The same, while the writer holds the source. In the end it is looked for by name, as a watch may be behind.
    AwaitHeld(Role, Progress),
    /// The claim of this consumer is bound, and the consumer has gone, if it was needed.
    Bind(Role),
    /// The writer was asked to go, and has overwritten the source.
    Release,
}

/// The source is in use while it is snapshotted. The writer overwrites it on its way out: no exec is needed, and no
/// second start of a pod.
const PROGRAM: [(StepId, Act); 15] = [
    (StepId::Admission, Act::Namespace),
    (StepId::Admission, Act::DryRun),
    (StepId::Provision, Act::Create(Role::SourceClaim)),
    (StepId::Provision, Act::Bind(Role::SourceConsumer)),
    (StepId::Provision, Act::Create(Role::Writer)),
    (StepId::Provision, Act::Await(Role::Writer, Progress::Started)),
    (StepId::Write, Act::Await(Role::Writer, Progress::Written)),
    (StepId::Snapshot, Act::Create(Role::Snapshot)),
    (StepId::Snapshot, Act::AwaitHeld(Role::Snapshot, Progress::Done)),
    (StepId::Overwrite, Act::Release),
    (StepId::Restore, Act::Create(Role::RestoredClaim)),
    (StepId::Restore, Act::Bind(Role::RestoredConsumer)),
    (StepId::Restore, Act::Create(Role::Reader)),
    (StepId::Restore, Act::Await(Role::Reader, Progress::Started)),
    (StepId::Verify, Act::Await(Role::Reader, Progress::Done)),
];

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
            let Some((step, act)) = PROGRAM.get(place) else {
                self.end(index, Ending::Passed, out);
                return;
            };
            self.enter(index, *step, out);
            match self.act(index, *act, out) {
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
            Act::Namespace => self.namespace(out),
            Act::DryRun => self.dry_run(index, out),
            Act::Create(role) => self.make(Self::item(index, role), out),
            Act::Await(role, progress) => self.wait_for(Self::item(index, role), progress),
            Act::AwaitHeld(role, progress) => self.wait_held(index, Self::item(index, role), progress, out),
            Act::Bind(consumer) => self.bind(index, consumer, out),
            Act::Release => self.release(Self::item(index, Role::Writer), out),
        }
    }

    fn namespace(&mut self, out: &mut Vec<Command>) -> Turn {
        if !self.settings.own_namespace {
            return Turn::Done;
        }
        if self.namespace_refused {
            return Turn::End(Ending::Refused(Item::Namespace));
        }
        if !self.namespace_asked {
            self.namespace_asked = true;
            out.push(Command::DryRun { trip: None });
        }
        if self.namespace_admitted { self.make(Item::Namespace, out) } else { Turn::Wait }
    }

    fn dry_run(&mut self, index: usize, out: &mut Vec<Command>) -> Turn {
        let Some(trip) = self.trips.get_mut(index) else {
            return Turn::Wait;
        };
        if trip.admitted {
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

    fn bind(&mut self, index: usize, consumer: Role, out: &mut Vec<Command>) -> Turn {
        let Some(claim) = consumer.consumes().map(|claim| Self::item(index, claim)) else {
            return Turn::Done;
        };
        let consumer = Self::item(index, consumer);
        let bound = self.wait_for(claim, Progress::Done);
        match (bound, self.ledger.state(consumer)) {
            (Turn::Wait, _) if !self.settings.immediate.contains(&index) => match self.make(consumer, out) {
                Turn::Done => Turn::Wait,
                turn @ (Turn::Wait | Turn::End(_)) => turn,
            },
            (Turn::Done, State::Exists) => {
                self.delete(consumer, out);
                Turn::Wait
            }
            (Turn::Done, state) if !state.settled() => Turn::Wait,
            (bound, _) => bound,
        }
    }

    fn wait_held(&mut self, index: usize, item: Item, progress: Progress, out: &mut Vec<Command>) -> Turn {
        let writer = Self::item(index, Role::Writer);
        if self.ledger.state(writer) != State::Exists {
            // Its last deed is to overwrite the source, so what the snapshot holds is not known.
            return Turn::End(Ending::Vanished(writer));
        }
        match (self.wait_for(item, progress), self.trips.get_mut(index)) {
            (Turn::Done, _) if self.ledger.get(writer).is_some_and(|entry| entry.asked) => Turn::Wait,
            (Turn::Done, Some(trip)) if !trip.held => {
                trip.held = true;
                self.ask(writer, false, out);
                Turn::Wait
            }
            (turn, _) => turn,
        }
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
