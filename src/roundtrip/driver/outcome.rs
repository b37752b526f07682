//! What is gone, what is left, and what came of the run.

use snapready_checks::model::finding::Status;

use super::{Driver, Knowledge, Outcome};
use crate::model::{Happening, ObjectName, ObjectRecord};
use crate::roundtrip::ledger::{Item, State};
use crate::roundtrip::observe;

impl<K: Knowledge> Driver<'_, K> {
    /// What keeps the objects that are left although they are being deleted.
    fn stuck(&self, trip: usize) -> Vec<String> {
        let left = self.machine.ledger().items(Some(trip), |state| matches!(state, State::Left(_)));
        left.into_iter()
            .filter_map(|item| {
                let seen = self.objects.get(&item)?;
                observe::text(seen, "/metadata/deletionTimestamp")?;
                Some(self.knowledge.stuck(self.place(item)?.object(), seen))
            })
            .collect()
    }

    /// Whether there was such an object. What a controller may have made counts only if something showed that it did.
    fn existed(&self, item: Item) -> bool {
        if self.is_own(item) {
            return self.machine.ledger().get(item).is_some_and(|entry| entry.uid.is_some());
        }
        let named = |maker| self.object(item).is_some_and(|what| observe::is_named(what, maker));
        self.objects.contains_key(&item) || self.maker(item).is_some_and(named)
    }

    /// What came of a clean-up.
    pub(super) fn cleaned(&self, trip: usize) -> (Status, String) {
        let in_state = |state: fn(State) -> bool| self.machine.ledger().items(Some(trip), state);
        let removed = in_state(|state| state == State::Gone).into_iter().filter(|item| self.existed(*item)).count();
        let removed = format!("{removed} {} removed", if removed == 1 { "object" } else { "objects" });
        let left = in_state(|state| matches!(state, State::Left(_))).len();
        let unseen = in_state(|state| state == State::Unseen).len();
        if left > 0 {
            let stuck = self.stuck(trip);
            let why = if stuck.is_empty() { String::new() } else { format!(": {}", stuck.join("; ")) };
            (Status::Fail, format!("{removed}, {left} left{why}"))
        } else if unseen > 0 {
            let what = if unseen == 1 { "object" } else { "objects" };
            (
                Status::Unknown,
                format!("{removed}; not allowed to see whether {unseen} cluster-scoped {what} went with them"),
            )
        } else {
            (Status::Pass, format!("{removed}, nothing left"))
        }
    }

    /// Says which objects were seen to be gone since the last time.
    pub(super) fn note_removed(&mut self) {
        let gone = self.machine.ledger().items(None, |state| state == State::Gone);
        for item in gone {
            if self.existed(item)
                && self.removed.insert(item)
                && let Some(place) = self.place(item)
            {
                self.record.tell(Happening::ObjectRemoved { object: place.object() });
            }
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        let ledger = self.machine.ledger();
        // A create without a clear answer is told of as well.
        let real = |item: Item| self.is_own(item) || self.existed(item);
        let named = |items: Vec<Item>| -> Vec<ObjectName> {
            items
                .into_iter()
                .filter(|item| real(*item))
                .filter_map(|item| self.place(item).map(|place| place.object()))
                .collect()
        };
        let leftovers = ledger.leftovers().into_iter().map(|(item, _)| item).filter(|item| real(*item));
        let left = |item| Some(observe::leftover(&self.place(item)?, self.objects.get(&item)));
        let leftovers = leftovers.filter_map(left).collect();
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
                    .filter_map(|(item, entry)| {
                        let seen = || observe::uid(self.objects.get(&item)?);
                        let uid = entry.uid.clone().or_else(seen).map(|uid| uid.to_string());
                        Some(ObjectRecord {
                            object: self.place(item)?.object(),
                            uid,
                            removed: entry.state == State::Gone,
                        })
                    })
                    .collect();
                let user = self.machine.pod_user(Some(trip));
                let capacity = self.knowledge.capacity(trip, &self.seen_of(Some(trip)));
                self.record.round_trip(trip, self.knowledge, self.machine.ending(trip), user, capacity, objects)
            })
            .collect();
        Outcome { round_trips, leftovers, kept }
    }
}
