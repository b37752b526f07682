//! Leaves out of machines and worlds what can no longer make a difference, so that states that differ in nothing else are
//! one.

use super::world::{Pending, Scenario, World};
use crate::model::PodUser;
use crate::roundtrip::ledger::{Item, Progress, State};
use crate::roundtrip::machine::{Command, Ending, Keep, Machine, Stage};

/// A set of objects, a bit for each.
pub(super) type Items = u64;

/// What a world has to know of a machine, and the other way round, to leave out what no longer matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Traits {
    /// Round trips that have ended, and those that are in a hurry, a bit for each.
    pub(super) ended: u8,
    pub(super) hurry: u8,
    /// Objects of such round trips that are gone for good, and those that are left for good.
    pub(super) over: Items,
    /// Those that are left by a round trip that is done, where no namespace's end will take them away.
    pub(super) dropped: Items,
    pub(super) finished: bool,
}

/// How many objects a round trip may have, and how many may be shared.
const OBJECTS: usize = 28;
const SHARED: usize = 8;

pub(super) fn bit(item: Item) -> Items {
    let place = item.object().place();
    match item.trip() {
        None => {
            assert!(place < SHARED, "a set of objects is too small");
            1 << place
        }
        Some(trip) => {
            assert!(place < OBJECTS && trip < 2, "a set of objects is too small");
            1 << (SHARED + trip * OBJECTS + place)
        }
    }
}

pub(super) fn traits(machine: &Machine) -> Traits {
    let mask = |condition: fn(&crate::roundtrip::machine::Trip) -> bool| {
        machine.trips.iter().enumerate().filter(|(_, trip)| condition(trip)).fold(0, |mask, (trip, _)| mask | 1 << trip)
    };
    let ended = mask(|trip| trip.ending.is_some());
    let set = |trips: u8, condition: fn(State) -> bool| {
        let items = machine.ledger.iter().filter(|(item, entry)| {
            item.trip().is_some_and(|trip| trips & (1 << trip) != 0) && condition(entry.state) && entry.pending == 0
        });
        items.fold(0, |items, (item, _)| items | bit(item))
    };
    let own_namespace = machine.programs[0].created_shared().next().is_some();
    let done = if own_namespace || machine.finished { 0 } else { mask(|trip| trip.stage == Stage::Done) };
    Traits {
        ended,
        hurry: mask(|trip| trip.hurry),
        over: set(ended, |state| matches!(state, State::Gone | State::Left(_))),
        dropped: set(done, |state| matches!(state, State::Left(_))),
        finished: machine.finished,
    }
}

/// What no longer matters to a machine must not tell its states apart: of a round trip that has ended, how it did, how far
/// its objects had come and how often they were tried; and of a run whose round trips all have, the first signal, which
/// could only end them.
pub(super) fn simplify(machine: &mut Machine, keep: Keep) {
    for index in 0..machine.trips.len() {
        let trip = &mut machine.trips[index];
        if trip.ending.is_none() {
            continue;
        }
        if keep == Keep::Never {
            trip.ending = Some(Ending::Certain);
        }
        trip.admission_asked = true;
        trip.admitted = Some(PodUser::NonRoot);
        trip.held = None;
        trip.given_time = None;
        trip.had_its_time = false;
        let program = machine.programs[index].clone();
        for object in program.objects().iter().filter(|object| !object.shared) {
            let entry = machine.ledger.entry(Item::Of(index, object.id));
            entry.attempts = 0;
            entry.going = false;
            entry.progress = Progress::Nothing;
        }
        for object in program.objects() {
            let Some(of) = object.maker() else { continue };
            let entry = machine.ledger.entry(Item::Of(index, of));
            let may_come = entry.pending > 0 || matches!(entry.state, State::InFlight | State::Unclear);
            let made = machine.ledger.entry(Item::Of(index, object.id));
            // A look at it by name finds this one or none.
            if !may_come && !made.taken_over {
                made.uid = None;
            }
        }
    }
    if machine.trips.iter().all(|trip| trip.ending.is_some()) {
        machine.signals = machine.signals.max(1);
        machine.shared.asked = true;
        machine.shared.admitted = Some(PodUser::NonRoot);
        machine.shared.refused = true;
        let shared: Vec<Item> =
            machine.ledger.iter().map(|(item, _)| item).filter(|item| item.trip().is_none()).collect();
        for item in shared {
            machine.ledger.entry(item).attempts = 0;
        }
    }
}

/// Leaves out what a machine knows of objects that are over.
pub(super) fn forget(after: &mut Machine, over: Items, dropped: Items) {
    let items: Vec<Item> = after.ledger.iter().map(|(item, _)| item).filter(|item| over & bit(*item) != 0).collect();
    for item in items {
        let entry = after.ledger.entry(item);
        entry.asked = false;
        entry.seen_since = false;
        entry.gone.clear();
        if entry.state == State::Gone || dropped & bit(item) != 0 {
            // As if it had never been.
            entry.state = State::Planned;
            entry.uid = None;
            entry.taken_over = false;
        }
    }
}

/// Leaves out of a world what no longer matters to anybody.
pub(super) fn clean(after: &mut World, scenario: &Scenario, traits: Traits) {
    let Traits { ended, over, dropped, finished, .. } = traits;
    let nature = &scenario.nature;
    let has_ended = |trip: usize| ended & (1 << trip) != 0;
    let all_ended = (0..scenario.programs.len()).all(has_ended);
    after.proved.retain(|(trip, _)| !has_ended(*trip));
    after.pending.retain(|pending| match pending {
        Pending::Request(Command::DryRun { trip: Some(trip) } | Command::RetryLater { item: Item::Of(trip, _) }) => {
            !has_ended(*trip)
        }
        Pending::Request(Command::DryRun { trip: None } | Command::RetryLater { item: Item::Shared(_) }) => !all_ended,
        Pending::Request(Command::Ask { item, .. }) => over & bit(*item) == 0,
        Pending::Request(_) | Pending::Answer(..) => true,
    });
    let things = &after.things;
    after.made.retain(|item, _| {
        let Item::Of(trip, object) = item else { return true };
        // What was made for something that is still there is not made again.
        let mut makers = nature.brings.iter().filter(|(_, derived)| derived == object);
        let remembered = makers.any(|(maker, _)| things.contains_key(&Item::Of(*trip, *maker)));
        remembered || over & bit(*item) == 0
    });
    after.stored.retain(|trip, _| {
        let is_dropped = |content| dropped & bit(Item::Of(*trip, content)) != 0;
        !nature.stored.is_some_and(|stored| is_dropped(stored.by.1) || is_dropped(stored.then.1))
    });
    after.things.retain(|item, _| dropped & bit(*item) == 0);
    for (item, thing) in &mut after.things {
        // How far its pods come is of no more interest, but for the volumes that are made when they start.
        if let Item::Of(trip, object) = item
            && nature.proof.contains(object)
            && has_ended(*trip)
            && thing.progress >= Progress::Started
        {
            thing.progress = Progress::Done;
        }
    }
    if finished {
        after.pending.retain(|pending| matches!(pending, Pending::Request(Command::Create { .. })));
    }
}
