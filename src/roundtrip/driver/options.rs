//! How a run is carried out, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Leftover, ObjectName, RoundTrip, StepId};
use crate::roundtrip::machine::Keep;

/// How a run is carried out.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long all round trips may take together, clean-up apart; `None`: as long as they like.
    pub timeout: Option<Duration>,
    /// How long each step may take; a step that is not named has [`STEP_TIMEOUT`], zero is no limit.
    pub step_timeouts: BTreeMap<StepId, Duration>,
    /// How long the clean-up of a round trip, and that of the namespace, may take. `None`: [`CLEANUP_TIMEOUT`], and longer
    /// only if a create had no answer, until it can take effect no more: 65 s after it was sent, and 10 s to remove what has
    /// come by then. A time that was asked for is kept; what may still come is then listed.
    pub cleanup_timeout: Option<Duration>,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// What is left in the cluster on purpose.
    pub keep: Keep,
    /// How many round trips run at a time.
    pub parallel: usize,
}

/// How long a step may take if nothing else was asked for.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a clean-up may take if nothing else was asked for.
pub const CLEANUP_TIMEOUT: Duration = Duration::from_secs(60);

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: None,
            step_timeouts: BTreeMap::new(),
            cleanup_timeout: None,
            request_timeout: Duration::from_secs(30),
            keep: Keep::Never,
            parallel: 1,
        }
    }
}

/// The signals that came so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// How many.
    pub count: u8,
    /// The name of the first: `SIGINT` or `SIGTERM`.
    pub name: &'static str,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The round trips, in the order of the plan.
    pub round_trips: Vec<RoundTrip>,
    /// What could not be removed, or may come to be there.
    pub leftovers: Vec<Leftover>,
    /// What stays because the user asked for it.
    pub kept: Vec<ObjectName>,
}
