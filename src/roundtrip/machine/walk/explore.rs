//! Walks all states. A state is a machine and a world; there are far fewer machines and worlds than pairs of them, so each
//! is kept once, and what follows from it is worked out once.

use std::hash::Hash;
use std::rc::Rc;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::judge;
use super::simplify::{Items, Traits, bit, clean, forget, simplify, traits};
use super::world::{Pending, Scenario, World};
use crate::model::StepId;
use crate::roundtrip::ledger::{Item, State};
use crate::roundtrip::machine::{Command, Ending, Input, Machine, Stage};

/// More than this is too much for a test.
const MOST: usize = 3_000_000;

/// Number of a value in its table.
type Id = u32;

/// What can happen in a world: the world after it, and what the machine is told.
type Moves = Rc<[(Id, Vec<Id>)]>;
/// A world after commands, and those that are answered at once.
type Performed = (Id, Rc<[Pending]>);

/// All values of a kind, each once.
struct Table<T> {
    values: Vec<Rc<T>>,
    ids: HashMap<Rc<T>, Id>,
}

impl<T: Eq + Hash> Table<T> {
    fn new() -> Self {
        Self { values: Vec::new(), ids: HashMap::default() }
    }

    fn id(&mut self, value: T) -> Id {
        if let Some(id) = self.ids.get(&value) {
            return *id;
        }
        let id = Id::try_from(self.values.len()).unwrap();
        let value = Rc::new(value);
        self.values.push(Rc::clone(&value));
        self.ids.insert(value, id);
        id
    }

    fn get(&self, id: Id) -> Rc<T> {
        Rc::clone(&self.values[id as usize])
    }
}

/// What changes in the world when time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tweak {
    None,
    Trouble,
    Hardship,
    /// Creates of this object that had no answer take effect no more.
    CannotLand(Item),
}

pub(super) struct Walk {
    scenario: Scenario,
    machines: Table<Machine>,
    worlds: Table<World>,
    inputs: Table<Input>,
    commands: Table<Vec<Command>>,
    traits: Vec<Traits>,
    late: HashMap<Id, Items>,
    handled: HashMap<(Id, Id), (Id, Id)>,
    forgotten: HashMap<(Id, Items, Items), Id>,
    performed: HashMap<(Id, Id, u8), Performed>,
    cleaned: HashMap<(Id, u8, Items, Items, bool), Id>,
    moves: HashMap<Id, Moves>,
    times: HashMap<Id, Rc<[(Tweak, Id)]>>,
    tweaked: HashMap<(Id, Tweak), Option<Id>>,
    judged: HashSet<(Id, Id)>,
    numbers: HashMap<(Id, Id), usize>,
    pairs: Vec<(Id, Id)>,
    pub(super) edges: Vec<Vec<usize>>,
    terminal: Vec<bool>,
    /// Whether some path ends with a pass.
    pub(super) passed: bool,
}

impl Walk {
    pub(super) fn run(scenario: Scenario) -> Result<Self, String> {
        let mut machine = Machine::new(scenario.settings.clone(), scenario.programs.clone());
        machine.rules = scenario.rules.clone();
        let world = World::new(&scenario);
        Self::from(scenario, vec![(machine, world)])
    }

