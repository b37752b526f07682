//! The facts that diagnoses rest on: read before the run, and the control plane again while it waits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::look_again::Earlier;
use tokio::time::Instant;

use crate::facts::ReadAgain;

/// Facts, and how to read them again.
pub struct KnownFacts {
    latest: Mutex<Latest>,
    read_again: Option<ReadAgain>,
}

/// What is known now.
#[derive(Debug)]
pub struct Latest {
    /// The facts.
    pub facts: Facts,
    /// The control plane in the look before; `None` if there was one look.
    pub earlier: Option<Earlier>,
    /// When the last look had ended.
    read_at: Instant,
}

impl KnownFacts {
    /// What was read just now, to be read again by `read_again`; by nobody, if they are not from a cluster.
    #[must_use]
    pub fn new(facts: Facts, read_again: Option<ReadAgain>) -> Self {
        Self { latest: Mutex::new(Latest { facts, earlier: None, read_at: Instant::now() }), read_again }
    }

    /// What is known now.
    pub fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look at the control plane, which takes note of nothing yet; `None` if it cannot be looked at.
    #[must_use]
    pub fn look_again(&self) -> Option<BoxFuture<'static, Look>> {
        let read = self.read_again.as_ref()?();
        let began = Instant::now();
        Some(Box::pin(async move { Look { facts: read.await, began, ended: Instant::now() } }))
    }

    /// Takes note of what a look has shown.
    pub fn learn(&self, look: Look) {
        let mut latest = self.latest();
        // Leases were read somewhere between begin and end of each look: this is the least that has passed.
        let passed = look.began.saturating_duration_since(latest.read_at);
        let earlier = latest.facts.look_again(look.facts, passed);
        latest.earlier = Some(earlier);
        latest.read_at = look.ended;
    }
}

impl std::fmt::Debug for KnownFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownFacts").field("latest", &self.latest).finish_non_exhaustive()
    }
}

/// What a look at the control plane has shown.
#[derive(Debug)]
pub struct Look {
    facts: Facts,
    began: Instant,
    ended: Instant,
}

impl Look {
    /// How long it took.
    #[must_use]
    pub fn took(&self) -> std::time::Duration {
        self.ended.saturating_duration_since(self.began)
    }
}
