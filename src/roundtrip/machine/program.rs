//! The round trip as a program, and how it goes forward.

use super::{Command, Ending, Machine, Source, Stage};
use crate::report::document::StepId;
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
    /// The pod is gone.
    Remove(Role),
    /// The pod was asked to go, and has overwritten the source, or has gone without.
    Release(Role),
    /// A pod of its own overwrites the source, unless the writer did.
    OverwriteAgain,
}

/// The source is in use while it is snapshotted. The writer overwrites it on its way out: no exec is needed, and no
/// second start of a pod.
const ATTACHED: &[(StepId, Act)] = &[
    (StepId::Admission, Act::Namespace),
    (StepId::Admission, Act::DryRun),
    (StepId::Provision, Act::Create(Role::SourceClaim)),
    (StepId::Provision, Act::Create(Role::Writer)),
    (StepId::Provision, Act::Await(Role::Writer, Progress::Started)),
    (StepId::Write, Act::Await(Role::Writer, Progress::Written)),
    (StepId::Snapshot, Act::Create(Role::Snapshot)),
    (StepId::Snapshot, Act::Await(Role::Snapshot, Progress::Done)),
    (StepId::Overwrite, Act::Release(Role::Writer)),
    (StepId::Overwrite, Act::OverwriteAgain),
    (StepId::Restore, Act::Create(Role::RestoredClaim)),
    (StepId::Restore, Act::Create(Role::Reader)),
    (StepId::Restore, Act::Await(Role::Reader, Progress::Started)),
    (StepId::Verify, Act::Await(Role::Reader, Progress::Done)),
];

/// The writer has ended, and holds the volume no more, before the snapshot is taken.
const DETACHED: &[(StepId, Act)] = &[
    (StepId::Admission, Act::Namespace),
    (StepId::Admission, Act::DryRun),
    (StepId::Provision, Act::Create(Role::SourceClaim)),
    (StepId::Provision, Act::Create(Role::Writer)),
    (StepId::Provision, Act::Await(Role::Writer, Progress::Started)),
    (StepId::Write, Act::Await(Role::Writer, Progress::Written)),
    (StepId::Snapshot, Act::Remove(Role::Writer)),
    (StepId::Snapshot, Act::Create(Role::Snapshot)),
    (StepId::Snapshot, Act::Await(Role::Snapshot, Progress::Done)),
    (StepId::Overwrite, Act::Create(Role::Overwriter)),
    (StepId::Overwrite, Act::Await(Role::Overwriter, Progress::Done)),
    (StepId::Restore, Act::Create(Role::RestoredClaim)),
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
        let program = match self.settings.source {
            Source::Attached => ATTACHED,
            Source::Detached => DETACHED,
        };
        while let Some(Stage::Running(place)) = self.trips.get(index).map(|trip| trip.stage) {
            let Some((step, act)) = program.get(place) else {
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
            Act::Remove(role) => self.release(Self::item(index, role), false, out),
            Act::Release(role) => self.release(Self::item(index, role), true, out),
            Act::OverwriteAgain => {
                if self.ledger.progress(Self::item(index, Role::Writer)) == Progress::Done {
                    return Turn::Done;
                }
                let overwriter = Self::item(index, Role::Overwriter);
                match self.make(overwriter, out) {
                    Turn::Done => self.wait_for(overwriter, Progress::Done),
                    turn @ (Turn::Wait | Turn::End(_)) => turn,
                }
            }
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

    fn release(&mut self, item: Item, overwritten_is_enough: bool, out: &mut Vec<Command>) -> Turn {
        match self.ledger.state(item) {
            State::Exists => {
                self.delete(item, out);
                Turn::Wait
            }
            State::Deleting => {
                if overwritten_is_enough && self.ledger.progress(item) == Progress::Done {
                    Turn::Done
                } else {
                    Turn::Wait
                }
            }
            State::InFlight | State::Unclear => Turn::Wait,
            State::Planned | State::Gone | State::Left(_) | State::Kept | State::Foreign | State::Unseen => Turn::Done,
        }
    }
}
