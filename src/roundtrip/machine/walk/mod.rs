//! Walks every state of the machine together with every state of a small world: creates that land late or never, answers
//! that are lost or late, deletes that hang, objects that vanish, signals and time-outs at every point.
//!
//! Each walk is complete: it ends when there is no state left that it has not seen. What it leaves out is what its scenario
//! leaves out. Signals, time-outs and spent budgets come at any point in all of them. Of what else goes wrong (answers that
//! are lost, late or no, objects that somebody else deletes) a path has at most as much as its scenario's `trouble`: one in an
//! own namespace, two in a given one; none with two round trips, which come one after the other. A mode may say that it has
//! less; the plain one does not.
//!
//! Every mode is walked. What is known of its objects' life and of what must hold of them is its `nature`, which the machine
//! does not see.

mod explore;
mod judge;
mod simplify;
mod world;

mod killed;

use self::explore::Walk;
use self::world::Scenario;
use super::{Keep, Settings};
use crate::roundtrip::ledger::Item;
use crate::roundtrip::modes::{Mode, Shape, all};
use crate::roundtrip::program::{Object, Program, Task};

/// The rules, as switches: a test turns one off at a time, to see that the walk notices.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub(super) struct Rules {
    pub(super) ledger_first: bool,
    pub(super) drain_first: bool,
    pub(super) doubt_absence: bool,
    pub(super) respect_foreign: bool,
    pub(super) verify_deletion: bool,
    pub(super) reverse_order: bool,
}

impl Rules {
    pub(super) const ALL: Self = Self {
        ledger_first: true,
        drain_first: true,
        doubt_absence: true,
        respect_foreign: true,
        verify_deletion: true,
        reverse_order: true,
    };
}

fn scenario(mode: &Mode, own_namespace: bool) -> Scenario {
    Scenario {
        settings: Settings { keep: Keep::Never, parallel: 1 },
        programs: vec![(mode.program)(Shape { own_namespace, immediate: false })],
        nature: mode.nature,
        immediate: false,
        rules: Rules::ALL,
        trouble: 0,
        foreign: Vec::new(),
        retained: false,
        unreadable: false,
        hurry: false,
        merged: true,
        resumed: false,
    }
}

