//! The report of a run: what every format shows and what the exit code follows from. This is the JSON contract: within
//! `report/v1` keys are only added, never renamed or removed, and readers ignore keys that they do not know.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapready_checks::model::finding::Status;
use snapready_checks::model::object::ObjectName;
use snapready_checks::model::result::CheckResult;
use snapready_checks::model::round_trip::{Contents, DataVerdict, PodUser, StepId, VolumeMode};

use crate::model::sweep::Sweep;

/// The version of the contract.
pub const SCHEMA_VERSION: &str = "snapready.dev/report/v1";

/// The report of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// The program that made it.
    pub tool: Tool,
    /// The run.
    pub run: Run,
    /// What was looked at.
    pub source: Source,
    /// How many results have each status; steps of round trips are not among them, round trips are.
    pub summary: Summary,
    /// Results of the checks, in the order of the catalogue.
    pub results: Vec<CheckResult>,
    /// Round trips, in the order of their targets.
    pub round_trips: Vec<RoundTrip>,
    /// What the round trips have shown about sizes; absent unless several were tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Sweep>,
    /// Objects that could not be removed.
    pub leftovers: Vec<Leftover>,
    /// Objects that were left in the cluster because `--keep` says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<ObjectName>,
    /// The command that removes what is left in the cluster, kept or not, with the connection flags of the run; absent if
    /// nothing is. A token is not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleanup_command: Option<String>,
}

/// An object that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Leftover {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectName,
    /// What the storage calls the volume or snapshot that it stands for, if that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_handle: Option<String>,
}

impl From<ObjectName> for Leftover {
    /// Of which no handle is known.
    fn from(object: ObjectName) -> Self {
        Self { object, storage_handle: None }
    }
}

/// The program that made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// `snapready`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This very program.
    #[must_use]
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// A run of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Six hexadecimal digits; every object that the run made carries it.
    pub id: String,
    /// The subcommand.
    pub command: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, clean-up included.
    pub finished_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The signal that ended it early, if one did: `SIGINT` or `SIGTERM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
    /// The answer.
    pub verdict: Verdict,
    /// The exit code; it does not depend on the format.
    pub exit_code: u8,
    /// What kept the run from giving an answer, if anything did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// The answer to "can this cluster take a snapshot and give the data back?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes, as far as was asked.
    Ready,
    /// No.
    NotReady,
    /// It could not be determined.
    Inconclusive,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Where the facts come from.
    pub kind: SourceKind,
    /// The kubeconfig context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// When the files were written, by the newest time in them: ages are measured against it. Absent for a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// The API server's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The API server's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
}

impl Source {
    /// Of which nothing is known yet.
    #[must_use]
    pub const fn unknown(kind: SourceKind) -> Self {
        Self { kind, context: None, files: Vec::new(), as_of: None, server: None, server_version: None }
    }
}

/// Where facts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A cluster.
    Live,
    /// The embedded cluster: nothing in the report is about a real one.
    Simulated,
    /// Files with objects of a cluster.
    Files,
}

/// How many results have each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Passed.
    pub pass: usize,
    /// Warnings.
    pub warn: usize,
    /// Failures.
    pub fail: usize,
    /// Skipped.
    pub skip: usize,
    /// Not determined.
    pub unknown: usize,
    /// Follow from another result, whatever their status; they are counted here and nowhere else.
    #[serde(default)]
    pub follows: usize,
}

impl Summary {
    /// Counts one more.
    pub fn count(&mut self, status: Status, follows: bool) {
        match status {
            _ if follows => self.follows += 1,
            Status::Pass => self.pass += 1,
            Status::Warn => self.warn += 1,
            Status::Fail => self.fail += 1,
            Status::Skip => self.skip += 1,
            Status::Unknown => self.unknown += 1,
        }
    }
}

/// The mode of a round trip of which no report says another.
pub const PLAIN_MODE: &str = "plain";

pub(super) fn plain_mode() -> String {
    PLAIN_MODE.to_owned()
}

pub(super) fn is_plain_mode(mode: &str) -> bool {
    mode == PLAIN_MODE
}

/// A round trip: one `StorageClass`, one `VolumeSnapshotClass`, one volume mode, one mode of the round trip, one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoundTrip {
    /// The `StorageClass` of source and restored volume.
    pub storage_class: String,
    /// The `VolumeSnapshotClass`; `None` if none could be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_class: Option<String>,
    /// `Filesystem` or `Block`.
    pub volume_mode: VolumeMode,
    /// The mode of the round trip, for `snapready explain mode:NAME`; absent for `plain`.
    #[serde(default = "plain_mode", skip_serializing_if = "is_plain_mode")]
    pub mode: String,
    /// The size that was asked for, in bytes, where the run tried several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// The size that the storage gave the source volume, in bytes, where the run tried several and it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_bytes: Option<u64>,
    /// The driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The namespace that it took place in.
    pub namespace: String,
    /// What its pods ran as; absent if it did not come so far that it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_user: Option<PodUser>,
    /// The outcome.
    pub status: Status,
    /// What was found out about the data, if the restored volume was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataVerdict>,
    /// The claim or snapshot that was there before the run and was restored from; absent if the run made its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ObjectName>,
    /// What was found in the restored volume, if the run has not written it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
    /// What went wrong, under the id that `explain` knows; `None` for a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<CheckResult>,
    /// The steps, in order; one that was not reached is `skip`.
    pub steps: Vec<Step>,
    /// The objects that it made.
    pub objects: Vec<ObjectRecord>,
}

/// A step of a round trip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Which one.
    pub id: StepId,
    /// Its outcome.
    pub status: Status,
    /// One line about it.
    pub message: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// An object that a round trip made, or that was made on its behalf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRecord {
    /// Which one.
    pub object: ObjectName,
    /// Its UID, if it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Whether it was seen to be gone.
    pub removed: bool,
}