    /// Walks all states that can be reached from these.
    pub(super) fn from(scenario: Scenario, starts: Vec<(Machine, World)>) -> Result<Self, String> {
        let mut walk = Self {
            scenario,
            machines: Table::new(),
            worlds: Table::new(),
            inputs: Table::new(),
            commands: Table::new(),
            traits: Vec::new(),
            late: HashMap::default(),
            handled: HashMap::default(),
            forgotten: HashMap::default(),
            performed: HashMap::default(),
            cleaned: HashMap::default(),
            moves: HashMap::default(),
            times: HashMap::default(),
            tweaked: HashMap::default(),
            judged: HashSet::default(),
            numbers: HashMap::default(),
            pairs: Vec::new(),
            edges: Vec::new(),
            terminal: Vec::new(),
            passed: false,
        };
        let start = walk.inputs.id(Input::Start);
        let mut queue = Vec::new();
        for (machine, world) in starts {
            let first = (walk.machine(machine), walk.worlds.id(world));
            let first = walk.feed(first, start)?;
            if walk.machines.get(first.0).finished() {
                walk.judge(first)?;
            } else if let (number, true) = walk.number(first) {
                queue.push(number);
            }
        }
        while let Some(number) = queue.pop() {
            let pair = walk.pairs[number];
            let next = walk.successors(pair).map_err(|error| format!("{error}\n{}", walk.show(pair)))?;
            if next.is_empty() {
                return Err(format!("nothing can happen any more:\n{}", walk.show(pair)));
            }
            for successor in next {
                // What comes after the end is of no interest: judge it, and note that an end was reached.
                if walk.machines.get(successor.0).finished() {
                    walk.judge(successor)?;
                    walk.terminal[number] = true;
                    continue;
                }
                let (to, new) = walk.number(successor);
                walk.edges[number].push(to);
                if new {
                    queue.push(to);
                }
            }
            if walk.pairs.len() > MOST {
                return Err("too many states".to_owned());
            }
        }
        walk.terminates()?;
        Ok(walk)
    }

