//! The world that the machine is walked with: a cluster, the requests under way to it, and what can happen there.

use std::collections::BTreeMap;

use crate::roundtrip::ledger::{Item, Progress, Role, Uid};
use crate::roundtrip::machine::{Command, CreateAnswer, DeleteAnswer, Input, Settings, Sight};

/// What a walk explores.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) settings: Settings,
    pub(super) trips: usize,
    pub(super) rules: crate::roundtrip::machine::Rules,
    /// How many things may go wrong on one path, apart from time-outs and signals.
    pub(super) trouble: u8,
    pub(super) foreign: Vec<Item>,
    pub(super) retained: bool,
    pub(super) unreadable: bool,
    /// Whether clean-ups run so late that the order no longer matters. Everything is then deleted at once, so to keep the
    /// number of states small, deletes are answered at once and watches are reliable.
    pub(super) hurry: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Thing {
    pub(super) uid: Uid,
    pub(super) ours: bool,
    pub(super) progress: Progress,
    pub(super) deleting: bool,
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
    pub(super) overwritten: Vec<usize>,
    /// Round trips whose restored data a pod has read.
    pub(super) read: Vec<usize>,
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
            (*item, Thing { uid, ours: false, progress: Progress::Nothing, deleting: false })
        };
        Self {
            things: scenario.foreign.iter().map(foreign).collect(),
            landing: BTreeMap::new(),
            pending: Vec::new(),
            made: BTreeMap::new(),
            trouble: scenario.trouble,
            overwritten: Vec::new(),
            read: Vec::new(),
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
                    next.push(Move::told(self.clone().troubled(), Input::Admitted { trip, allowed: false }));
                }
                next.push(Move::told(self, Input::Admitted { trip, allowed: true }));
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
                | Command::RemoveNamespace
                | Command::Finished,
            ) => {}
        }
        Ok(())
    }

    fn answer_create(self, scenario: &Scenario, item: Item, next: &mut Vec<Move>) {
        let taken = self.things.contains_key(&item);
        let homeless = item != Item::Namespace
            && scenario.settings.own_namespace
            && self.things.get(&Item::Namespace).is_none_or(|namespace| namespace.deleting);
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
        let own_namespace = scenario.settings.own_namespace;
        for (item, count) in &self.landing {
            let home = *item == Item::Namespace || !own_namespace || self.things.contains_key(&Item::Namespace);
            if *count > 0 && home && !self.things.contains_key(item) {
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
            if let Some(progress) = grows(*item, thing)
                && self.fed(scenario, *item)
            {
                let mut grown = self.clone();
                grown.grow(*item, progress);
                let sight = grown.sight(scenario, *item);
                next.push(Move::told(grown, Input::Seen { item: *item, sight }));
            }
            if self.in_use(*item) {
                continue;
            }
            if thing.deleting {
                let mut gone = self.clone();
                gone.vanish(scenario, *item);
                if *item == Item::Namespace {
                    for inner in self.things.keys() {
                        if matches!(inner, Item::Of(_, role) if role.namespaced()) {
                            gone.vanish(scenario, *inner);
                        }
                    }
                    gone.landing.retain(|item, _| *item == Item::Namespace);
                } else if watched(*item) {
                    let sight = Sight::Gone { uid: thing.uid.clone() };
                    next.push(Move::told(gone.clone(), Input::Seen { item: *item, sight }));
                }
                if !scenario.hurry || !watched(*item) {
                    next.push(Move { world: gone, inputs: Vec::new() });
                }
            } else if self.trouble > 0 && *item != Item::Namespace {
                // Somebody else deletes it.
                let mut gone = self.clone().troubled();
                gone.vanish(scenario, *item);
                let sight = Sight::Gone { uid: thing.uid.clone() };
                next.push(Move::told(gone, Input::Seen { item: *item, sight }));
            }
        }
    }

    fn land(&mut self, item: Item) -> Uid {
        let count = self.made.entry(item).or_default();
        *count += 1;
        let uid = Uid::from(format!("{item:?} {count}").as_str());
        let thing = Thing { uid: uid.clone(), ours: true, progress: Progress::Nothing, deleting: false };
        self.things.insert(item, thing);
        uid
    }

    fn grow(&mut self, item: Item, progress: Progress) {
        let Item::Of(trip, role) = item else { return };
        self.things.get_mut(&item).unwrap().progress = progress;
        if role == Role::Writer && progress == Progress::Done && !self.overwritten.contains(&trip) {
            self.overwritten.push(trip);
        }
        if role == Role::Reader && progress == Progress::Done && !self.read.contains(&trip) {
            self.read.push(trip);
        }
        let derived = match (role, progress) {
            (Role::SourceClaim, Progress::Done) => Role::SourceVolume,
            (Role::RestoredClaim, Progress::Done) => Role::RestoredVolume,
            (Role::Snapshot, Progress::Done) => Role::Content,
            _ => return,
        };
        let derived_item = Item::Of(trip, derived);
        // A claim has one volume, whatever becomes of it, and however many pods use the claim.
        let count =
            derived.maker().and_then(|maker| self.made.get(&Item::Of(trip, maker))).copied().unwrap_or_default();
        if self.made.insert(derived_item, count) == Some(count) {
            return;
        }
        let uid = Uid::from(format!("{derived:?} {count}").as_str());
        let thing = Thing { uid, ours: true, progress: Progress::Nothing, deleting: false };
        self.things.insert(derived_item, thing);
    }

    fn vanish(&mut self, scenario: &Scenario, item: Item) {
        self.things.remove(&item);
        if let Item::Of(trip, role) = item
            && let Some(derived) = role.derived()
            && let Some(thing) = self.things.get_mut(&Item::Of(trip, derived))
            && !scenario.retained
        {
            thing.deleting = true;
        }
    }

    fn sight(&self, scenario: &Scenario, item: Item) -> Sight {
        if scenario.unreadable && !watched(item) && item != Item::Namespace {
            return Sight::Unreadable;
        }
        match self.things.get(&item) {
            None => Sight::Absent,
            Some(thing) if !thing.ours => Sight::Foreign { uid: thing.uid.clone() },
            Some(thing) => Sight::Ours {
                uid: thing.uid.clone(),
                progress: thing.progress,
                deleting: thing.deleting,
                retained: scenario.retained && !watched(item) && item != Item::Namespace,
            },
        }
    }

    /// Whether what an object needs to come further is there.
    fn fed(&self, scenario: &Scenario, item: Item) -> bool {
        let Item::Of(trip, role) = item else {
            return true;
        };
        let claim = match role {
            Role::SourceClaim | Role::RestoredClaim => {
                let consumes =
                    |pod: &Item| matches!(pod, Item::Of(other, pod) if *other == trip && pod.consumes() == Some(role));
                return scenario.settings.immediate.contains(&trip) || self.things.keys().any(consumes);
            }
            Role::Writer | Role::Snapshot => Role::SourceClaim,
            Role::Reader => Role::RestoredClaim,
            _ => return true,
        };
        let started = self.things.get(&item).is_some_and(|thing| thing.progress > Progress::Nothing);
        started || self.things.get(&Item::Of(trip, claim)).is_some_and(|claim| !claim.deleting)
    }

    /// Kubernetes keeps a claim as long as a pod uses it.
    fn in_use(&self, item: Item) -> bool {
        let Item::Of(trip, role) = item else {
            return false;
        };
        let pods: &[Role] = match role {
            Role::SourceClaim => &[Role::Writer, Role::SourceConsumer],
            Role::RestoredClaim => &[Role::Reader, Role::RestoredConsumer],
            _ => &[],
        };
        pods.iter().any(|pod| self.things.contains_key(&Item::Of(trip, *pod)))
    }
}

/// The driver watches what lies in the namespace, and asks for the rest by name.
fn watched(item: Item) -> bool {
    matches!(item, Item::Of(_, role) if role.namespaced())
}

fn grows(item: Item, thing: &Thing) -> Option<Progress> {
    let Item::Of(_, role) = item else { return None };
    match (role, thing.progress) {
        (Role::Writer | Role::Reader, Progress::Nothing) => Some(Progress::Started),
        (Role::Writer, Progress::Started) => Some(Progress::Written),
        (Role::Writer, Progress::Written) if thing.deleting => Some(Progress::Done),
        (Role::Reader, Progress::Started)
        | (Role::Snapshot | Role::SourceClaim | Role::RestoredClaim, Progress::Nothing) => Some(Progress::Done),
        _ => None,
    }
}
