//! Removes what interrupted runs left: finds it by its labels, and takes each run up where it was left, on the machine's one
//! way out. Never touches what does not carry our labels, and never a finalizer.

mod find;
mod remains;
#[cfg(test)]
mod tests;
mod way_out;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::find::{Found, find};
use self::remains::Remains;
use self::way_out::{Limits, WayOut};
use crate::api::{Client, Objects};
use crate::model::{Happening, Leftover, ObjectName};

/// Which runs are cleaned up after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The run with this id.
    Run(String),
    /// All runs, those that still go on among them.
    All,
    /// Runs whose objects have expired; what has no expiry has not.
    Expired {
        /// The time now.
        now: Timestamp,
    },
}

/// What came of a clean-up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CleanupOutcome {
    /// What was seen to be gone.
    pub removed: Vec<ObjectName>,
    /// What is still there: it could not be removed in time, or its policy retains it.
    pub leftovers: Vec<Leftover>,
    /// Runs of which something was found.
    pub found_runs: BTreeSet<String>,
    /// Where it could not be looked, and why: "nothing found" holds only if this is empty.
    pub unseen: Vec<String>,
}

/// So many objects are watched at a time, each by itself; what is more than that is looked at now and then. Over HTTP/1.1
/// each watch takes a connection.
const WATCHES: usize = 16;

/// How often it is looked for what has come meanwhile: creates that were under way when a run died.
const ROUNDS: usize = 3;

/// Removes what runs left, in one namespace or in all that may be looked into. `budget` is for all of it; when half of it is
/// spent, the order is given up.
pub async fn cleanup(
    client: &Client,
    which: &Which,
    namespace: Option<&str>,
    budget: Duration,
    request_timeout: Duration,
    events: mpsc::UnboundedSender<Happening>,
) -> CleanupOutcome {
    let server = Objects::new(client, request_timeout, events);
    let limits = Limits::new(Instant::now(), budget);
    let mut outcome = CleanupOutcome::default();
    let mut known = BTreeSet::new();
    let mut found = find(&server, which, namespace, &mut outcome.unseen).await;
    for _ in 0..ROUNDS {
        found.retain(|found| known.insert(found.uid.clone()));
        if found.is_empty() || limits.over() {
            break;
        }
        let watching = found.len() <= WATCHES;
        let mut runs: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        for found in found {
            runs.entry(found.run.clone()).or_default().push(found);
        }
        outcome.found_runs.extend(runs.keys().cloned());
        let ways = runs.into_iter().map(|(run, found)| {
            let remains = Remains::new(&run, found);
            WayOut::new(server.clone(), remains, watching).go(limits)
        });
        for (removed, left) in join_all(ways).await {
            outcome.removed.extend(removed);
            outcome.leftovers.extend(left);
        }
        // What could not be looked at the first time is known.
        found = find(&server, which, namespace, &mut Vec::new()).await;
    }
    outcome
}