    /// The worlds that were reached.
    pub(super) fn reached(&self) -> impl Iterator<Item = Rc<World>> + '_ {
        let worlds: HashSet<Id> = self.pairs.iter().map(|(_, world)| *world).collect();
        worlds.into_iter().map(|world| self.worlds.get(world))
    }

    fn show(&self, (machine, world): (Id, Id)) -> String {
        format!("{:#?}\n{:#?}", self.machines.get(machine), self.worlds.get(world))
    }

    fn number(&mut self, pair: (Id, Id)) -> (usize, bool) {
        let next = self.pairs.len();
        let number = *self.numbers.entry(pair).or_insert(next);
        if number == next {
            self.pairs.push(pair);
            self.edges.push(Vec::new());
            self.terminal.push(false);
        }
        (number, number == next)
    }

    /// From every state the end can be reached.
    fn terminates(&self) -> Result<(), String> {
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
            Some(stuck) => Err(format!("no end can be reached from\n{}", self.show(self.pairs[stuck]))),
        }
    }

    fn judge(&mut self, pair: (Id, Id)) -> Result<(), String> {
        if self.judged.insert(pair) {
            judge::end(&self.scenario, &self.machines.get(pair.0), &self.worlds.get(pair.1))?;
        }
        Ok(())
    }

    fn successors(&mut self, (machine, world): (Id, Id)) -> Result<Vec<(Id, Id)>, String> {
        let mut next = Vec::new();
        for (world, inputs) in self.world_moves(world)?.iter() {
            let mut pair = (machine, *world);
            for input in inputs {
                pair = self.feed(pair, *input)?;
            }
            next.push(pair);
        }
        for (tweak, input) in self.time_moves(machine).iter() {
            if let Some(world) = self.tweak(world, *tweak) {
                next.push(self.feed((machine, world), *input)?);
            }
        }
        Ok(next)
    }

    fn world_moves(&mut self, world: Id) -> Result<Moves, String> {
        if let Some(moves) = self.moves.get(&world) {
            return Ok(Rc::clone(moves));
        }
        let mut moves = Vec::new();
        for step in self.worlds.get(world).moves(&self.scenario)? {
            let inputs = step.inputs.into_iter().map(|input| self.inputs.id(input)).collect();
            moves.push((self.worlds.id(step.world), inputs));
        }
        let moves: Moves = moves.into();
        self.moves.insert(world, Rc::clone(&moves));
        Ok(moves)
    }

    /// Time passes, somebody presses Ctrl-C, or the driver is certain of something.
    fn time_moves(&mut self, machine: Id) -> Rc<[(Tweak, Id)]> {
        if let Some(moves) = self.times.get(&machine) {
            return Rc::clone(moves);
        }
        let state = self.machines.get(machine);
        let mut moves = Vec::new();
        for (trip, about) in state.trips.iter().enumerate() {
            match (about.stage, about.step) {
                (Stage::Running(_), step) => {
                    moves.push((Tweak::Trouble, Input::Certain { trip }));
                    moves.extend(step.map(|step| (Tweak::None, Input::TimedOut { trip, step })));
                    let waits = about.given_time.filter(|_| !about.had_its_time);
                    moves.extend(waits.map(|it| (Tweak::None, Input::HadItsTime { item: Item::Of(trip, it) })));
                }
                (Stage::Unwinding, Some(StepId::Cleanup)) => {
                    if self.scenario.hurry && self.scenario.nature.is_walked_whole() && !about.hurry {
                        moves.push((Tweak::None, Input::Hurry { trip }));
                    }
                    moves.push((Tweak::Hardship, Input::BudgetSpent { trip: Some(trip) }));
                }
                (Stage::Queued | Stage::Unwinding | Stage::Done, _) => {}
            }
        }
        if state.shared.removal {
            moves.push((Tweak::Hardship, Input::BudgetSpent { trip: None }));
        }
        match state.signals {
            0 => moves.push((Tweak::None, Input::Signal)),
            1 => moves.push((Tweak::Hardship, Input::Signal)),
            _ => {}
        }
        // A minute has passed since the last create was sent.
        for (item, entry) in state.ledger().iter() {
            if entry.pending > 0 && entry.state != State::InFlight {
                moves.push((Tweak::CannotLand(item), Input::CannotComeAnyMore { item }));
            }
        }
        let moves: Rc<[_]> = moves.into_iter().map(|(tweak, input)| (tweak, self.inputs.id(input))).collect();
        self.times.insert(machine, Rc::clone(&moves));
        moves
    }

    fn tweak(&mut self, world: Id, tweak: Tweak) -> Option<Id> {
        if let Some(known) = self.tweaked.get(&(world, tweak)) {
            return *known;
        }
        let mut after = (*self.worlds.get(world)).clone();
        let possible = match tweak {
            Tweak::None => true,
            Tweak::Trouble => {
                let left = after.trouble > 0;
                after.trouble = after.trouble.saturating_sub(1);
                left
            }
            Tweak::Hardship => {
                after.hardship = true;
                true
            }
            Tweak::CannotLand(item) => {
                after.landing.remove(&item);
                true
            }
        };
        let id = possible.then(|| self.worlds.id(after));
        self.tweaked.insert((world, tweak), id);
        id
    }

    /// The machine is told something; what it commands is done, or is under way.
    fn feed(&mut self, (machine, world): (Id, Id), input: Id) -> Result<(Id, Id), String> {
        let (machine, commands) = self.handle(machine, input);
        let traits = self.traits[machine as usize];
        let (world, at_once) = self.perform(machine, world, commands, traits.hurry)?;
        let late = self.late(world);
        let traits = Traits { over: traits.over & !late, dropped: traits.dropped & !late, ..traits };
        let mut pair = (self.forget(machine, traits), self.clean(world, traits));
        for pending in at_once.iter() {
            let mut answered = Vec::new();
            (*self.worlds.get(pair.1)).clone().answer(&self.scenario, pending, &mut answered)?;
            let answer = answered.pop().ok_or("a delete has an answer")?;
            pair.1 = self.worlds.id(answer.world);
            for input in answer.inputs {
                let input = self.inputs.id(input);
                pair = self.feed(pair, input)?;
            }
        }
        Ok(pair)
    }

    fn handle(&mut self, machine: Id, input: Id) -> (Id, Id) {
        if let Some(known) = self.handled.get(&(machine, input)) {
            return *known;
        }
        let mut after = (*self.machines.get(machine)).clone();
        let commands = after.handle((*self.inputs.get(input)).clone());
        if self.scenario.merged {
            simplify(&mut after, self.scenario.settings.keep);
        }
        let id = self.machine(after);
        let known = (id, self.commands.id(commands));
        self.handled.insert((machine, input), known);
        known
    }

    /// The world after commands, and those that are answered at once.
    fn perform(&mut self, machine: Id, world: Id, commands: Id, hurry: u8) -> Result<Performed, String> {
        if let Some((id, at_once)) = self.performed.get(&(world, commands, hurry)) {
            return Ok((*id, Rc::clone(at_once)));
        }
        let mut after = (*self.worlds.get(world)).clone();
        let mut at_once = Vec::new();
        for command in self.commands.get(commands).iter() {
            match command {
                Command::Verdict { trip, ending } => {
                    self.passed |= *ending == Ending::Passed;
                    judge::verdict(&self.scenario, &mut after, *trip, *ending)?;
                }
                Command::Delete { item, .. } => {
                    judge::order(&self.scenario, &self.machines.get(machine), &after, *item)?;
                    let request = Pending::Request(command.clone());
                    if self.scenario.hurry { at_once.push(request) } else { after.pending.push(request) }
                }
                // How soon it is looked is all the same: anything may happen before.
                Command::Ask { item, .. } => {
                    after.pending.push(Pending::Request(Command::Ask { item: *item, later: false }));
                }
                Command::Create { .. }
                | Command::TakeOver { .. }
                | Command::DryRun { .. }
                | Command::RetryLater { .. } => {
                    after.pending.push(Pending::Request(command.clone()));
                }
                Command::Begin { .. }
                | Command::End { .. }
                | Command::GiveTime { .. }
                | Command::RemoveShared
                | Command::Finished => {}
            }
        }
        after.pending.sort();
        let known = (self.worlds.id(after), Rc::from(at_once));
        self.performed.insert((world, commands, hurry), (known.0, Rc::clone(&known.1)));
        Ok(known)
    }

    /// Objects about which an answer is on its way, or which may yet be created.
    fn late(&mut self, world: Id) -> Items {
        if let Some(late) = self.late.get(&world) {
            return *late;
        }
        let late = self.worlds.get(world).pending.iter().fold(0, |late, pending| match pending {
            Pending::Answer(item, _) | Pending::Request(Command::Create { item }) => late | bit(*item),
            Pending::Request(_) => late,
        });
        self.late.insert(world, late);
        late
    }

    /// A machine without what it knows of objects that are over.
    fn forget(&mut self, machine: Id, Traits { over, dropped, .. }: Traits) -> Id {
        if over == 0 || !self.scenario.merged {
            return machine;
        }
        if let Some(id) = self.forgotten.get(&(machine, over, dropped)) {
            return *id;
        }
        let mut after = (*self.machines.get(machine)).clone();
        forget(&mut after, over, dropped);
        let id = self.machine(after);
        self.forgotten.insert((machine, over, dropped), id);
        id
    }

    fn machine(&mut self, machine: Machine) -> Id {
        let id = self.machines.id(machine);
        if self.traits.len() < self.machines.values.len() {
            self.traits.push(traits(&self.machines.get(id)));
        }
        id
    }

    /// A world without what no longer matters to anybody.
    fn clean(&mut self, world: Id, traits: Traits) -> Id {
        let Traits { ended, over, dropped, finished, .. } = traits;
        if (ended == 0 && !finished) || !self.scenario.merged {
            return world;
        }
        if let Some(id) = self.cleaned.get(&(world, ended, over, dropped, finished)) {
            return *id;
        }
        let mut after = (*self.worlds.get(world)).clone();
        clean(&mut after, &self.scenario, traits);
        let id = self.worlds.id(after);
        self.cleaned.insert((world, ended, over, dropped, finished), id);
        id
    }
}
