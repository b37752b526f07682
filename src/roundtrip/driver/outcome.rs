//! What is gone, what is left, and what came of the run.

use super::{Driver, Knowledge, Outcome, observe, record};
use crate::report::document::ObjectName;
use crate::report::events::Happening;
use crate::roundtrip::ledger::{Item, State};

impl<K: Knowledge> Driver<'_, K> {
    /// What keeps the objects that are left although they are being deleted.
    pub(super) fn stuck(&self, trip: usize) -> Vec<String> {
        let left = self.machine.ledger().items(Some(trip), |state| matches!(state, State::Left(_)));
        left.into_iter()
            .filter_map(|item| {
                let seen = self.objects.get(&item)?;
                observe::text(seen, "/metadata/deletionTimestamp")?;
                Some(self.knowledge.stuck(self.place(item)?.object(), seen))
            })
            .collect()
    }

    /// Says which objects were seen to be gone since the last time.
    pub(super) fn note_removed(&mut self) {
        let gone = self.machine.ledger().items(None, |state| state == State::Gone);
        for item in gone {
            let existed = self.machine.ledger().get(item).is_some_and(|entry| entry.uid.is_some());
            if existed
                && self.removed.insert(item)
                && let Some(place) = self.place(item)
            {
                self.record.tell(Happening::ObjectRemoved { object: place.object() });
            }
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        let ledger = self.machine.ledger();
        // What a controller may have made counts only if something showed that it did.
        let real = |item: Item| match item {
            Item::Of(trip, role) if !role.namespaced() => {
                self.objects.contains_key(&item)
                    || self.maker(trip, role).is_some_and(|(maker, _)| {
                        observe::text(maker, "/spec/volumeName").is_some()
                            || observe::text(maker, "/status/boundVolumeSnapshotContentName").is_some()
                    })
            }
            Item::Of(..) | Item::Namespace => true,
        };
        let named = |items: Vec<Item>| -> Vec<ObjectName> {
            items
                .into_iter()
                .filter(|item| real(*item))
                .filter_map(|item| self.place(item).map(|place| place.object()))
                .collect()
        };
        let leftovers = named(ledger.leftovers().into_iter().map(|(item, _)| item).collect());
        let kept = named(ledger.items(None, |state| state == State::Kept));
        let round_trips = (0..self.knowledge.trips().len())
            .filter_map(|trip| {
                let objects = ledger
                    .iter()
                    .filter(|(item, entry)| {
                        item.trip() == Some(trip)
                            && !matches!(entry.state, State::Planned | State::Foreign)
                            && real(*item)
                    })
                    .filter_map(|(item, entry)| self.place(item).map(|place| (place.object(), entry)))
                    .map(|(object, entry)| record::object(object, entry))
                    .collect();
                self.record.round_trip(trip, self.knowledge, self.machine.ending(trip), objects)
            })
            .collect();
        Outcome { round_trips, leftovers, kept }
    }
}
