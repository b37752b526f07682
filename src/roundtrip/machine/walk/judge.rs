//! What must hold: in the end, when a verdict is given, and when something is deleted.

use super::world::{Pending, Scenario, World, row};
use crate::roundtrip::ledger::{Item, State};
use crate::roundtrip::machine::{Command, Ending, Keep, Machine, Stage};
use crate::roundtrip::program::ObjectId;

/// At the end every object is gone, or listed, or kept; and what is not ours is untouched.
pub(super) fn end(scenario: &Scenario, machine: &Machine, world: &World) -> Result<(), String> {
    let named = |item: Item| matches!(machine.ledger().state(item), State::Left(_) | State::Kept | State::Unseen);
    // A clean-up does not know of what came after it looked; if it lists the namespace, that stands for what is in it.
    let in_a_named_space = |item: Item| scenario.resumed && scenario.space(item).is_some_and(named);
    let listed = |item: Item| named(item) || in_a_named_space(item);
    let fail = |what: &str, item: Item| Err(format!("{what}: {item:?}\n{machine:#?}\n{world:#?}"));
    for (item, thing) in &world.things {
        if scenario.resumed && scenario.goes_by_itself(*item, thing) {
            continue;
        }
        if thing.ours && !listed(*item) {
            return fail("left without being listed", *item);
        }
    }
    if let Some(stored) = scenario.nature.stored.filter(|_| !scenario.retained) {
        let owned = |trip: usize| {
            [stored.by.1, stored.then.1].iter().any(|content| world.things.contains_key(&Item::Of(trip, *content)))
        };
        if let Some((trip, _)) = world.stored.iter().find(|(trip, _)| !owned(**trip)) {
            return fail("a snapshot is left in the storage, and nothing names it", Item::Of(*trip, stored.by.0));
        }
    }
    let missing = |item: &&Item| !world.things.contains_key(item);
    if let Some(item) = scenario.foreign.iter().find(missing) {
        return fail("a foreign object was deleted", *item);
    }
    let on_the_way = world.pending.iter().filter_map(|pending| match pending {
        Pending::Request(Command::Create { item }) => Some(*item),
        Pending::Request(_) | Pending::Answer(..) => None,
    });
    let late = world.landing.iter().filter(|(_, count)| **count > 0).map(|(item, _)| *item);
    for item in on_the_way.chain(late) {
        let possible = scenario.space(item).is_none_or(|space| world.things.contains_key(&space));
        if possible && !listed(item) && !scenario.foreign.contains(&item) {
            return fail("may still come without being listed", item);
        }
    }
    if !world.hardship
        && scenario.settings.keep == Keep::Never
        && !scenario.retained
        && let Some((item, _)) = machine.ledger().leftovers().first()
    {
        return fail("listed although nothing kept it from being removed", *item);
    }
    if !scenario.resumed && world.verdicts.len() != scenario.programs.len() {
        return Err(format!("verdicts: {:?}\n{machine:#?}", world.verdicts));
    }
    Ok(())
}

/// Each round trip has one verdict, and a pass only if the source was overwritten and the data was read.
pub(super) fn verdict(scenario: &Scenario, world: &mut World, trip: usize, ending: Ending) -> Result<(), String> {
    if world.verdicts.contains(&trip) {
        return Err(format!("second verdict on {trip}"));
    }
    world.verdicts.push(trip);
    let proved = scenario.nature.proof.iter().all(|object| world.proved.contains(&(trip, *object)));
    if ending == Ending::Passed && !proved {
        return Err("a pass without proof".to_owned());
    }
    let there = |object: &&ObjectId| world.things.get(&Item::Of(trip, **object)).is_some_and(|thing| thing.ours);
    if let Some(object) = scenario.nature.gone.iter().find(there)
        && ending == Ending::Passed
    {
        return Err(format!("a pass although {object:?} is there"));
    }
    // One that lands late, when the first was deleted, is nobody's to restore from.
    let goes = |object: ObjectId| world.things.get(&Item::Of(trip, object)).is_some_and(|thing| thing.deleting);
    let stays = |object: &&ObjectId| there(object) && !goes(**object) && !world.proved.contains(&(trip, **object));
    if let Some(object) = scenario.nature.asked_to_go.iter().find(stays)
        && ending == Ending::Passed
    {
        return Err(format!("a pass although {object:?} was not asked to go"));
    }
    Ok(())
}

/// Nothing is deleted before what needs it.
pub(super) fn order(scenario: &Scenario, machine: &Machine, world: &World, item: Item) -> Result<(), String> {
    let Item::Of(trip, object) = item else {
        return Ok(());
    };
    let running = matches!(machine.trips[trip].stage, Stage::Running(_));
    let may_stay =
        |other: &&ObjectId| running && row(scenario.nature.may_leave, object).flatten().any(|left| left == *other);
    let mut before = row(scenario.nature.outlived_by, object).flatten().filter(|other| !may_stay(other));
    if machine.trips[trip].hurry || world.hardship {
        return Ok(());
    }
    match before.find(|first| world.things.get(&Item::Of(trip, **first)).is_some_and(|thing| thing.ours)) {
        // One that comes late into a namespace that goes anyway is nobody's to wait for.
        Some(_) if scenario.own_namespace() && world.trouble < scenario.trouble => Ok(()),
        // The namespace takes it along.
        Some(_) if scenario.resumed && scenario.is_space(item) => Ok(()),
        Some(first) => Err(format!("{item:?} is deleted while {first:?} exists")),
        None => Ok(()),
    }
}
