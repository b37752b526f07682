//! What a run of round trips does next. Pure: inputs in, commands out; no cluster, no clock, no objects' contents. The
//! driver performs commands and turns what it sees into inputs. The rules that keep a cluster clean are here, and
//! `walk` shows that they hold in every state:
//!
//! - the ledger knows of an object before the request that creates it is sent;
//! - there is one way out, the unwinding, and it has a time budget of its own;
//! - nothing is unwound while a create is under way;
//! - a 404 after an unclear create does not mean that the object will not come;
//! - what is not ours is not touched;
//! - gone is what was seen to be gone, nothing else.

mod forward;
#[cfg(test)]
mod nature;
mod resume;
mod sight;
#[cfg(test)]
mod tests;
mod types;
mod unwind;
#[cfg(test)]
mod walk;

use crate::model::{PodUser, StepId};
use crate::roundtrip::ledger::{Item, Ledger, Progress, State, Why};
use crate::roundtrip::program::{Act, Object, ObjectId, Program};

#[cfg(test)]
pub(crate) use nature::{Growth, Nature, Stored};
pub use types::{Command, CreateAnswer, DeleteAnswer, Ending, Input, Keep, Settings, Sight};

/// How often a create is sent before the run gives up on it.
const ATTEMPTS: u8 = 3;

/// Where a round trip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    /// It waits for its turn.
    Queued,
    /// It is at this place of the program.
    Running(usize),
    /// Its outcome is known; what it made is being removed.
    Unwinding,
    /// Nothing is left to do.
    Done,
}

/// One round trip.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about it")]
struct Trip {
    stage: Stage,
    step: Option<StepId>,
    ending: Option<Ending>,
    /// Objects are deleted without waiting for others.
    hurry: bool,
    /// A dry run is under way or over.
    admission_asked: bool,
    /// What its pods run as: all of them, from the dry run on.
    admitted: Option<PodUser>,
    /// The writer that has been looked for since the snapshot is ready.
    held: Option<ObjectId>,
    /// What is given time to go, and whether it has had it.
    given_time: Option<ObjectId>,
    had_its_time: bool,
    kept: bool,
    /// The clean-up step was begun and has ended.
    cleaned: bool,
}

impl Trip {
    const QUEUED: Self = Self {
        stage: Stage::Queued,
        step: None,
        ending: None,
        hurry: false,
        admission_asked: false,
        admitted: None,
        held: None,
        given_time: None,
        had_its_time: false,
        kept: false,
        cleaned: false,
    };
}

/// What is known of the objects that all round trips have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Shared {
    /// Their dry run: asked, and answered with yes, for pods that run as this user.
    asked: bool,
    admitted: Option<PodUser>,
    /// They cannot be had.
    refused: bool,
    /// Their removal has begun.
    removal: bool,
    /// The namespaces that are gone, and with them what was in them.
    emptied: Vec<Item>,
}

/// What a run of round trips does next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Machine {
    settings: Settings,
    #[cfg(test)]
    rules: walk::Rules,
    /// One for each round trip.
    programs: Vec<Program>,
    ledger: Ledger,
    trips: Vec<Trip>,
    shared: Shared,
    signals: u8,
    finished: bool,
}

/// The rules that a test of the walk turns off, one at a time, to see that the walk notices. Outside of tests each of them
/// is a constant.
macro_rules! rules {
    ($($rule:ident),+) => {
        $(
            #[cfg(test)]
            fn $rule(&self) -> bool {
                self.rules.$rule
            }

            #[cfg(not(test))]
            const fn $rule(&self) -> bool {
                true
            }
        )+
    };
}

impl Machine {
    rules!(ledger_first, drain_first, doubt_absence, respect_foreign, verify_deletion, reverse_order);

    /// A machine for round trips with these programs. What they have in common is the same in all of them.
    #[must_use]
    pub fn new(settings: Settings, programs: Vec<Program>) -> Self {
        Self {
            settings,
            #[cfg(test)]
            rules: walk::Rules::ALL,
            ledger: Ledger::default(),
            trips: vec![Trip::QUEUED; programs.len()],
            programs,
            shared: Shared::default(),
            signals: 0,
            finished: false,
        }
    }

