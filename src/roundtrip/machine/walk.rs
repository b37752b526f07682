//! Walks every state of the machine together with every state of a small world: creates that land late or never, answers
//! that are lost or late, deletes that hang, objects that vanish, signals and time-outs at every point.

use std::collections::{BTreeMap, HashMap};

use super::{Command, CreateAnswer, DeleteAnswer, Ending, Input, Keep, Machine, Rules, Settings, Sight, Source, Stage};
use crate::report::document::StepId;
use crate::roundtrip::ledger::{Item, Progress, Role, State, Uid};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Thing {
    uid: Uid,
    ours: bool,
    progress: Progress,
    deleting: bool,
}

/// What a walk explores.
#[derive(Clone)]
struct Scenario {
    settings: Settings,
    trips: usize,
    rules: Rules,
    /// How many things may go wrong on one path, apart from time-outs and signals.
    trouble: u8,
    foreign: Vec<Item>,
    retained: bool,
    unreadable: bool,
    /// Whether clean-ups run so late that the order no longer matters. Everything is then deleted at once, so to keep the
    /// number of states small, deletes are answered at once and watches are reliable.
    hurry: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Pending {
    Request(Command),
    /// A look that the server has answered; the answer is still on its way.
    Answer(Item, Sight),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    things: BTreeMap<Item, Thing>,
    /// Creates without a clear answer that may still take effect.
    landing: BTreeMap<Item, u8>,
    pending: Vec<Pending>,
    made: BTreeMap<Item, u8>,
    trouble: u8,
    signals: u8,
    overwritten: Vec<usize>,
    verdicts: Vec<usize>,
    /// Something happened after which objects may be left.
    hardship: bool,
}

type Pair = (Machine, World);

struct Walk {
    scenario: Scenario,
    states: HashMap<Pair, usize>,
    edges: Vec<Vec<usize>>,
    terminal: Vec<bool>,
}

impl Walk {
    fn run(scenario: Scenario) -> Result<Self, String> {
        let mut walk = Self { scenario, states: HashMap::new(), edges: Vec::new(), terminal: Vec::new() };
        let mut machine = Machine::new(walk.scenario.settings.clone(), walk.scenario.trips);
        machine.rules = walk.scenario.rules.clone();
        let world = World {
            things: walk
                .scenario
                .foreign
                .iter()
                .map(|item| {
                    let uid = Uid::from(format!("foreign {item:?}").as_str());
                    (*item, Thing { uid, ours: false, progress: Progress::Nothing, deleting: false })
                })
                .collect(),
            landing: BTreeMap::new(),
            pending: Vec::new(),
            made: BTreeMap::new(),
            trouble: walk.scenario.trouble,
            signals: 0,
            overwritten: Vec::new(),
            verdicts: Vec::new(),
            hardship: false,
        };
        let first = walk.feed((machine, world), Input::Start)?;
        let mut queue = vec![walk.number(first.clone()).0];
        let mut pairs = vec![first];
        while let Some(number) = queue.pop() {
            let pair = pairs[number].clone();
            let next = walk.successors(&pair).map_err(|error| format!("{error}\n{pair:#?}"))?;
            if next.is_empty() {
                return Err(format!("nothing can happen any more:\n{pair:#?}"));
            }
            for successor in next {
                // What comes after the end is of no interest: judge it, and note that an end was reached.
                if successor.0.finished() {
                    walk.judge(&successor)?;
                    walk.terminal[number] = true;
                    continue;
                }
                let (to, new) = walk.number(successor.clone());
                walk.edges[number].push(to);
                if new {
                    pairs.push(successor);
                    queue.push(to);
                }
            }
            if pairs.len() > 2_000_000 {
                return Err("too many states".to_owned());
            }
        }
        walk.terminates(&pairs)?;
        Ok(walk)
    }

    fn number(&mut self, pair: Pair) -> (usize, bool) {
        let next = self.states.len();
        let number = *self.states.entry(pair).or_insert(next);
        if number == next {
            self.edges.push(Vec::new());
            self.terminal.push(false);
        }
        (number, number == next)
    }

