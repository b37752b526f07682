//! Which objects there are, and where they lie.

use serde_json::Value;

use super::{Driver, Knowledge};
use crate::api::Place;
use crate::model::PodUser;
use crate::roundtrip::ledger::Item;
use crate::roundtrip::members::{self, Among};
use crate::roundtrip::modes::Seen;
use crate::roundtrip::observe;
use crate::roundtrip::program::{By, Object, Policy};

impl<K: Knowledge> Driver<'_, K> {
    /// Which object of its program this is.
    pub(super) fn object(&self, item: Item) -> Option<&Object> {
        self.machine.object(item)
    }

    /// Whether the run creates it. It has the run's labels then.
    pub(super) fn is_own(&self, item: Item) -> bool {
        self.object(item).is_some_and(|object| object.by == By::Run)
    }

    /// What may retain an object that a controller makes; `None` for what the run creates.
    pub(super) fn policy(&self, item: Item) -> Option<Policy> {
        match self.object(item)?.by {
            By::Controller { policy, .. } => Some(policy),
            By::Run | By::Group { .. } => None,
        }
    }

    /// Where an object lies. What controllers make is named after what they made it for; members of a group have any name.
    pub(super) fn place(&self, item: Item) -> Option<Place> {
        let what = self.object(item)?;
        match what.by {
            By::Run => Some(self.knowledge.manifest(item, PodUser::NonRoot, &Seen::default())?.place()),
            By::Controller { .. } => observe::derived_place(what, self.maker(item)?),
            By::Group { .. } => members::place(what, self.objects.get(&item)?),
        }
    }

    /// Where the member of a group is to be looked for.
    pub(super) fn among(&self, item: Item) -> Option<Among> {
        let By::Group { claim, .. } = self.object(item)?.by else { return None };
        Among::of(self.maker(item)?, self.place(Item::Of(item.trip()?, claim))?.name)
    }

    /// The members of a group that were not seen yet.
    pub(super) fn unseen_members(&self, group: Item) -> Vec<(Item, Among)> {
        let Some(trip) = group.trip() else { return Vec::new() };
        let members =
            self.knowledge.program(trip).derived(group.object()).map(|id| Item::Of(trip, id)).collect::<Vec<_>>();
        let unseen = members.into_iter().filter(|item| !self.objects.contains_key(item));
        unseen.filter_map(|item| Some((item, self.among(item)?))).collect()
    }

    /// What a controller's object was made for.
    pub(super) fn maker(&self, item: Item) -> Option<&Value> {
        let maker = self.object(item)?.maker()?;
        self.objects.get(&Item::Of(item.trip()?, maker))
    }
}
