//! Walks every state of the machine together with every state of a small world: creates that land late or never, answers
//! that are lost or late, deletes that hang, objects that vanish, signals and time-outs at every point.
//!
//! Each walk is complete: it ends when there is no state left that it has not seen. What it leaves out is what its scenario
//! leaves out. Signals, time-outs and spent budgets come at any point in all of them. Of what else goes wrong (answers that
//! are lost, late or no, objects that somebody else deletes) a path has at most as much as its scenario's `trouble`: one in an
//! own namespace, two in a given one; none with two round trips, which come one after the other.

mod explore;
mod judge;
mod simplify;
mod world;

use self::explore::Walk;
use self::world::Scenario;
use super::{Keep, Rules, Settings};
use crate::roundtrip::ledger::{Item, Role};

fn scenario(own_namespace: bool) -> Scenario {
    Scenario {
        settings: Settings { own_namespace, immediate: Vec::new(), keep: Keep::Never, parallel: 1 },
        trips: 1,
        rules: Rules::ALL,
        trouble: 0,
        foreign: Vec::new(),
        retained: false,
        unreadable: false,
        hurry: false,
    }
}

fn holds(scenario: Scenario) {
    match Walk::run(scenario) {
        Ok(walk) => {
            let transitions: usize = walk.edges.iter().map(Vec::len).sum();
            // For whoever runs it with --nocapture.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("{} states, {transitions} transitions\n", walk.edges.len()).as_bytes(),
            );
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn nothing_leaks_in_a_namespace_of_its_own() {
    holds(scenario(true));
}

#[test]
fn nothing_leaks_in_a_given_namespace() {
    holds(scenario(false));
}

#[test]
fn nothing_leaks_in_a_hurry() {
    for own_namespace in [true, false] {
        holds(Scenario { hurry: true, ..scenario(own_namespace) });
    }
}

#[test]
fn nothing_leaks_when_something_goes_wrong() {
    holds(Scenario { trouble: 1, ..scenario(false) });
}

#[test]
#[ignore = "takes minutes: 617,000 states"]
fn nothing_leaks_when_two_things_go_wrong() {
    holds(Scenario { trouble: 2, ..scenario(false) });
}

#[test]
fn nothing_leaks_when_something_goes_wrong_in_a_namespace_of_its_own() {
    holds(Scenario { trouble: 1, ..scenario(true) });
}

#[test]
fn two_round_trips_one_after_the_other_leak_nothing() {
    holds(Scenario { trips: 2, hurry: true, ..scenario(false) });
}

#[test]
fn claims_without_a_consumer_leak_nothing() {
    let mut scenario = Scenario { trouble: 1, hurry: true, ..scenario(false) };
    scenario.settings.immediate = vec![0];
    holds(scenario);
}

#[test]
fn what_is_kept_is_known() {
    for keep in [Keep::OnFailure, Keep::Always] {
        let mut scenario = Scenario { hurry: true, ..scenario(true) };
        scenario.settings.keep = keep;
        holds(scenario);
    }
}

#[test]
fn what_a_policy_retains_is_listed() {
    holds(Scenario { hurry: true, retained: true, ..scenario(true) });
}

#[test]
fn what_cannot_be_seen_is_not_waited_for() {
    holds(Scenario { hurry: true, unreadable: true, ..scenario(true) });
}

#[test]
fn what_is_not_ours_is_not_touched() {
    for item in [
        Item::Namespace,
        Item::Of(0, Role::SourceClaim),
        Item::Of(0, Role::Writer),
        Item::Of(0, Role::Snapshot),
        Item::Of(0, Role::Reader),
    ] {
        holds(Scenario { foreign: vec![item], hurry: true, ..scenario(item == Item::Namespace) });
    }
}

/// A walk that could not fail would show nothing: without any of its rules the machine is caught.
#[test]
fn every_rule_is_needed() {
    let broken = [
        ("ledger_first", Rules { ledger_first: false, ..Rules::ALL }),
        ("drain_first", Rules { drain_first: false, ..Rules::ALL }),
        ("doubt_absence", Rules { doubt_absence: false, ..Rules::ALL }),
        ("respect_foreign", Rules { respect_foreign: false, ..Rules::ALL }),
        ("verify_deletion", Rules { verify_deletion: false, ..Rules::ALL }),
        ("reverse_order", Rules { reverse_order: false, ..Rules::ALL }),
    ];
    for (name, rules) in broken {
        let foreign = if name == "respect_foreign" { vec![Item::Of(0, Role::Snapshot)] } else { Vec::new() };
        let caught = Walk::run(Scenario { rules, foreign, trouble: 1, hurry: true, ..scenario(false) });
        match caught {
            Ok(_) => panic!("the walk does not notice that {name} is broken"),
            Err(error) => assert_ne!(error, "too many states", "{name}"),
        }
    }
}
