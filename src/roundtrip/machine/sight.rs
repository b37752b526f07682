//! What the machine makes of what is seen, and of what is not.

use super::{ATTEMPTS, Command, DeleteAnswer, Ending, Machine, Sight};
use crate::roundtrip::ledger::{Entry, Item, Progress, State, Uid, Why};

impl Machine {
    /// Looks for an object by name, unless a look is under way.
    pub(super) fn ask(&mut self, item: Item, later: bool, out: &mut Vec<Command>) {
        let entry = self.ledger.entry(item);
        if !entry.asked {
            entry.asked = true;
            entry.seen_since = false;
            out.push(Command::Ask { item, later });
        }
    }

    pub(super) fn seen(&mut self, item: Item, sight: Sight) {
        let entry = self.ledger.entry(item);
        entry.seen_since = entry.asked;
        let sight = match sight {
            Sight::Ours { uid, progress, deleting, .. } => Sight::Ours { uid, progress, deleting, retained: false },
            sight => sight,
        };
        self.note(item, sight);
    }

    pub(super) fn asked(&mut self, item: Item, sight: &Sight, out: &mut Vec<Command>) {
        let entry = self.ledger.entry(item);
        entry.asked = false;
        // It was not there when it was looked for, but has been seen since.
        let outdated = std::mem::take(&mut entry.seen_since) && *sight == Sight::Absent;
        if !outdated {
            self.note(item, sight.clone());
        }
        let wanted = self.wanted(item);
        let entry = self.ledger.entry(item);
        match entry.state {
            State::Unclear if wanted && *sight == Sight::Absent && !outdated => {
                if entry.attempts < ATTEMPTS {
                    self.create(item, out);
                } else {
                    self.ask(item, true, out);
                    self.cannot_have(item, Ending::Unmade(item), out);
                }
            }
            // Never came, for certain.
            State::Gone if wanted && entry.gone.is_empty() && entry.attempts > 0 => {
                if entry.attempts < ATTEMPTS {
                    self.create(item, out);
                } else {
                    self.cannot_have(item, Ending::Unmade(item), out);
                }
            }
            State::Unclear | State::Deleting => self.ask(item, true, out),
            State::Planned
            | State::InFlight
            | State::Exists
            | State::Gone
            | State::Left(_)
            | State::Kept
            | State::Foreign
            | State::Unseen => {}
        }
    }

    pub(super) fn deleted(&mut self, item: Item, answer: DeleteAnswer, out: &mut Vec<Command>) {
        let verify = self.verify_deletion();
        let entry = self.ledger.entry(item);
        if entry.state != State::Deleting {
            return;
        }
        match answer {
            DeleteAnswer::Accepted if !verify => entry.state = State::Gone,
            DeleteAnswer::Accepted => {
                entry.going = true;
                self.ask(item, true, out);
            }
            DeleteAnswer::Absent => {
                let uid = entry.uid.clone();
                went(entry, uid);
            }
            DeleteAnswer::OtherUid => {
                entry.state = State::Unclear;
                self.ask(item, false, out);
            }
            DeleteAnswer::Denied => entry.state = State::Left(Why::Denied),
        }
    }

    pub(super) fn cannot_come(&mut self, item: Item, out: &mut Vec<Command>) {
        let entry = self.ledger.entry(item);
        entry.pending = 0;
        // A look that is under way may have been answered before the last chance to come.
        entry.seen_since |= entry.asked;
        if entry.state == State::Unclear {
            self.ask(item, false, out);
        }
    }

