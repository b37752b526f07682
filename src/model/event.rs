//! What happens during a run, in one order. Everything that is shown while a run goes on comes from these events, and
//! `ndjson` prints them as they are, one a line.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use snapready_checks::model::finding::Status;
use snapready_checks::model::object::ObjectName;
use snapready_checks::model::result::CheckResult;
use snapready_checks::model::round_trip::{DataVerdict, StepId, VolumeMode};

use crate::model::report::{Report, Source, Step, is_plain_mode, plain_mode};

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What.
    pub event: Happening,
}

/// A round trip's place in the plan, from 0, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Place in the plan.
    pub index: usize,
    /// The `StorageClass`.
    pub storage_class: String,
    /// The `VolumeSnapshotClass`, if one could be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_class: Option<String>,
    /// The volume mode.
    pub volume_mode: VolumeMode,
    /// The mode of the round trip; absent for `plain`.
    #[serde(default = "plain_mode", skip_serializing_if = "is_plain_mode")]
    pub mode: String,
    /// The size that is asked for, in bytes, where the run tries several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Happening {
    /// The run began.
    RunStarted {
        /// The run's id.
        run: String,
        /// The subcommand.
        command: String,
        /// What is looked at.
        source: Source,
    },
    /// A check has a result.
    CheckFinished {
        /// The result.
        result: CheckResult,
    },
    /// The plan is made: these round trips will take place, and make these kinds of objects.
    RoundTripsPlanned {
        /// The namespace.
        namespace: String,
        /// Whether the run makes the namespace.
        own_namespace: bool,
        /// The round trips.
        targets: Vec<Target>,
        /// Why fewer of them run at a time than was asked for, and how many; absent if they do not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limited: Option<String>,
    },
    /// A step of a round trip began.
    StepStarted {
        /// Which round trip.
        target: usize,
        /// Which step.
        step: StepId,
    },
    /// A step goes on, and this is what it waits for.
    StepWaiting {
        /// Which round trip.
        target: usize,
        /// Which step.
        step: StepId,
        /// What has to come.
        waiting_for: String,
        /// What was last seen: a condition, a status, an event.
        last_seen: String,
    },
    /// A step ended.
    StepFinished {
        /// Which round trip.
        target: usize,
        /// The step.
        step: Step,
    },
    /// A round trip's outcome is known; its clean-up is still to come.
    VerdictKnown {
        /// Which round trip.
        target: usize,
        /// The outcome.
        status: Status,
        /// What was found out about the data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<DataVerdict>,
        /// What went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diagnosis: Option<Box<CheckResult>>,
    },
    /// A signal asked the run to stop.
    Stopping {
        /// `SIGINT` or `SIGTERM`.
        signal: String,
        /// How many objects will be removed.
        objects: usize,
    },
    /// An object was seen to be gone.
    ObjectRemoved {
        /// Which one.
        object: ObjectName,
    },
    /// A request failed and is made again.
    Retrying {
        /// What was asked for.
        request: String,
        /// What came back.
        reason: String,
    },
    /// The run ended; always the last event.
    RunFinished {
        /// The report.
        report: Box<Report>,
    },
}