    /// From every state the end can be reached.
    fn terminates(&self, pairs: &[Pair]) -> Result<(), String> {
        let mut back = vec![Vec::new(); self.edges.len()];
        for (from, targets) in self.edges.iter().enumerate() {
            for to in targets {
                back[*to].push(from);
            }
        }
        let mut reached = self.terminal.clone();
        let mut queue: Vec<usize> = (0..reached.len()).filter(|number| reached[*number]).collect();
        while let Some(number) = queue.pop() {
            for from in &back[number] {
                if !reached[*from] {
                    reached[*from] = true;
                    queue.push(*from);
                }
            }
        }
        match reached.iter().position(|reached| !reached) {
            None => Ok(()),
            Some(stuck) => Err(format!("no end can be reached from\n{:#?}", pairs[stuck])),
        }
    }

    /// At the end every object is gone, or listed, or kept; and what is not ours is untouched.
    fn judge(&self, (machine, world): &Pair) -> Result<(), String> {
        let listed = |item: Item| matches!(machine.ledger().state(item), State::Left(_) | State::Kept | State::Unseen);
        let fail = |what: &str, item: Item| Err(format!("{what}: {item:?}\n{machine:#?}\n{world:#?}"));
        for (item, thing) in &world.things {
            if thing.ours && !listed(*item) {
                return fail("left without being listed", *item);
            }
        }
        let missing = |item: &&Item| !world.things.contains_key(item);
        if let Some(item) = self.scenario.foreign.iter().find(missing) {
            return fail("a foreign object was deleted", *item);
        }
        let namespace = !self.scenario.settings.own_namespace || world.things.contains_key(&Item::Namespace);
        let on_the_way = world.pending.iter().filter_map(|pending| match pending {
            Pending::Request(Command::Create { item }) => Some(*item),
            Pending::Request(_) | Pending::Answer(..) => None,
        });
        let late = world.landing.iter().filter(|(_, count)| **count > 0).map(|(item, _)| *item);
        for item in on_the_way.chain(late) {
            let possible = item == Item::Namespace || namespace;
            if possible && !listed(item) && !self.scenario.foreign.contains(&item) {
                return fail("may still come without being listed", item);
            }
        }
        if !world.hardship
            && self.scenario.settings.keep == Keep::Never
            && !self.scenario.retained
            && let Some((item, _)) = machine.ledger().leftovers().first()
        {
            return fail("listed although nothing kept it from being removed", *item);
        }
        if world.verdicts.len() != self.scenario.trips {
            return Err(format!("verdicts: {:?}\n{machine:#?}", world.verdicts));
        }
        Ok(())
    }