    /// The program that an object is of.
    #[cfg(test)]
    pub(crate) fn program_of(&self, item: Item) -> Option<&Program> {
        self.program(item.trip())
    }

    /// The program of a round trip; that of the first for what all have in common.
    fn program(&self, trip: Option<usize>) -> Option<&Program> {
        self.programs.get(trip.unwrap_or_default())
    }

    /// Which object of its program this is.
    #[must_use]
    pub fn object(&self, item: Item) -> Option<&Object> {
        self.program(item.trip())?.object(item.object())
    }

    /// What controllers make for an object, and for what they made for it; each with what it is made for.
    #[must_use]
    pub fn made_for(&self, item: Item) -> Vec<(Item, Object)> {
        let (Some(program), Some(trip)) = (self.program(item.trip()), item.trip()) else { return Vec::new() };
        let derived = |of: Item| program.derived(of.object()).map(move |id| (of, id));
        let next = |(_, id): (Item, ObjectId)| derived(Item::Of(trip, id));
        let made = derived(item).chain(derived(item).flat_map(next));
        made.filter_map(|(of, id)| Some((of, program.object(id)?.clone()))).collect()
    }

    /// What is known about the objects.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether there is nothing left to do.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// How a round trip ended; `None` while it goes on.
    #[must_use]
    pub fn ending(&self, trip: usize) -> Option<Ending> {
        self.trips.get(trip).and_then(|trip| trip.ending)
    }

    /// The step that a round trip is at; `None` before its first.
    #[must_use]
    pub fn step(&self, trip: usize) -> Option<StepId> {
        self.trips.get(trip).and_then(|trip| trip.step)
    }

    /// What the pods of a round trip run as (`None`: those for which what all have in common is made); `None` before
    /// its dry run is allowed.
    #[must_use]
    pub fn pod_user(&self, trip: Option<usize>) -> Option<PodUser> {
        match trip {
            None => self.shared.admitted,
            Some(trip) => self.trips.get(trip).and_then(|trip| trip.admitted),
        }
    }

    /// Takes note of what happened and says what to do next, in order.
    pub fn handle(&mut self, input: Input) -> Vec<Command> {
        let mut out = Vec::new();
        if self.finished {
            return out;
        }
        self.take(input, &mut out);
        self.go_on(&mut out);
        out
    }

    fn take(&mut self, input: Input, out: &mut Vec<Command>) {
        match input {
            Input::Start => {}
            Input::Admitted { trip: None, user } => {
                self.shared.admitted = user;
                self.shared.refused |= user.is_none();
            }
            Input::Admitted { trip: Some(trip), user: None } => self.end(trip, Ending::NotAdmitted, out),
            Input::Admitted { trip: Some(trip), user } => {
                if let Some(trip) = self.trips.get_mut(trip) {
                    trip.admitted = user;
                }
            }
            Input::Created { item, answer } => self.created(item, answer, out),
            Input::Retry { item } => {
                if self.ledger.state(item) == State::Planned && self.wanted(item) {
                    self.create(item, out);
                }
            }
            Input::Deleted { item, answer } => self.deleted(item, answer, out),
            Input::Asked { item, sight } => self.asked(item, &sight, out),
            Input::Seen { item, sight } => self.seen(item, sight),
            Input::CannotComeAnyMore { item } => self.cannot_come(item, out),
            Input::Certain { trip } => self.end(trip, Ending::Certain, out),
            Input::TimedOut { trip, step } => {
                if self.step(trip) == Some(step) {
                    match self.at(trip) {
                        // The round trip can do without, and the next step has a time of its own.
                        Some(Act::AwaitGone(_)) if self.only_awaits_gone(trip) => self.had_its_time(trip),
                        _ => self.end(trip, Ending::TimedOut, out),
                    }
                }
            }
            Input::HadItsTime { item } => {
                if let Some(trip) = item.trip()
                    && self.trips.get(trip).is_some_and(|trip| trip.given_time == Some(item.object()))
                {
                    self.had_its_time(trip);
                }
            }
            Input::RunTimedOut => self.end_all(Ending::TimedOut, out),
            Input::Hurry { trip } => {
                if let Some(trip) = self.trips.get_mut(trip) {
                    trip.hurry = true;
                }
            }
            Input::BudgetSpent { trip } => self.give_up(trip, Why::Budget),
            Input::Signal => {
                self.signals = self.signals.saturating_add(1);
                self.end_all(Ending::Interrupted, out);
            }
        }
    }

