//! What is done when time has passed.

use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;

use super::take::Message;
use super::{CLEANUP_TIMEOUT, Driver, Knowledge};
use crate::roundtrip::ledger::Item;
use crate::roundtrip::machine::Input;

/// So long after it was sent, a create without an answer can take effect no more: an API server gives up on a request
/// after 60 s (`--request-timeout`).
pub(super) const LATEST_LANDING: Duration = Duration::from_secs(65);
/// How long what has come at the last moment may take to go.
const LATE_REMOVAL: Duration = Duration::from_secs(10);

impl<K: Knowledge> Driver<'_, K> {
    pub(super) fn after(&mut self, pause: Duration, input: Input) {
        self.later(pause, Message::Input(input));
    }

    /// The machine hears of it after what is being looked at.
    pub(super) fn next(&mut self, input: Input) {
        self.work.push(futures::future::ready(Message::Input(input)).boxed());
    }

    fn later(&mut self, pause: Duration, message: Message) {
        self.work.push(tokio::time::sleep(pause).map(|()| message).boxed());
    }

    /// A create is sent: until when it can take effect.
    pub(super) fn may_land(&mut self, item: Item) {
        self.landing.insert(item, Instant::now() + LATEST_LANDING);
    }

    /// A create had no clear answer: it is waited until neither it nor one that is sent after it can take effect.
    pub(super) fn wait_for_landing(&mut self, item: Item) {
        if let Some(until) = self.landing.get(&item) {
            self.later(until.saturating_duration_since(Instant::now()), Message::Landed { item });
        }
    }

    pub(super) fn landed(&mut self, item: Item) {
        if self.landing.get(&item).is_some_and(|until| *until > Instant::now()) {
            self.wait_for_landing(item);
        } else {
            self.feed(Input::CannotComeAnyMore { item });
        }
    }

    /// A clean-up begins: that of a round trip, or that of the namespace.
    pub(super) fn begin_budget(&mut self, trip: Option<usize>) {
        let budget = self.options.cleanup_timeout.unwrap_or(CLEANUP_TIMEOUT);
        if let Some(trip) = trip {
            self.after(budget / 2, Input::Hurry { trip });
        }
        self.later(budget, Message::Budget { trip });
    }

    /// The budget is over, unless nobody asked for one and something may still come to be there: whether the cluster is
    /// clean is then known only when it can come no more.
    pub(super) fn budget_over(&mut self, trip: Option<usize>) {
        let now = Instant::now();
        let latest = self
            .machine
            .ledger()
            .iter()
            .filter(|(item, entry)| {
                (trip.is_none() || item.trip() == trip) && entry.pending > 0 && !entry.state.settled()
            })
            .filter_map(|(item, _)| self.landing.get(&item))
            .max()
            .map(|until| *until + LATE_REMOVAL);
        match latest.filter(|latest| self.options.cleanup_timeout.is_none() && *latest > now) {
            Some(latest) => self.later(latest.saturating_duration_since(now), Message::Budget { trip }),
            None => self.feed(Input::BudgetSpent { trip }),
        }
    }
}