    fn feed(&self, (mut machine, mut world): Pair, input: Input) -> Result<Pair, String> {
        let mut at_once = Vec::new();
        for command in machine.handle(input) {
            match command {
                Command::Verdict { trip, ending } => {
                    if world.verdicts.contains(&trip) {
                        return Err(format!("second verdict on {trip}"));
                    }
                    world.verdicts.push(trip);
                    let read = world.things.get(&Item::Of(trip, Role::Reader)).map(|thing| thing.progress);
                    if ending == Ending::Passed && (read != Some(Progress::Done) || !world.overwritten.contains(&trip))
                    {
                        return Err("a pass without proof".to_owned());
                    }
                }
                Command::Delete { item, .. } => {
                    self.order(&machine, &world, item)?;
                    if self.scenario.hurry {
                        at_once.push(Pending::Request(command));
                        continue;
                    }
                    world.pending.push(Pending::Request(command));
                }
                Command::Create { .. } | Command::DryRun { .. } | Command::RetryLater { .. } | Command::Ask { .. } => {
                    world.pending.push(Pending::Request(command));
                }
                Command::Begin { .. } | Command::End { .. } | Command::RemoveNamespace | Command::Finished => {}
            }
        }
        world.pending.sort();
        // What no longer matters must not tell states apart: how a round trip failed, and how far its pods came.
        for trip in 0..machine.trips.len() {
            if machine.trips[trip].ending.is_some() {
                if self.scenario.settings.keep == Keep::Never {
                    machine.trips[trip].ending = Some(Ending::Certain);
                }
                world.overwritten.retain(|overwritten| *overwritten != trip);
                world.pending.retain(|pending| {
                    !matches!(pending,
                    Pending::Request(Command::DryRun { trip: Some(other) }
                        | Command::RetryLater { item: Item::Of(other, _) }) if *other == trip)
                });
                for item in machine.ledger.items(Some(trip), |state| state == State::Gone) {
                    let late = world
                        .pending
                        .iter()
                        .any(|pending| matches!(pending, Pending::Answer(late, _) if *late == item));
                    let entry = machine.ledger.entry(item);
                    if entry.pending == 0 && !late {
                        entry.asked = false;
                        entry.seen_since = false;
                        entry.gone.clear();
                        entry.uid = None;
                        entry.attempts = 0;
                        entry.progress = Progress::Nothing;
                        world.pending.retain(
                            |pending| !matches!(pending, Pending::Request(Command::Ask { item: other, .. }) if *other == item),
                        );
                    }
                }
                for role in [Role::Writer, Role::Overwriter, Role::Reader] {
                    let item = Item::Of(trip, role);
                    machine.ledger.entry(item).progress = Progress::Nothing;
                    if let Some(thing) = world.things.get_mut(&item)
                        && thing.progress > Progress::Started
                    {
                        thing.progress = Progress::Done;
                    }
                }
            }
        }
        if machine.finished() {
            world.pending.retain(|pending| matches!(pending, Pending::Request(Command::Create { .. })));
        }
        let mut pair = (machine, world);
        for pending in at_once {
            let mut answered = Vec::new();
            self.answer(pair, pending, &mut answered)?;
            pair = answered.pop().ok_or("a delete has an answer")?;
        }
        Ok(pair)
    }

    fn order(&self, machine: &Machine, world: &World, item: Item) -> Result<(), String> {
        let Item::Of(trip, role) = item else {
            return Ok(());
        };
        let before: &[Role] = match role {
            Role::RestoredClaim => &[Role::Reader],
            Role::Snapshot => &[Role::Reader, Role::RestoredClaim],
            Role::SourceClaim => &[Role::Writer, Role::Overwriter, Role::Snapshot, Role::RestoredClaim],
            _ => &[],
        };
        if machine.trips[trip].hurry || world.hardship {
            return Ok(());
        }
        match before.iter().find(|role| world.things.get(&Item::Of(trip, **role)).is_some_and(|thing| thing.ours)) {
            // One that comes late into a namespace that goes anyway is nobody's to wait for.
            Some(_) if self.scenario.settings.own_namespace && world.trouble < self.scenario.trouble => Ok(()),
            Some(role) => Err(format!("{item:?} is deleted while {role:?} exists")),
            None => Ok(()),
        }
    }

    fn successors(&self, pair: &Pair) -> Result<Vec<Pair>, String> {
        let mut next = Vec::new();
        for index in 0..pair.1.pending.len() {
            let (machine, mut world) = pair.clone();
            let pending = world.pending.remove(index);
            self.answer((machine, world), pending, &mut next)?;
        }
        self.time(pair, &mut next)?;
        self.cluster(pair, &mut next)?;
        Ok(next)
    }

