//! The world that the machine is walked with: a cluster, the requests under way to it, and what can happen there.

use std::collections::{BTreeMap, BTreeSet};

use super::Rules;
use crate::model::{Kind, PodUser};
use crate::roundtrip::ledger::{Item, Progress, Uid};
use crate::roundtrip::machine::{Command, CreateAnswer, DeleteAnswer, Input, Nature, Settings, Sight};
use crate::roundtrip::program::{Lies, Object, ObjectId, Program};

/// What a walk explores.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub(super) struct Scenario {
    pub(super) settings: Settings,
    /// One for each round trip.
    pub(super) programs: Vec<Program>,
    pub(super) nature: Nature,
    /// Whether claims are bound without a consumer.
    pub(super) immediate: bool,
    pub(super) rules: Rules,
    /// How many things may go wrong on one path, apart from time-outs and signals.
    pub(super) trouble: u8,
    pub(super) foreign: Vec<Item>,
    pub(super) retained: bool,
    pub(super) unreadable: bool,
    /// Whether clean-ups run so late that the order no longer matters. Everything is then deleted at once, so to keep the
    /// number of states small, deletes are answered at once and watches are reliable.
    pub(super) hurry: bool,
    /// Whether states that differ in nothing that matters are one.
    pub(super) merged: bool,
    /// Whether the run died, and another process cleans up after it.
    pub(super) resumed: bool,
}

impl Scenario {
    fn object(&self, item: Item) -> Option<&Object> {
        self.programs[item.trip().unwrap_or_default()].object(item.object())
    }

    /// The namespace that an object lies in, if the run creates it.
    pub(super) fn space(&self, item: Item) -> Option<Item> {
        let Lies::In(space) = self.object(item)?.lies else { return None };
        let program = &self.programs[0];
        let trip = item.trip().unwrap_or_default();
        program.creates(space).then(|| program.item(trip, space))
    }

    /// Whether it is a namespace.
    pub(super) fn is_space(&self, item: Item) -> bool {
        self.object(item).is_some_and(|object| object.kind == Kind::NAMESPACE)
    }

    /// Whether the run creates namespaces.
    pub(super) fn own_namespace(&self) -> bool {
        self.programs[0].created_shared().next().is_some()
    }

    /// The driver watches what the run creates in namespaces, and asks for the rest.
    fn watched(&self, item: Item) -> bool {
        item.trip().is_some()
            && self.object(item).is_some_and(|object| object.kind.namespaced)
            && !self.is_brought(item.object())
    }

    /// What a controller made carries no label of ours. If what it was made for had gone before a clean-up looked, nobody
    /// can find it; but it is on its way out.
    pub(super) fn goes_by_itself(&self, item: Item, thing: &Thing) -> bool {
        item.trip().is_some() && self.is_brought(item.object()) && thing.deleting
    }

    fn is_brought(&self, object: ObjectId) -> bool {
        self.nature.brings.iter().any(|(_, derived)| *derived == object)
    }
}

/// What a table says of an object.
pub(super) fn row<T: Copy>(table: &[(ObjectId, T)], object: ObjectId) -> impl Iterator<Item = T> + '_ {
    table.iter().filter(move |(of, _)| *of == object).map(|(_, what)| *what)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Thing {
    pub(super) uid: Uid,
    pub(super) ours: bool,
    pub(super) progress: Progress,
    pub(super) deleting: bool,
    /// The run has taken it over from the controller that made it.
    pub(super) taken_over: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Pending {
    Request(Command),
    /// A look that the server has answered; the answer is still on its way.
    Answer(Item, Sight),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) things: BTreeMap<Item, Thing>,
    /// Creates without a clear answer that may still take effect.
    pub(super) landing: BTreeMap<Item, u8>,
    pub(super) pending: Vec<Pending>,
    /// How often an object came to be, so that each has a UID of its own.
    pub(super) made: BTreeMap<Item, u8>,
    pub(super) trouble: u8,
    /// The snapshots in the storage, by round trip, and whether the second content answers for it as well.
    pub(super) stored: BTreeMap<usize, bool>,
    /// What a pass rests on: the source is overwritten, the restored data is read, an object was asked to go.
    pub(super) proved: BTreeSet<(usize, ObjectId)>,
    pub(super) verdicts: Vec<usize>,
    /// Something happened after which objects may be left.
    pub(super) hardship: bool,
}

