//! A wait that lasts longer than a healthy control plane takes looks again at the facts that it rests on.

use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;

use super::take::Message;
use super::{Driver, Knowledge};
use crate::model::StepId;
use crate::roundtrip::known_facts::Look;

/// A controller or sidecar that works has answered by then, on a loaded cluster, too.
const HEALTHY: Duration = Duration::from_secs(5);
/// Between two looks at the least: a lease lives 15 s, so its end is seen in time.
const PAUSE: Duration = Duration::from_secs(3);
/// Between two looks, in times of what a look takes: a large cluster is not to be listed all the time.
const SHARE: u32 = 10;

/// Looks at the control plane while round trips wait.
#[derive(Default)]
pub(super) struct LookingAgain {
    under_way: bool,
    not_before: Option<Instant>,
}

impl<K: Knowledge> Driver<'_, K> {
    /// Begins a look if a round trip waits for the control plane, and none is under way.
    pub(super) fn look_at_control_plane(&mut self) {
        let rests = self.looking_again.not_before.is_some_and(|time| Instant::now() < time);
        let waits = |trip: usize| {
            let step = self.machine.step(trip);
            self.machine.ending(trip).is_none()
                && matches!(step, Some(StepId::Provision | StepId::Snapshot | StepId::Restore))
                && self.record.elapsed(trip) >= HEALTHY
        };
        if self.looking_again.under_way || rests || !(0..self.knowledge.trips().len()).any(waits) {
            return;
        }
        if let Some(look) = self.knowledge.look_again() {
            self.looking_again.under_way = true;
            self.work.push(look.map(|look| Message::ControlPlane(Box::new(look))).boxed());
        }
    }

    pub(super) fn control_plane(&mut self, look: Look) {
        let pause = PAUSE.max(look.took().saturating_mul(SHARE));
        self.looking_again = LookingAgain { under_way: false, not_before: Some(Instant::now() + pause) };
        self.knowledge.learn(look);
        for trip in 0..self.knowledge.trips().len() {
            self.diagnose(trip);
        }
    }
}
