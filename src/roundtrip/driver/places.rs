//! Which objects there are, and where they lie.

use serde_json::Value;

use super::{Driver, Knowledge};
use crate::api::Place;
use crate::model::PodUser;
use crate::roundtrip::ledger::Item;
use crate::roundtrip::modes::Seen;
use crate::roundtrip::observe;
use crate::roundtrip::program::{By, Object, Policy};

impl<K: Knowledge> Driver<'_, K> {
    /// Which object of its program this is.
    pub(super) fn object(&self, item: Item) -> Option<&Object> {
        self.machine.object(item)
    }

    /// What may retain an object that a controller makes; `None` for what the run creates.
    pub(super) fn policy(&self, item: Item) -> Option<Policy> {
        match self.object(item)?.by {
            By::Controller { policy, .. } => Some(policy),
            By::Run => None,
        }
    }

    /// Where an object lies. What controllers make is named after what they made it for.
    pub(super) fn place(&self, item: Item) -> Option<Place> {
        if self.policy(item).is_none() {
            return Some(self.knowledge.manifest(item, PodUser::NonRoot, &Seen::default())?.place());
        }
        observe::derived_place(self.object(item)?, self.maker(item)?)
    }

    /// What a controller's object was made for.
    pub(super) fn maker(&self, item: Item) -> Option<&Value> {
        let maker = self.object(item)?.maker()?;
        self.objects.get(&Item::Of(item.trip()?, maker))
    }
}