    /// A request is answered.
    fn answer(&self, pair: Pair, pending: Pending, next: &mut Vec<Pair>) -> Result<(), String> {
        let troubled = pair.1.trouble > 0;
        let trouble = |mut pair: Pair| {
            pair.1.trouble -= 1;
            pair
        };
        match pending {
            Pending::Answer(item, sight) => {
                next.push(self.feed(pair, Input::Asked { item, sight })?);
            }
            Pending::Request(Command::DryRun { trip }) => {
                next.push(self.feed(pair.clone(), Input::Admitted { trip, allowed: true })?);
                if troubled {
                    next.push(self.feed(trouble(pair), Input::Admitted { trip, allowed: false })?);
                }
            }
            Pending::Request(Command::RetryLater { item }) => {
                next.push(self.feed(pair, Input::Retry { item })?);
            }
            Pending::Request(Command::Create { item }) => {
                let taken = pair.1.things.contains_key(&item);
                let homeless = item != Item::Namespace
                    && self.scenario.settings.own_namespace
                    && pair.1.things.get(&Item::Namespace).is_none_or(|namespace| namespace.deleting);
                let answer = |pair, answer| self.feed(pair, Input::Created { item, answer });
                if troubled {
                    next.push(answer(trouble(pair.clone()), CreateAnswer::NotProcessed)?);
                    if !taken && !homeless {
                        next.push(answer(trouble(pair.clone()), CreateAnswer::Refused)?);
                        let (landed, _) = Self::land(trouble(pair.clone()), item);
                        next.push(answer(landed, CreateAnswer::Unclear)?);
                    }
                    let mut late = trouble(pair.clone());
                    *late.1.landing.entry(item).or_default() += 1;
                    next.push(answer(late, CreateAnswer::Unclear)?);
                }
                if taken {
                    next.push(answer(pair, CreateAnswer::AlreadyExists)?);
                } else if homeless {
                    next.push(answer(pair, CreateAnswer::Refused)?);
                } else {
                    let (landed, uid) = Self::land(pair, item);
                    next.push(answer(landed.clone(), CreateAnswer::Created(uid.clone()))?);
                    let seen = self.sight(&landed.1, item);
                    let watched = self.feed(landed, Input::Seen { item, sight: seen })?;
                    next.push(answer(watched, CreateAnswer::Created(uid))?);
                }
            }
            Pending::Request(Command::Ask { item, .. }) => {
                let sight = self.sight(&pair.1, item);
                if troubled {
                    let mut late = trouble(pair.clone());
                    late.1.pending.push(Pending::Answer(item, sight.clone()));
                    next.push(late);
                }
                next.push(self.feed(pair, Input::Asked { item, sight })?);
            }
            Pending::Request(Command::Delete { item, uid }) => {
                let mut deleted = pair.clone();
                let answer = match deleted.1.things.get_mut(&item) {
                    None => DeleteAnswer::Absent,
                    Some(thing) if thing.uid != uid => DeleteAnswer::OtherUid,
                    Some(thing) if !thing.ours => {
                        return Err(format!("a foreign object is deleted: {item:?}"));
                    }
                    Some(thing) => {
                        thing.deleting = true;
                        DeleteAnswer::Accepted
                    }
                };
                if troubled && answer == DeleteAnswer::Accepted {
                    let mut denied = trouble(pair);
                    denied.1.hardship = true;
                    next.push(self.feed(denied, Input::Deleted { item, answer: DeleteAnswer::Denied })?);
                }
                next.push(self.feed(deleted, Input::Deleted { item, answer })?);
            }
            Pending::Request(
                Command::Begin { .. }
                | Command::End { .. }
                | Command::Verdict { .. }
                | Command::RemoveNamespace
                | Command::Finished,
            ) => {}
        }
        Ok(())
    }

    /// Time passes, or somebody presses Ctrl-C.
    fn time(&self, pair: &Pair, next: &mut Vec<Pair>) -> Result<(), String> {
        let (machine, world) = pair;
        for (trip, state) in machine.trips.iter().enumerate() {
            match state.stage {
                Stage::Running(_) => {
                    if let Some(step) = state.step {
                        next.push(self.feed(pair.clone(), Input::TimedOut { trip, step })?);
                    }
                }
                Stage::Unwinding if state.step == Some(StepId::Cleanup) => {
                    if self.scenario.hurry && !state.hurry {
                        next.push(self.feed(pair.clone(), Input::Hurry { trip })?);
                    }
                    let mut hard = pair.clone();
                    hard.1.hardship = true;
                    next.push(self.feed(hard, Input::BudgetSpent { trip: Some(trip) })?);
                }
                Stage::Queued | Stage::Unwinding | Stage::Done => {}
            }
        }
        if machine.namespace_removal {
            let mut hard = pair.clone();
            hard.1.hardship = true;
            next.push(self.feed(hard, Input::BudgetSpent { trip: None })?);
        }
        if world.signals < 2 {
            let mut signalled = pair.clone();
            signalled.1.signals += 1;
            signalled.1.hardship |= signalled.1.signals == 2;
            next.push(self.feed(signalled, Input::Signal)?);
        }
        // A minute has passed since the last create was sent.
        for (item, entry) in machine.ledger().iter() {
            if entry.pending > 0 && entry.state != State::InFlight {
                let mut passed = pair.clone();
                passed.1.landing.remove(&item);
                next.push(self.feed(passed, Input::CannotComeAnyMore { item })?);
            }
        }
        Ok(())
    }

