//! Why objects are stuck, as data. This is a JSON contract: within `why/v1` keys are only added.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::object::ObjectName;

use super::known::Known;
use crate::model::CheckResult;

/// The version of the contract.
pub const SCHEMA_VERSION: &str = "snapready.dev/why/v1";

/// Why objects are stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// When the cluster was read; of files, the newest time in them.
    pub collected_at: Timestamp,
    /// The object that was asked about, or all that are stuck.
    pub objects: Vec<Stuck>,
    /// Failures of the control plane that were found on the way.
    pub also_found: Vec<CheckResult>,
    /// What could not be read, so that causes may be missing.
    pub not_read: Vec<String>,
}

/// Whether an object is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is wrong with it.
    Fine,
    /// It does not get on.
    Stuck,
    /// It waits for something that may still come.
    Waiting,
    /// What it rests on could not be seen.
    Unknown,
}

/// How certain a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// What was seen allows no other.
    Certain,
    /// It fits best.
    Likely,
    /// No cause is known.
    Unknown,
}

/// An object, and why it is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stuck {
    /// The object.
    pub object: ObjectName,
    /// Whether it is stuck.
    pub state: State,
    /// Since when: its creation, or the time at which its deletion was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What it rests on, in the order in which these come to be.
    pub chain: Vec<Link>,
    /// In one line, where nothing is wrong or something may still come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How certain the cause is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certainty: Option<Certainty>,
    /// What was found, with cause, evidence and fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<CheckResult>,
}

/// An object of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The object.
    pub object: ObjectName,
    /// How it is, in a few words.
    pub state: String,
    /// Whether the chain is broken here.
    pub broken: bool,
}

impl Document {
    pub(super) fn new(facts: &Facts, known: &Known, objects: Vec<Stuck>, also_found: Vec<CheckResult>) -> Self {
        // What an object's own result says is not said twice.
        let told: BTreeSet<&str> = objects
            .iter()
            .filter_map(|one| one.result.as_ref())
            .flat_map(|result| result.may_follow_from.iter().map(|of| of.id.as_str()))
            .collect();
        let is_stuck = objects.iter().any(|one| one.state != State::Fine);
        let also_found =
            also_found.into_iter().filter(|result| is_stuck && !told.contains(result.id.as_str())).collect();
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            collected_at: facts.collected_at,
            objects,
            also_found,
            not_read: known.not_read(),
        }
    }
}