fn walk(name: &str, scenario: Scenario) -> Walk {
    match Walk::run(scenario) {
        Ok(walk) => {
            tell(name, &walk);
            walk
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

/// For whoever runs it with --nocapture.
fn tell(name: &str, walk: &Walk) {
    let transitions: usize = walk.edges.iter().map(Vec::len).sum();
    let line = format!("{name}: {} states, {transitions} transitions\n", walk.edges.len());
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

/// The objects of a program as the machine knows them: of what a pod does it reads only for which claim it is there.
fn walked_objects(program: &Program) -> Vec<Object> {
    let plain = |object: &Object| match object.task {
        Task::Consume(_) => object.clone(),
        _ => object.clone().doing(Task::Exist),
    };
    program.objects().iter().map(plain).collect()
}

/// What is walked: every mode, but of those that do the same with the same objects the first.
fn walked() -> impl Iterator<Item = &'static Mode> {
    let alike = |one: &Mode, other: &Mode| {
        let same = |own_namespace| {
            let [one, other] = [one, other].map(|mode| scenario(mode, own_namespace).programs.remove(0));
            one.acts() == other.acts() && walked_objects(&one) == walked_objects(&other)
        };
        one.nature == other.nature && same(true) && same(false)
    };
    let is_first = move |(place, mode): &(usize, &Mode)| !all().take(*place).any(|before| alike(before, mode));
    all().enumerate().filter(is_first).map(|(_, mode)| mode)
}

fn walked_whole() -> impl Iterator<Item = &'static Mode> {
    walked().filter(|mode| mode.nature.is_walked_whole())
}

/// It holds for everything that is walked.
fn holds(scenario: impl Fn(&Mode) -> Scenario) {
    for mode in walked() {
        walk(mode.name, scenario(mode));
    }
}

/// It holds for every mode that is walked whole.
fn holds_whole(scenario: impl Fn(&Mode) -> Scenario) {
    for mode in walked_whole() {
        walk(mode.name, scenario(mode));
    }
}

#[test]
fn nothing_leaks_in_a_namespace_of_its_own() {
    holds(|mode| scenario(mode, true));
}

#[test]
fn nothing_leaks_in_a_given_namespace() {
    holds(|mode| scenario(mode, false));
}

/// A mode whose objects never grow would be walked in vain.
#[test]
fn every_mode_can_pass() {
    for mode in walked() {
        let hurried = Scenario { hurry: true, ..scenario(mode, false) };
        assert!(walk(mode.name, hurried).passed, "{} never passes", mode.name);
        let nature = mode.nature;
        assert!(!nature.proof.is_empty(), "{}: a pass rests on nothing", mode.name);
        for object in scenario(mode, true).programs[0].objects() {
            let stated = |needed| nature.outlived_by.iter().any(|(of, by)| *of == needed && by.contains(&object.id));
            assert!(
                object.needs.iter().all(|needed| stated(*needed)),
                "{}: its nature does not say what {} outlives",
                mode.name,
                object.word
            );
        }
    }
}

#[test]
fn nothing_leaks_in_a_hurry() {
    for own_namespace in [true, false] {
        holds_whole(|mode| Scenario { hurry: true, ..scenario(mode, own_namespace) });
    }
}

#[test]
fn nothing_leaks_when_something_goes_wrong() {
    holds(|mode| Scenario { trouble: mode.nature.trouble.1, ..scenario(mode, false) });
}

#[test]
#[ignore = "takes minutes: 648,000 states"]
fn nothing_leaks_when_two_things_go_wrong() {
    for mode in walked().filter(|mode| mode.nature.trouble.0 > 0) {
        walk(mode.name, Scenario { trouble: 2, ..scenario(mode, false) });
    }
}

#[test]
fn nothing_leaks_when_something_goes_wrong_in_a_namespace_of_its_own() {
    holds(|mode| Scenario { trouble: mode.nature.trouble.0, ..scenario(mode, true) });
}

#[test]
fn two_round_trips_one_after_the_other_leak_nothing() {
    holds_whole(|mode| {
        let mut scenario = Scenario { hurry: true, ..scenario(mode, false) };
        scenario.programs.push(scenario.programs[0].clone());
        scenario
    });
}

#[test]
fn claims_without_a_consumer_leak_nothing() {
    holds_whole(|mode| Scenario {
        trouble: mode.nature.trouble.1,
        hurry: true,
        immediate: true,
        programs: vec![(mode.program)(Shape { own_namespace: false, immediate: true })],
        ..scenario(mode, false)
    });
}

#[test]
fn what_is_kept_is_known() {
    for keep in [Keep::OnFailure, Keep::Always] {
        holds(|mode| {
            let mut scenario = Scenario { hurry: true, ..scenario(mode, true) };
            scenario.settings.keep = keep;
            scenario
        });
    }
}

#[test]
fn what_a_policy_retains_is_listed() {
    holds(|mode| Scenario { hurry: true, retained: true, ..scenario(mode, true) });
}

#[test]
fn what_cannot_be_seen_is_not_waited_for() {
    holds_whole(|mode| Scenario { hurry: true, unreadable: true, ..scenario(mode, true) });
}

#[test]
fn what_is_not_ours_is_not_touched() {
    for mode in walked() {
        for object in mode.nature.foreign {
            let own = scenario(mode, true);
            let item = own.programs[0].item(0, *object);
            let foreign = vec![item];
            let is_space = own.is_space(item);
            walk(mode.name, Scenario { foreign, hurry: true, ..scenario(mode, is_space) });
        }
    }
}

/// Whether merging states hides something: a walk that tells all of them apart comes to the same verdict.
#[test]
fn states_that_are_not_merged_tell_the_same() {
    tell_the_same_apart(walked().filter(|mode| mode.nature.trouble.0 > 0));
}

#[test]
#[ignore = "takes minutes: 874,000 states"]
fn states_that_are_not_merged_tell_the_same_in_every_mode_that_is_walked_whole() {
    tell_the_same_apart(walked_whole());
}

fn tell_the_same_apart(modes: impl Iterator<Item = &'static Mode>) {
    for mode in modes {
        let apart = Scenario {
            hurry: true,
            merged: false,
            immediate: true,
            programs: vec![(mode.program)(Shape { own_namespace: false, immediate: true })],
            ..scenario(mode, false)
        };
        assert!(walk(mode.name, apart.clone()).passed);
        let broken = Rules { verify_deletion: false, ..Rules::ALL };
        assert!(Walk::run(Scenario { rules: broken, ..apart }).is_err(), "nothing is noticed without merging");
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
    let mode = &crate::roundtrip::modes::plain::MODE;
    for (name, rules) in broken {
        let snapshot = Item::Of(0, crate::roundtrip::modes::plain::SNAPSHOT);
        let foreign = if name == "respect_foreign" { vec![snapshot] } else { Vec::new() };
        let caught = Walk::run(Scenario { rules, foreign, trouble: 1, hurry: true, ..scenario(mode, false) });
        match caught {
            Ok(_) => panic!("the walk does not notice that {name} is broken"),
            Err(error) => assert_ne!(error, "too many states", "{name}"),
        }
    }
}
