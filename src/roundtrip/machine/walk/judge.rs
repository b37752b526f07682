//! What must hold: in the end, when a verdict is given, and when something is deleted.

use super::world::{Pending, Scenario, World};
use crate::roundtrip::ledger::{Item, Role, State};
use crate::roundtrip::machine::{Command, Ending, Keep, Machine};

/// At the end every object is gone, or listed, or kept; and what is not ours is untouched.
pub(super) fn end(scenario: &Scenario, machine: &Machine, world: &World) -> Result<(), String> {
    let listed = |item: Item| matches!(machine.ledger().state(item), State::Left(_) | State::Kept | State::Unseen);
    let fail = |what: &str, item: Item| Err(format!("{what}: {item:?}\n{machine:#?}\n{world:#?}"));
    for (item, thing) in &world.things {
        if thing.ours && !listed(*item) {
            return fail("left without being listed", *item);
        }
    }
    let missing = |item: &&Item| !world.things.contains_key(item);
    if let Some(item) = scenario.foreign.iter().find(missing) {
        return fail("a foreign object was deleted", *item);
    }
    let namespace = !scenario.settings.own_namespace || world.things.contains_key(&Item::Namespace);
    let on_the_way = world.pending.iter().filter_map(|pending| match pending {
        Pending::Request(Command::Create { item }) => Some(*item),
        Pending::Request(_) | Pending::Answer(..) => None,
    });
    let late = world.landing.iter().filter(|(_, count)| **count > 0).map(|(item, _)| *item);
    for item in on_the_way.chain(late) {
        let possible = item == Item::Namespace || namespace;
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
    if world.verdicts.len() != scenario.trips {
        return Err(format!("verdicts: {:?}\n{machine:#?}", world.verdicts));
    }
    Ok(())
}

/// Each round trip has one verdict, and a pass only if the source was overwritten and the data was read.
pub(super) fn verdict(world: &mut World, trip: usize, ending: Ending) -> Result<(), String> {
    if world.verdicts.contains(&trip) {
        return Err(format!("second verdict on {trip}"));
    }
    world.verdicts.push(trip);
    if ending == Ending::Passed && !(world.read.contains(&trip) && world.overwritten.contains(&trip)) {
        return Err("a pass without proof".to_owned());
    }
    Ok(())
}

/// Nothing is deleted before what needs it.
pub(super) fn order(scenario: &Scenario, machine: &Machine, world: &World, item: Item) -> Result<(), String> {
    let Item::Of(trip, role) = item else {
        return Ok(());
    };
    let before: &[Role] = match role {
        Role::RestoredClaim => &[Role::Reader, Role::RestoredConsumer],
        Role::Snapshot => &[Role::Reader, Role::RestoredConsumer, Role::RestoredClaim],
        Role::SourceClaim => &[Role::Writer, Role::SourceConsumer, Role::Snapshot, Role::RestoredClaim],
        _ => &[],
    };
    if machine.trips[trip].hurry || world.hardship {
        return Ok(());
    }
    match before.iter().find(|role| world.things.get(&Item::Of(trip, **role)).is_some_and(|thing| thing.ours)) {
        // One that comes late into a namespace that goes anyway is nobody's to wait for.
        Some(_) if scenario.settings.own_namespace && world.trouble < scenario.trouble => Ok(()),
        Some(role) => Err(format!("{item:?} is deleted while {role:?} exists")),
        None => Ok(()),
    }
}
