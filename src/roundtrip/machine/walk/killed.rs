//! A run dies in any state, and another process cleans up after it.

use std::collections::HashSet;

use super::explore::Walk;
use super::world::{Scenario, World};
use super::{Rules, scenario, tell, walked_whole};
use crate::roundtrip::ledger::Item;
use crate::roundtrip::machine::{Command, Machine};
use crate::roundtrip::modes::{Mode, Shape};

/// What is left of a world when the process dies: nobody waits for an answer any more, and what was asked for is carried out
/// or is not. A create that is under way takes effect before the clean-up looks, or never, or in a namespace that the
/// clean-up removes at any later time. In a given namespace nothing can be known of one that comes after the last look.
fn died(scenario: &Scenario, world: &World) -> Vec<World> {
    let mut dead = world.clone();
    dead.verdicts.clear();
    dead.proved.clear();
    let mut creates = Vec::new();
    let mut deletes = Vec::new();
    let mut taken_over = Vec::new();
    for pending in std::mem::take(&mut dead.pending) {
        match pending {
            super::world::Pending::Request(Command::Create { item }) => creates.push(item),
            super::world::Pending::Request(Command::Delete { item, uid }) => deletes.push((item, uid)),
            super::world::Pending::Request(Command::TakeOver { item, uid }) => taken_over.push((item, uid)),
            _ => {}
        }
    }
    for item in creates {
        *dead.landing.entry(item).or_default() += 1;
    }
    let mut worlds = vec![dead];
    for (item, uid) in deletes {
        let mut carried_out = worlds.clone();
        for world in &mut carried_out {
            if let Some(thing) = world.things.get_mut(&item).filter(|thing| thing.uid == uid && thing.ours) {
                thing.deleting = true;
            }
        }
        worlds.append(&mut carried_out);
    }
    for (item, uid) in taken_over {
        let mut carried_out = worlds.clone();
        for world in &mut carried_out {
            world.taken_over(item, &uid);
        }
        worlds.append(&mut carried_out);
    }
    // Namespaces come before what lies in them.
    let items: Vec<Item> = worlds[0].landing.keys().copied().collect();
    for item in items {
        let mut landed: Vec<World> = worlds.clone();
        landed
            .retain(|world| world.landing.get(&item).is_some_and(|count| *count > 0) && world.may_land(scenario, item));
        for world in &mut landed {
            world.land(item);
            world.landing.remove(&item);
        }
        worlds.append(&mut landed);
    }
    worlds
}

/// What a clean-up finds by its labels, and the machine that takes the run up from there.
fn resumed(mode: &Mode, scenario: &Scenario, mut world: World, rules: &Rules) -> (Machine, World) {
    let own_namespace = world.things.iter().any(|(item, thing)| item.trip().is_none() && thing.ours);
    let shape = Shape { own_namespace, immediate: false };
    let found = world.things.iter().filter(|(item, thing)| {
        let brought = scenario.nature.brings.iter().any(|(_, derived)| *derived == item.object());
        thing.ours && (thing.taken_over || !(brought && item.trip().is_some()))
    });
    let found: Vec<_> = found.map(|(item, thing)| (*item, thing.uid.clone())).collect();
    let mut machine = Machine::resume(vec![(mode.program)(shape)], found);
    machine.rules = rules.clone();
    // What comes after the look comes only where the namespace's end takes it away.
    world.landing.retain(|item, count| *count > 0 && own_namespace && scenario.space(*item).is_some());
    (machine, world)
}

fn cleaned_up(mode: &Mode, own_namespace: bool, rules: &Rules) -> Result<Walk, String> {
    let before = Scenario { hurry: true, ..scenario(mode, own_namespace) };
    let walk = Walk::run(before.clone())?;
    let dead: HashSet<World> = walk.reached().flat_map(|world| died(&before, &world)).collect();
    let starts = dead.into_iter().map(|world| resumed(mode, &before, world, rules)).collect();
    // What a controller makes for an object that had gone before the look is found by no label. It goes by itself.
    Walk::from(Scenario { rules: rules.clone(), resumed: true, ..before }, starts)
}

#[test]
fn what_a_killed_run_left_is_removed_or_listed() {
    for mode in walked_whole() {
        for own_namespace in [true, false] {
            match cleaned_up(mode, own_namespace, &Rules::ALL) {
                Ok(walk) => tell(mode.name, &walk),
                Err(error) => panic!("{}: {error}", mode.name),
            }
        }
    }
}

#[test]
fn a_clean_up_with_a_broken_rule_is_noticed() {
    for rules in [Rules { verify_deletion: false, ..Rules::ALL }, Rules { reverse_order: false, ..Rules::ALL }] {
        for mode in walked_whole() {
            assert!(cleaned_up(mode, false, &rules).is_err(), "{}: {rules:?} is not noticed", mode.name);
        }
    }
}