    fn go_on(&mut self, out: &mut Vec<Command>) {
        if self.signals >= 2 {
            for item in self.ledger.items(None, |state| !state.settled()) {
                self.ledger.entry(item).state = State::Left(Why::Signal);
            }
            self.finish(out);
            return;
        }
        for trip in 0..self.trips.len() {
            self.admit_to_running(trip);
            self.advance(trip, out);
        }
        for trip in 0..self.trips.len() {
            self.unwind(trip, out);
        }
        // An unwinding that had nothing to do has made room.
        if self.trips.iter().any(|trip| trip.stage == Stage::Queued) && self.running() < self.settings.parallel.max(1) {
            self.go_on(out);
            return;
        }
        if self.trips.iter().all(|trip| trip.stage == Stage::Done) {
            self.remove_shared(out);
        }
    }

    fn running(&self) -> usize {
        self.trips.iter().filter(|trip| matches!(trip.stage, Stage::Running(_) | Stage::Unwinding)).count()
    }

    fn admit_to_running(&mut self, index: usize) {
        let room = self.running() < self.settings.parallel.max(1);
        if let Some(trip) = self.trips.get_mut(index)
            && trip.stage == Stage::Queued
            && room
        {
            trip.stage = Stage::Running(0);
        }
    }

    /// Whether an object is still to be created: its round trip runs and is at it. A consumer is not, once its claim is
    /// bound; nor is what is to go before the clean-up.
    fn wanted(&self, item: Item) -> bool {
        match item {
            Item::Shared(_) => {
                !self.shared.refused && self.trips.iter().any(|trip| matches!(trip.stage, Stage::Running(_)))
            }
            Item::Of(index, object) => {
                let claim = self.program(Some(index)).and_then(|program| program.consumes(object));
                let bound = |claim| self.ledger.progress(Item::Of(index, claim)) == Progress::Done;
                let Some(Stage::Running(place)) = self.trips.get(index).map(|trip| trip.stage) else {
                    return false;
                };
                let acts = self.program(Some(index)).map(Program::acts).unwrap_or_default();
                let goes = [Act::Remove(object), Act::Delete(object)];
                let removed = acts.iter().take(place + 1).any(|(_, act)| goes.contains(act));
                !removed && !claim.is_some_and(bound)
            }
        }
    }

    /// The one place where a create leaves the machine.
    fn create(&mut self, item: Item, out: &mut Vec<Command>) {
        let ledger_first = self.ledger_first();
        let entry = self.ledger.entry(item);
        entry.attempts = entry.attempts.saturating_add(1);
        if ledger_first {
            entry.state = State::InFlight;
        }
        out.push(Command::Create { item });
    }

    fn created(&mut self, item: Item, answer: CreateAnswer, out: &mut Vec<Command>) {
        let doubt_absence = self.doubt_absence();
        let entry = self.ledger.entry(item);
        // A clean-up that was given up has already listed it.
        if let State::Left(_) = entry.state {
            if let CreateAnswer::Created(uid) = answer {
                entry.uid = Some(uid);
            }
            return;
        }
        match answer {
            CreateAnswer::Created(uid) => {
                entry.state = match (entry.gone.contains(&uid), entry.pending) {
                    (false, _) => State::Exists,
                    (true, 0) => State::Gone,
                    (true, _) => State::Unclear,
                };
                let new = entry.uid.replace(uid.clone()) != Some(uid);
                self.expect_derived(item, new);
            }
            CreateAnswer::Unclear => {
                entry.pending = entry.pending.saturating_add(1);
                entry.state = if doubt_absence { State::Unclear } else { State::Planned };
                self.ask(item, false, out);
            }
            CreateAnswer::AlreadyExists => {
                entry.state = State::Unclear;
                self.ask(item, false, out);
            }
            CreateAnswer::NotProcessed => {
                entry.state = if entry.pending > 0 { State::Unclear } else { State::Planned };
                entry.attempts = entry.attempts.saturating_sub(1);
                if entry.pending > 0 {
                    self.ask(item, true, out);
                } else if self.wanted(item) {
                    out.push(Command::RetryLater { item });
                }
            }
            CreateAnswer::Refused => {
                entry.state = if entry.pending > 0 { State::Unclear } else { State::Planned };
                self.cannot_have(item, Ending::Refused(item), out);
            }
        }
    }