/// Something that happens: the world after it, and what the machine is told, one after the other.
pub(super) struct Move {
    pub(super) world: World,
    pub(super) inputs: Vec<Input>,
}

impl Move {
    fn told(world: World, input: Input) -> Self {
        Self { world, inputs: vec![input] }
    }
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let foreign = |item: &Item| {
            let uid = Uid::from(format!("foreign {item:?}").as_str());
            (*item, Thing { uid, ours: false, progress: Progress::Nothing, deleting: false, taken_over: false })
        };
        Self {
            things: scenario.foreign.iter().map(foreign).collect(),
            landing: BTreeMap::new(),
            pending: Vec::new(),
            made: BTreeMap::new(),
            trouble: scenario.trouble,
            stored: BTreeMap::new(),
            proved: BTreeSet::new(),
            verdicts: Vec::new(),
            hardship: false,
        }
    }

    /// Everything that can happen to the requests under way and in the cluster.
    pub(super) fn moves(&self, scenario: &Scenario) -> Result<Vec<Move>, String> {
        let mut next = Vec::new();
        for (index, pending) in self.pending.iter().enumerate() {
            let mut world = self.clone();
            world.pending.remove(index);
            world.answer(scenario, pending, &mut next)?;
        }
        self.cluster(scenario, &mut next);
        Ok(next)
    }

    fn troubled(mut self) -> Self {
        self.trouble -= 1;
        self
    }

    /// A request is answered.
    pub(super) fn answer(self, scenario: &Scenario, pending: &Pending, next: &mut Vec<Move>) -> Result<(), String> {
        let troubled = self.trouble > 0;
        match pending {
            Pending::Answer(item, sight) => {
                next.push(Move::told(self, Input::Asked { item: *item, sight: sight.clone() }));
            }
            Pending::Request(Command::DryRun { trip }) => {
                let trip = *trip;
                if troubled {
                    next.push(Move::told(self.clone().troubled(), Input::Admitted { trip, user: None }));
                }
                next.push(Move::told(self, Input::Admitted { trip, user: Some(PodUser::NonRoot) }));
            }
            Pending::Request(Command::RetryLater { item }) => next.push(Move::told(self, Input::Retry { item: *item })),
            Pending::Request(Command::Create { item }) => self.answer_create(scenario, *item, next),
            Pending::Request(Command::Ask { item, .. }) => {
                let item = *item;
                let sight = self.sight(scenario, item);
                if troubled {
                    let mut late = self.clone().troubled();
                    late.pending.push(Pending::Answer(item, sight.clone()));
                    late.pending.sort();
                    next.push(Move { world: late, inputs: Vec::new() });
                }
                next.push(Move::told(self, Input::Asked { item, sight }));
            }
            Pending::Request(Command::TakeOver { item, uid }) => {
                let mut taken = self;
                taken.taken_over(*item, uid);
                let sight = taken.sight(scenario, *item);
                next.push(Move::told(taken, Input::Asked { item: *item, sight }));
            }
            Pending::Request(Command::Delete { item, uid }) => {
                let item = *item;
                let mut deleted = self.clone();
                let answer = match deleted.things.get_mut(&item) {
                    None => DeleteAnswer::Absent,
                    Some(thing) if thing.uid != *uid => DeleteAnswer::OtherUid,
                    Some(thing) if !thing.ours => return Err(format!("a foreign object is deleted: {item:?}")),
                    Some(thing) => {
                        thing.deleting = true;
                        DeleteAnswer::Accepted
                    }
                };
                if let (Item::Of(trip, object), DeleteAnswer::Accepted) = (item, answer)
                    && scenario.nature.asked_to_go.contains(&object)
                {
                    deleted.proved.insert((trip, object));
                }
                if troubled && answer == DeleteAnswer::Accepted {
                    let mut denied = self.troubled();
                    denied.hardship = true;
                    next.push(Move::told(denied, Input::Deleted { item, answer: DeleteAnswer::Denied }));
                }
                next.push(Move::told(deleted, Input::Deleted { item, answer }));
            }
            Pending::Request(
                Command::Begin { .. }
                | Command::End { .. }
                | Command::Verdict { .. }
                | Command::GiveTime { .. }
                | Command::RemoveShared
                | Command::Finished,
            ) => {}
        }
        Ok(())
    }

    pub(super) fn taken_over(&mut self, item: Item, uid: &Uid) {
        if let Some(thing) = self.things.get_mut(&item).filter(|thing| thing.ours && thing.uid == *uid) {
            thing.taken_over = true;
            thing.progress = Progress::Done;
        }
    }

    fn answer_create(self, scenario: &Scenario, item: Item, next: &mut Vec<Move>) {
        let taken = self.things.contains_key(&item);
        let homeless = scenario
            .space(item)
            .is_some_and(|space| self.things.get(&space).is_none_or(|namespace| namespace.deleting));
        let told = |world, answer| Move::told(world, Input::Created { item, answer });
        if self.trouble > 0 {
            next.push(told(self.clone().troubled(), CreateAnswer::NotProcessed));
            if !taken && !homeless {
                next.push(told(self.clone().troubled(), CreateAnswer::Refused));
                let mut landed = self.clone().troubled();
                landed.land(item);
                next.push(told(landed, CreateAnswer::Unclear));
            }
            let mut late = self.clone().troubled();
            *late.landing.entry(item).or_default() += 1;
            next.push(told(late, CreateAnswer::Unclear));
        }
        if taken {
            next.push(told(self, CreateAnswer::AlreadyExists));
        } else if homeless {
            next.push(told(self, CreateAnswer::Refused));
        } else {
            let mut landed = self;
            let uid = landed.land(item);
            next.push(told(landed.clone(), CreateAnswer::Created(uid.clone())));
            let seen = Input::Seen { item, sight: landed.sight(scenario, item) };
            let created = Input::Created { item, answer: CreateAnswer::Created(uid) };
            next.push(Move { world: landed, inputs: vec![seen, created] });
        }
    }

    /// The cluster does something.
    fn cluster(&self, scenario: &Scenario, next: &mut Vec<Move>) {
        for (item, count) in &self.landing {
            if *count > 0 && self.may_land(scenario, *item) {
                let mut landed = self.clone();
                landed.land(*item);
                *landed.landing.entry(*item).or_default() -= 1;
                let sight = landed.sight(scenario, *item);
                // The watch is lost.
                if !scenario.hurry {
                    next.push(Move { world: landed.clone(), inputs: Vec::new() });
                }
                next.push(Move::told(landed, Input::Seen { item: *item, sight }));
            }
        }
        for (item, thing) in self.things.iter().filter(|(_, thing)| thing.ours) {
            if let Some(progress) = grows(scenario, *item, thing)
                && self.fed(scenario, *item)
            {
                let mut grown = self.clone();
                grown.grow(scenario, *item, progress);
                let sight = grown.sight(scenario, *item);
                let inputs = if scenario.is_brought(item.object()) {
                    Vec::new()
                } else {
                    vec![Input::Seen { item: *item, sight }]
                };
                next.push(Move { world: grown, inputs });
            }
            if self.in_use(scenario, *item) {
                continue;
            }
            if thing.deleting {
                let mut gone = self.clone();
                gone.vanish(scenario, *item);
                if scenario.is_space(*item) {
                    gone.emptied(scenario, *item);
                } else if scenario.watched(*item) {
                    let sight = Sight::Gone { uid: thing.uid.clone() };
                    next.push(Move::told(gone.clone(), Input::Seen { item: *item, sight }));
                }
                if !scenario.hurry || !scenario.watched(*item) {
                    next.push(Move { world: gone, inputs: Vec::new() });
                }
            } else if self.trouble > 0 && item.trip().is_some() {
                // Somebody else deletes it.
                let mut gone = self.clone().troubled();
                gone.vanish(scenario, *item);
                if scenario.is_space(*item) {
                    gone.emptied(scenario, *item);
                }
                let sight = Sight::Gone { uid: thing.uid.clone() };
                next.push(Move::told(gone, Input::Seen { item: *item, sight }));
            }
        }
    }

    /// Whether a create that is under way can take effect now.
    pub(super) fn may_land(&self, scenario: &Scenario, item: Item) -> bool {
        let home = scenario.space(item).is_none_or(|space| self.things.contains_key(&space));
        home && !self.things.contains_key(&item)
    }

    pub(super) fn land(&mut self, item: Item) -> Uid {
        let count = self.made.entry(item).or_default();
        *count += 1;
        let uid = Uid::from(format!("{item:?} {count}").as_str());
        let thing =
            Thing { uid: uid.clone(), ours: true, progress: Progress::Nothing, deleting: false, taken_over: false };
        self.things.insert(item, thing);
        uid
    }

    fn grow(&mut self, scenario: &Scenario, item: Item, progress: Progress) {
        let Item::Of(trip, object) = item else { return };
        self.things.get_mut(&item).unwrap().progress = progress;
        if progress != Progress::Done {
            return;
        }
        if scenario.nature.proof.contains(&object) {
            self.proved.insert((trip, object));
        }
        if let Some(stored) = scenario.nature.stored {
            if stored.by.0 == object {
                self.stored.insert(trip, false);
            } else if stored.then.0 == object {
                self.stored.entry(trip).and_modify(|both| *both = true);
            }
        }
        for derived in row(scenario.nature.brings, object) {
            let derived_item = Item::Of(trip, derived);
            // A claim has one volume, whatever becomes of it, and however many pods use the claim.
            let count = self.made.get(&item).copied().unwrap_or_default();
            if self.made.insert(derived_item, count) == Some(count) {
                continue;
            }
            let uid = Uid::from(format!("{derived:?} {count}").as_str());
            let thing = Thing { uid, ours: true, progress: Progress::Started, deleting: false, taken_over: false };
            self.things.insert(derived_item, thing);
        }
    }

    /// A namespace has gone, and with it what was in it.
    fn emptied(&mut self, scenario: &Scenario, space: Item) {
        let inner: Vec<Item> =
            self.things.keys().copied().filter(|inner| scenario.space(*inner) == Some(space)).collect();
        for inner in inner {
            self.vanish(scenario, inner);
        }
        self.landing.retain(|inner, _| scenario.space(*inner) != Some(space));
    }

    fn vanish(&mut self, scenario: &Scenario, item: Item) {
        let gone = self.things.remove(&item);
        let Item::Of(trip, object) = item else { return };
        let brought = row(scenario.nature.brings, object).filter(|_| !scenario.retained);
        for other in brought.chain(row(scenario.nature.takes, object)) {
            if let Some(thing) = self.things.get_mut(&Item::Of(trip, other)).filter(|thing| !thing.taken_over) {
                thing.deleting = true;
            }
        }
        if let Some(stored) = scenario.nature.stored {
            let by_first = stored.by.1 == object && gone.is_some_and(|content| !content.taken_over);
            let by_second = stored.then.1 == object && self.stored.get(&trip) == Some(&true);
            if by_first || by_second {
                self.stored.remove(&trip);
            }
        }
    }

    fn sight(&self, scenario: &Scenario, item: Item) -> Sight {
        let brought = item.trip().is_some() && scenario.is_brought(item.object());
        if scenario.unreadable && brought {
            return Sight::Unreadable;
        }
        match self.things.get(&item) {
            None => Sight::Absent,
            Some(thing) if !thing.ours => Sight::Foreign { uid: thing.uid.clone() },
            Some(thing) => Sight::Ours {
                uid: thing.uid.clone(),
                progress: thing.progress,
                deleting: thing.deleting,
                retained: scenario.retained && brought && !thing.taken_over,
            },
        }
    }

    /// Whether what an object needs to come further is there.
    fn fed(&self, scenario: &Scenario, item: Item) -> bool {
        let Item::Of(trip, object) = item else {
            return true;
        };
        if let Some(pods) = row(scenario.nature.bound_for, object).next() {
            return scenario.immediate || pods.iter().any(|pod| self.things.contains_key(&Item::Of(trip, *pod)));
        }
        let started = self.things.get(&item).is_some_and(|thing| thing.progress > Progress::Nothing);
        started
            || row(scenario.nature.fed_by, object)
                .all(|claim| self.things.get(&Item::Of(trip, claim)).is_some_and(|claim| !claim.deleting))
    }

    /// Kubernetes keeps a claim as long as a pod uses it.
    fn in_use(&self, scenario: &Scenario, item: Item) -> bool {
        let Item::Of(trip, object) = item else {
            return false;
        };
        row(scenario.nature.used_by, object).flatten().any(|pod| self.things.contains_key(&Item::Of(trip, *pod)))
    }
}

fn grows(scenario: &Scenario, item: Item, thing: &Thing) -> Option<Progress> {
    let Item::Of(_, object) = item else { return None };
    let mut growths = scenario.nature.grows.iter().filter(|growth| growth.object == object);
    growths
        .find(|growth| growth.from == thing.progress && (thing.deleting || !growth.on_deletion))
        .map(|growth| growth.to)
}