    fn note(&mut self, item: Item, sight: Sight) {
        let sight = match sight {
            Sight::Foreign { uid } if !self.respect_foreign() => {
                Sight::Ours { uid, progress: Progress::Nothing, deleting: false, retained: false }
            }
            sight => sight,
        };
        let doubt = self.doubt_absence();
        let controllers = self.maker(item).is_some();
        let entry = self.ledger.entry(item);
        match sight {
            Sight::Ours { uid, progress, deleting, retained } => {
                if entry.gone.contains(&uid) {
                    return;
                }
                let other = entry.uid.as_ref() != Some(&uid);
                entry.progress = if other { progress } else { entry.progress.max(progress) };
                entry.uid = Some(uid);
                entry.going = deleting || (entry.going && !other);
                if controllers && entry.progress == Progress::Done && !std::mem::replace(&mut entry.taken_over, true) {
                    // It was followed, but does not go by itself any more.
                    entry.state = if entry.state == State::Deleting { State::Exists } else { entry.state };
                }
                match entry.state {
                    State::Unclear | State::Gone | State::Planned => {
                        // A create that nobody waited for any more has taken effect.
                        entry.pending = entry.pending.saturating_sub(1);
                        entry.state = if deleting { State::Deleting } else { State::Exists };
                    }
                    State::Exists if deleting => entry.state = State::Deleting,
                    State::Deleting if retained => entry.state = State::Left(Why::Policy),
                    State::InFlight
                    | State::Exists
                    | State::Deleting
                    | State::Left(_)
                    | State::Kept
                    | State::Foreign
                    | State::Unseen => {}
                }
                self.expect_derived(item, other);
            }
            Sight::Foreign { uid } => match entry.state {
                State::Unclear | State::Planned | State::Gone | State::Exists | State::Deleting => {
                    entry.state = State::Foreign;
                    entry.uid = Some(uid);
                }
                State::InFlight | State::Left(_) | State::Kept | State::Foreign | State::Unseen => {}
            },
            Sight::Absent => match entry.state {
                State::Deleting | State::Exists => {
                    let uid = entry.uid.clone();
                    went(entry, uid);
                }
                State::Unclear if entry.pending == 0 || !doubt => entry.state = State::Gone,
                State::Planned
                | State::InFlight
                | State::Unclear
                | State::Gone
                | State::Left(_)
                | State::Kept
                | State::Foreign
                | State::Unseen => {}
            },
            Sight::Gone { uid } => {
                let known = entry.uid.is_none() || entry.uid.as_ref() == Some(&uid);
                match entry.state {
                    State::Exists | State::Deleting | State::Left(_) | State::Kept if known => {
                        went(entry, Some(uid));
                    }
                    State::Unclear if !entry.gone.contains(&uid) => {
                        entry.pending = entry.pending.saturating_sub(1);
                        went(entry, Some(uid));
                    }
                    _ => entry.gone.push(uid),
                }
            }
            Sight::Unreadable => {
                // What the run creates it may also read; a refusal is then no more than a moment's.
                if controllers && !entry.state.settled() {
                    entry.state = State::Unseen;
                }
            }
        }
    }

    /// What controllers make for an object that exists has to be looked for when it goes; anew for each object that
    /// comes under the name.
    pub(super) fn expect_derived(&mut self, item: Item, new: bool) {
        let Item::Of(trip, object) = item else { return };
        let Some(program) = self.program(Some(trip)).cloned() else {
            return;
        };
        let expected = match self.ledger.state(item) {
            left @ (State::Left(_) | State::Kept) => left,
            State::Planned
            | State::InFlight
            | State::Unclear
            | State::Exists
            | State::Deleting
            | State::Gone
            | State::Foreign
            | State::Unseen => State::Exists,
        };
        for derived in program.derived(object) {
            let entry = self.ledger.entry(Item::Of(trip, derived));
            if entry.state == State::Planned || new {
                entry.state = expected;
                entry.taken_over = false;
                // A look that is under way was for another object's.
                entry.seen_since = entry.asked;
                self.expect_derived(Item::Of(trip, derived), new);
            }
        }
    }
}

/// It is gone; unless another create of it may still take effect.
fn went(entry: &mut Entry, uid: Option<Uid>) {
    entry.state = if entry.pending > 0 { State::Unclear } else { State::Gone };
    entry.going = false;
    if let Some(uid) = uid
        && !entry.gone.contains(&uid)
    {
        entry.gone.push(uid);
    }
}
