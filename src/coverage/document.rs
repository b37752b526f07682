//! The coverage of claims as data. This is a JSON contract: within `coverage/v1` keys are only added.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapready_checks::knowledge::volumes::coverage::{self, Coverage};
use snapready_checks::knowledge::volumes::volume::{Claimed, claimed};
use snapready_checks::model::facts::Facts;

/// The version of the contract.
pub const SCHEMA_VERSION: &str = "snapready.dev/coverage/v1";

/// Which claims can be snapshotted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// When the cluster was read.
    pub collected_at: Timestamp,
    /// All claims.
    pub total: Group,
    /// By namespace.
    pub namespaces: BTreeMap<String, Group>,
    /// By CSI driver; volumes of none stand under `none`.
    pub drivers: BTreeMap<String, Group>,
    /// The claims, by namespace and name.
    pub claims: Vec<Claim>,
}

/// Some claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// All of them.
    pub all: Part,
    /// Those that can be snapshotted.
    pub snapshot: Part,
    /// Those that cannot, and can be backed up as files or by the cloud's own snapshots.
    pub otherwise: Part,
    /// Those that cannot be backed up in any way that is known.
    pub none: Part,
    /// Those of which it could not be determined.
    pub unknown: Part,
}

/// How many claims, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Number of claims.
    pub claims: u64,
    /// Sum of their sizes in bytes.
    pub bytes: u64,
}

impl Part {
    fn add(&mut self, bytes: u64) {
        self.claims += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Whether a claim can be snapshotted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Snapshot {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// It could not be determined.
    Unknown,
}

impl Snapshot {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its size in bytes: the volume's, or what it asks for.
    pub bytes: u64,
    /// Its `StorageClass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Its `PersistentVolume`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The CSI driver of its volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Whether it can be snapshotted.
    pub snapshot: Snapshot,
    /// The `VolumeSnapshotClass`; several if none is the default, so that one has to be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_class: Option<String>,
    /// Why it cannot, or why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a pod mounts it; absent if pods could not be read. A file-system backup reads the files through such a pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mounted: Option<bool>,
    /// How to back it up: `CSI snapshot`, `data movement from a snapshot`, `file-system backup`, `provider snapshot`, `none`,
    /// `unknown`.
    pub way: String,
}

impl Document {
    /// Of all claims, or of those of one namespace; `None` if claims or volumes could not be read.
    #[must_use]
    pub fn of(facts: &Facts, namespace: Option<&str>) -> Option<Self> {
        let mut document = Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            collected_at: facts.collected_at,
            total: Group::default(),
            namespaces: BTreeMap::new(),
            drivers: BTreeMap::new(),
            claims: Vec::new(),
        };
        let mut coverage = Coverage::new(facts);
        for one in claimed(facts)? {
            if namespace.is_some_and(|wanted| wanted != one.namespace()) {
                continue;
            }
            let (snapshot, way) = coverage.of(&one);
            let (snapshot, snapshot_class, reason) = match snapshot {
                coverage::Snapshot::Yes { class } => (Snapshot::Yes, Some(class), None),
                coverage::Snapshot::No { why, .. } => (Snapshot::No, None, Some(why)),
                coverage::Snapshot::Unknown { why } => (Snapshot::Unknown, None, Some(why)),
            };
            let bytes = one.bytes();
            let driver = one.driver().unwrap_or("none");
            let namespaces = document.namespaces.entry(one.namespace().to_owned()).or_default();
            let drivers = document.drivers.entry(driver.to_owned()).or_default();
            for group in [&mut document.total, namespaces, drivers] {
                group.all.add(bytes);
                let part = match (snapshot, way) {
                    (Snapshot::Yes, _) => &mut group.snapshot,
                    (Snapshot::Unknown, _) => &mut group.unknown,
                    (Snapshot::No, coverage::Way::None) => &mut group.none,
                    (Snapshot::No, _) => &mut group.otherwise,
                };
                part.add(bytes);
            }
            document.claims.push(Claim {
                namespace: one.namespace().to_owned(),
                name: one.claim.metadata.name.clone(),
                bytes,
                storage_class: one.class_name().map(str::to_owned),
                volume: one.claim.spec.volume_name.clone().filter(|name| !name.is_empty()),
                driver: one.driver().map(str::to_owned),
                snapshot,
                snapshot_class,
                reason,
                mounted: mounted(facts, &one),
                way: way.word().to_owned(),
            });
        }
        document.claims.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        Some(document)
    }
}

/// Whether a pod mounts a claim.
fn mounted(facts: &Facts, one: &Claimed<'_>) -> Option<bool> {
    let claims = facts.mounted_claims.seen()?;
    let wanted = (one.namespace(), one.claim.metadata.name.as_str());
    let found = claims.binary_search_by(|claim| (claim.namespace.as_str(), claim.name.as_str()).cmp(&wanted));
    Some(found.is_ok())
}