    /// An object cannot be had: its round trip ends, or all of them if they have it in common.
    fn cannot_have(&mut self, item: Item, ending: Ending, out: &mut Vec<Command>) {
        match item {
            Item::Shared(_) => {
                self.shared.refused = true;
                self.end_all(ending, out);
            }
            Item::Of(trip, _) => self.end(trip, ending, out),
        }
    }

    fn end_all(&mut self, ending: Ending, out: &mut Vec<Command>) {
        for trip in 0..self.trips.len() {
            self.end(trip, ending, out);
        }
    }

    /// What a round trip is at; `None` if it does not run.
    fn at(&self, index: usize) -> Option<Act> {
        match self.trips.get(index)?.stage {
            Stage::Running(place) => self.program(Some(index))?.acts().get(place).map(|(_, act)| *act),
            Stage::Queued | Stage::Unwinding | Stage::Done => None,
        }
    }

    /// Whether nothing is left of a round trip's step but to see objects go.
    fn only_awaits_gone(&self, index: usize) -> bool {
        let Some(Stage::Running(place)) = self.trips.get(index).map(|trip| trip.stage) else { return false };
        let acts = self.program(Some(index)).map(Program::acts).unwrap_or_default();
        let mut of_step = acts.iter().skip(place).take_while(|(step, _)| Some(*step) == self.step(index));
        of_step.all(|(_, act)| matches!(act, Act::AwaitGone(_)))
    }

    /// The object that is to go before a round trip gets on.
    #[must_use]
    pub fn leaving(&self, index: usize) -> Option<Item> {
        match self.at(index)? {
            Act::Remove(object) | Act::AwaitGone(object) => Some(self.program(Some(index))?.item(index, object)),
            _ => None,
        }
    }

    fn had_its_time(&mut self, index: usize) {
        if let Some(trip) = self.trips.get_mut(index) {
            trip.had_its_time = true;
        }
    }

    /// The outcome of a round trip is known. Says so before anything is removed.
    fn end(&mut self, index: usize, ending: Ending, out: &mut Vec<Command>) {
        let ending = match (ending, self.leaving(index)) {
            (Ending::TimedOut, Some(item)) => Ending::Stayed(item),
            (ending, _) => ending,
        };
        let made = !self.ledger.items(Some(index), |state| state != State::Planned && state != State::Gone).is_empty();
        let interrupted = ending == Ending::Interrupted;
        let keep = match self.settings.keep {
            Keep::Always => true,
            Keep::OnFailure => ending != Ending::Passed && !interrupted,
            Keep::Never => false,
        };
        let Some(trip) = self.trips.get_mut(index).filter(|trip| trip.ending.is_none()) else {
            return;
        };
        trip.ending = Some(ending);
        trip.stage = Stage::Unwinding;
        if let Some(step) = trip.step {
            out.push(Command::End { trip: index, step, passed: ending == Ending::Passed });
        }
        out.push(Command::Verdict { trip: index, ending });
        trip.kept = keep && made;
        if made && !keep {
            trip.step = Some(StepId::Cleanup);
            out.push(Command::Begin { trip: index, step: StepId::Cleanup });
        } else {
            trip.step = None;
            trip.cleaned = true;
        }
    }

    fn finish(&mut self, out: &mut Vec<Command>) {
        self.finished = true;
        out.push(Command::Finished);
    }
}
