//! How a run is carried out, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::report::document::{ObjectName, RoundTrip, StepId};
use crate::roundtrip::machine::{Keep, Source};

/// How a run is carried out.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long all round trips may take together, clean-up apart; `None`: as long as they like.
    pub timeout: Option<Duration>,
    /// How long each step may take; a step that is not named has [`STEP_TIMEOUT`], zero is no limit.
    pub step_timeouts: BTreeMap<StepId, Duration>,
    /// How long the clean-up of a round trip, and that of the namespace, may take.
    pub cleanup_timeout: Duration,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// What is left in the cluster on purpose.
    pub keep: Keep,
    /// How many round trips run at a time.
    pub parallel: usize,
    /// Whether the source is in use while it is snapshotted.
    pub source: Source,
}

/// How long a step may take if nothing else was asked for.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(300);

/// So long after it was sent, a create without an answer can take effect no more: an API server gives up on a request
/// after 60 s (`--request-timeout`).
pub(super) const LATEST_LANDING: Duration = Duration::from_secs(65);

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: None,
            step_timeouts: BTreeMap::new(),
            // A create without an answer must be outlived, or the namespace that it may bring back is not seen to be gone.
            cleanup_timeout: LATEST_LANDING + Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            keep: Keep::Never,
            parallel: 1,
            source: Source::Attached,
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
    pub leftovers: Vec<ObjectName>,
    /// What stays because the user asked for it.
    pub kept: Vec<ObjectName>,
}