    /// The cluster does something.
    fn cluster(&self, pair: &Pair, next: &mut Vec<Pair>) -> Result<(), String> {
        for (item, count) in &pair.1.landing {
            let home = *item == Item::Namespace
                || !self.scenario.settings.own_namespace
                || pair.1.things.contains_key(&Item::Namespace);
            if *count > 0 && home && !pair.1.things.contains_key(item) {
                let (mut landed, _) = Self::land(pair.clone(), *item);
                *landed.1.landing.entry(*item).or_default() -= 1;
                let sight = self.sight(&landed.1, *item);
                next.push(self.feed(landed.clone(), Input::Seen { item: *item, sight })?);
                // The watch is lost.
                if !self.scenario.hurry {
                    next.push(landed);
                }
            }
        }
        for (item, thing) in pair.1.things.iter().filter(|(_, thing)| thing.ours) {
            if let Some(progress) = self.grows(*item, thing)
                && fed(&pair.1, *item)
            {
                let mut grown = pair.clone();
                Self::grow(&mut grown.1, *item, progress);
                let sight = self.sight(&grown.1, *item);
                next.push(self.feed(grown, Input::Seen { item: *item, sight })?);
            }
            if in_use(&pair.1, *item) {
                continue;
            }
            if thing.deleting {
                let mut gone = pair.clone();
                self.vanish(&mut gone.1, *item);
                if *item == Item::Namespace {
                    for inner in pair.1.things.keys() {
                        if matches!(inner, Item::Of(_, role) if role.namespaced()) {
                            self.vanish(&mut gone.1, *inner);
                        }
                    }
                    gone.1.landing.retain(|item, _| *item == Item::Namespace);
                } else if watched(*item) {
                    let sight = Sight::Gone { uid: thing.uid.clone() };
                    next.push(self.feed(gone.clone(), Input::Seen { item: *item, sight })?);
                }
                if !self.scenario.hurry || !watched(*item) {
                    next.push(gone);
                }
            } else if pair.1.trouble > 0 && *item != Item::Namespace {
                // Somebody else deletes it.
                let mut gone = pair.clone();
                gone.1.trouble -= 1;
                self.vanish(&mut gone.1, *item);
                let sight = Sight::Gone { uid: thing.uid.clone() };
                next.push(self.feed(gone, Input::Seen { item: *item, sight })?);
            }
        }
        for trip in 0..self.scenario.trips {
            if let Some(trip_machine) = pair.0.trips.get(trip)
                && matches!(trip_machine.stage, Stage::Running(_))
                && pair.1.trouble > 0
            {
                let mut certain = pair.clone();
                certain.1.trouble -= 1;
                next.push(self.feed(certain, Input::Certain { trip })?);
            }
        }
        Ok(())
    }

    fn land(mut pair: Pair, item: Item) -> (Pair, Uid) {
        let count = pair.1.made.entry(item).or_default();
        *count += 1;
        let uid = Uid::from(format!("{item:?} {count}").as_str());
        let thing = Thing { uid: uid.clone(), ours: true, progress: Progress::Nothing, deleting: false };
        pair.1.things.insert(item, thing);
        (pair, uid)
    }

    fn grows(&self, item: Item, thing: &Thing) -> Option<Progress> {
        let Item::Of(_, role) = item else { return None };
        let detached = self.scenario.settings.source == Source::Detached;
        match (role, thing.progress) {
            (Role::Writer | Role::Overwriter | Role::Reader, Progress::Nothing) => Some(Progress::Started),
            (Role::Writer, Progress::Started) => Some(Progress::Written),
            (Role::Writer, Progress::Written) if thing.deleting && !detached => Some(Progress::Done),
            (Role::Overwriter | Role::Reader, Progress::Started) | (Role::Snapshot, Progress::Nothing) => {
                Some(Progress::Done)
            }
            _ => None,
        }
    }

