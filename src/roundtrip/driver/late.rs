//! What comes late. Volumes come after their claim has gone: a csi-provisioner that has begun does not notice that the
//! claim is deleted, makes the volume, and Kubernetes then releases and deletes it. And a watch may be behind a look.
//! Gone is only what can come no more.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Driver, Knowledge};
use crate::model::StepId;
use crate::roundtrip::ledger::{Item, Progress, State};
use crate::roundtrip::observe;
use crate::roundtrip::program::{By, Object, Policy};

/// So long after the claim went, a provisioner that had just heard of it has said that it begins.
const HEARD: Duration = Duration::from_secs(2);
/// So long a provisioner that has begun may take; csi-provisioner gives a driver 10 s for an answer (`--timeout`).
const BEGUN: Duration = Duration::from_secs(12);
/// So long a watch may be behind a look: one that was lost begins again after 7.5 s at most.
const BEHIND: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

impl<K: Knowledge> Driver<'_, K> {
    /// Whether a volume that is not there may still come: its claim was never bound, and nobody has said how its
    /// provisioning ended.
    pub(super) fn may_still_come(&mut self, item: Item) -> bool {
        if self.policy(item) != Some(Policy::Reclaim) {
            return false;
        }
        let Some(claim) = self.maker(item).filter(|_| !self.objects.contains_key(&item)) else {
            return false;
        };
        if observe::text(claim, "/spec/volumeName").is_some() {
            return false;
        }
        let uid = observe::text(claim, "/metadata/uid").map(str::to_owned);
        let about = |event: &&Value| observe::text(event, "/involvedObject/uid") == uid.as_deref();
        let mut words = self.events.iter().rev().filter(about).filter_map(|event| observe::text(event, "/reason"));
        let patience = match words.find(|word| word.starts_with("Provisioning")) {
            // The last look may be older than this word.
            Some("ProvisioningSucceeded") => return self.made.insert(item),
            Some("Provisioning") => BEGUN,
            Some(_) | None => HEARD,
        };
        let missed = *self.missed.entry(item).or_insert_with(Instant::now);
        missed.elapsed() < patience
    }

    /// Whether the last status of a writer that is not there may still be seen: it tells that the source is overwritten.
    pub(super) fn may_still_speak(&mut self, item: Item) -> bool {
        let Some(trip) = item.trip().filter(|_| self.object(item).is_some_and(Object::holds)) else {
            return false;
        };
        let ledger = self.machine.ledger();
        let has_spoken = ledger.progress(item) == Progress::Done;
        if self.machine.step(trip) != Some(StepId::Overwrite) || has_spoken || ledger.state(item).settled() {
            return false;
        }
        let missed = *self.missed.entry(item).or_insert_with(Instant::now);
        missed.elapsed() < BEHIND
    }

    /// Whether it is a member of a group that is waited for: as long as the group is there, the snapshot-controller may make it.
    pub(super) fn is_member_to_come(&self, item: Item) -> bool {
        let Some(trip) = item.trip().filter(|_| !self.objects.contains_key(&item)) else { return false };
        let Some(By::Group { of, .. }) = self.object(item).map(|object| object.by) else { return false };
        self.machine.ending(trip).is_none() && self.machine.ledger().state(Item::Of(trip, of)) == State::Exists
    }

    /// Looks once more, a moment later.
    pub(super) fn look_again(&mut self, item: Item) {
        if let Some(place) = self.place(item) {
            self.look(item, place, PAUSE);
        } else if let Some(among) = self.among(item) {
            self.look_among(item, among, PAUSE);
        }
    }
}
