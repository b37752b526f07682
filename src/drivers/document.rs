//! What drivers can do, as data. This is a JSON contract: within `drivers/v1` keys are only added.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapready_checks::knowledge::drivers::capabilities::{Capability, DriverCapabilities, drivers};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::Evidence;
use snapready_checks::model::need::Need;

/// The version of the contract.
pub const SCHEMA_VERSION: &str = "snapready.dev/drivers/v1";

/// What the CSI drivers of a cluster can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// When the cluster was read.
    pub collected_at: Timestamp,
    /// The drivers, by name.
    pub drivers: Vec<DriverAbilities>,
    /// What could not be read, so that answers may be missing.
    pub not_read: Vec<String>,
}

/// A driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriverAbilities {
    /// Its name.
    pub driver: String,
    /// Number of claims with volumes of it.
    pub claims: usize,
    /// Number of `StorageClasses` that provision with it.
    pub storage_classes: usize,
    /// Number of its `VolumeSnapshotClasses`.
    pub snapshot_classes: usize,
    /// What it can do, by word: snapshot, list, changes, restore, clone, block, expand, group, topology.
    pub abilities: BTreeMap<String, Ability>,
}

/// Whether it can do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ability {
    /// The answer.
    pub answer: Answer,
    /// Whether the cluster has shown it; otherwise it is what the driver's makers say.
    pub certain: bool,
    /// What shows it.
    pub because: String,
    /// The object that shows it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// Whether it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// Nothing shows it.
    Unknown,
}

impl Ability {
    /// In one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match (self.answer, self.certain) {
            (Answer::Yes, true) => "yes",
            (Answer::Yes, false) => "likely",
            (Answer::No, true) => "no",
            (Answer::No, false) => "unlikely",
            (Answer::Unknown, _) => "?",
        }
    }
}

impl From<Capability> for Ability {
    fn from(capability: Capability) -> Self {
        let answer = match capability.answer {
            Some(true) => Answer::Yes,
            Some(false) => Answer::No,
            None => Answer::Unknown,
        };
        Self { answer, certain: capability.is_certain, because: capability.because, evidence: capability.evidence }
    }
}

impl Document {
    /// What these facts show. `needs` are those that were looked at: one that was not seen is named.
    #[must_use]
    pub fn of(facts: &Facts, needs: &[Need]) -> Self {
        let unseen = needs.iter().filter(|need| facts.missing(**need).is_some());
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            collected_at: facts.collected_at,
            drivers: drivers(facts).into_iter().map(driver).collect(),
            not_read: unseen.map(|need| need.row().noun.to_owned()).collect(),
        }
    }
}

fn driver((name, about): (String, DriverCapabilities)) -> DriverAbilities {
    DriverAbilities {
        driver: name,
        claims: about.claims,
        storage_classes: about.storage_classes,
        snapshot_classes: about.snapshot_classes,
        abilities: about
            .abilities
            .into_iter()
            .map(|(ability, found)| (ability.word().to_owned(), found.into()))
            .collect(),
    }
}