    fn grow(world: &mut World, item: Item, progress: Progress) {
        let Item::Of(trip, role) = item else { return };
        world.things.get_mut(&item).unwrap().progress = progress;
        if matches!(role, Role::Writer | Role::Overwriter)
            && progress == Progress::Done
            && !world.overwritten.contains(&trip)
        {
            world.overwritten.push(trip);
        }
        let derived = match (role, progress) {
            (Role::Writer, Progress::Started) => Role::SourceVolume,
            (Role::Reader, Progress::Started) => Role::RestoredVolume,
            (Role::Snapshot, Progress::Done) => Role::Content,
            _ => return,
        };
        let count = world.made.get(&item).copied().unwrap_or_default();
        let uid = Uid::from(format!("{derived:?} {count}").as_str());
        let thing = Thing { uid, ours: true, progress: Progress::Nothing, deleting: false };
        world.things.insert(Item::Of(trip, derived), thing);
    }

    fn vanish(&self, world: &mut World, item: Item) {
        world.things.remove(&item);
        if let Item::Of(trip, role) = item
            && let Some(derived) = role.derived()
            && let Some(thing) = world.things.get_mut(&Item::Of(trip, derived))
            && !self.scenario.retained
        {
            thing.deleting = true;
        }
    }

    fn sight(&self, world: &World, item: Item) -> Sight {
        if self.scenario.unreadable && matches!(item, Item::Of(_, role) if !role.namespaced()) {
            return Sight::Unreadable;
        }
        match world.things.get(&item) {
            None => Sight::Absent,
            Some(thing) if !thing.ours => Sight::Foreign { uid: thing.uid.clone() },
            Some(thing) => Sight::Ours {
                uid: thing.uid.clone(),
                progress: thing.progress,
                deleting: thing.deleting,
                retained: self.scenario.retained && matches!(item, Item::Of(_, role) if !role.namespaced()),
            },
        }
    }
}

/// Whether what an object needs to come further is there.
fn fed(world: &World, item: Item) -> bool {
    let Item::Of(trip, role) = item else {
        return true;
    };
    let claim = match role {
        Role::Writer | Role::Overwriter | Role::Snapshot => Role::SourceClaim,
        Role::Reader => Role::RestoredClaim,
        _ => return true,
    };
    let started = world.things.get(&item).is_some_and(|thing| thing.progress > Progress::Nothing);
    started || world.things.get(&Item::Of(trip, claim)).is_some_and(|claim| !claim.deleting)
}

/// The driver watches what lies in the namespace, and asks for the rest by name.
fn watched(item: Item) -> bool {
    matches!(item, Item::Of(_, role) if role.namespaced())
}

/// Kubernetes keeps a claim as long as a pod uses it.
fn in_use(world: &World, item: Item) -> bool {
    let Item::Of(trip, role) = item else {
        return false;
    };
    let pods: &[Role] = match role {
        Role::SourceClaim => &[Role::Writer, Role::Overwriter],
        Role::RestoredClaim => &[Role::Reader],
        _ => &[],
    };
    pods.iter().any(|pod| world.things.contains_key(&Item::Of(trip, *pod)))
}

fn scenario(own_namespace: bool) -> Scenario {
    Scenario {
        settings: Settings { own_namespace, source: Source::Attached, keep: Keep::Never, parallel: 1 },
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
#[ignore = "takes minutes"]
fn nothing_leaks_when_two_things_go_wrong() {
    holds(Scenario { trouble: 2, ..scenario(false) });
}

#[test]
#[ignore = "takes minutes"]
fn nothing_leaks_when_something_goes_wrong_in_a_namespace_of_its_own() {
    holds(Scenario { trouble: 1, ..scenario(true) });
}

#[test]
#[ignore = "takes minutes"]
fn two_round_trips_one_after_the_other_leak_nothing() {
    holds(Scenario { trips: 2, hurry: true, ..scenario(false) });
}

#[test]
fn a_detached_source_leaks_nothing() {
    let mut scenario = scenario(false);
    scenario.settings.source = Source::Detached;
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
