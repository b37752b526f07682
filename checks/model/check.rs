//! A check: data about it, and the function that looks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::facts::Facts;
use crate::model::finding::Findings;
use crate::model::need::Need;

/// The part of the cluster that a check is about; also the folder that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The API server, its version and the snapshot CRDs.
    Api,
    /// The snapshot-controller.
    Controller,
    /// The csi-snapshotter sidecars.
    Sidecars,
    /// CSI drivers and their nodes.
    Drivers,
    /// `StorageClasses` and `VolumeSnapshotClasses`.
    Classes,
    /// Claims and volumes.
    Volumes,
    /// `VolumeSnapshots` and `VolumeSnapshotContents` that exist.
    Snapshots,
    /// Backup products.
    Products,
    /// What the caller may do.
    Access,
    /// The round trip.
    Roundtrip,
}

impl Group {
    /// All groups, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Api,
        Self::Controller,
        Self::Sidecars,
        Self::Drivers,
        Self::Classes,
        Self::Volumes,
        Self::Snapshots,
        Self::Products,
        Self::Access,
        Self::Roundtrip,
    ];

    /// The name of its folder, and its word in selectors and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Controller => "controller",
            Self::Sidecars => "sidecars",
            Self::Drivers => "drivers",
            Self::Classes => "classes",
            Self::Volumes => "volumes",
            Self::Snapshots => "snapshots",
            Self::Products => "products",
            Self::Access => "access",
            Self::Roundtrip => "roundtrip",
        }
    }

    /// Its heading for people.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Api => "Kubernetes API",
            Self::Controller => "Snapshot controller",
            Self::Sidecars => "Snapshot sidecars",
            Self::Drivers => "CSI drivers",
            Self::Classes => "Classes",
            Self::Volumes => "Volumes",
            Self::Snapshots => "Existing snapshots",
            Self::Products => "Backup products",
            Self::Access => "Access",
            Self::Roundtrip => "Round trip",
        }
    }
}

/// The worst that a check's finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// Snapshots or restores do not work.
    Error,
}

impl Severity {
    /// Its word in lists.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "failure",
        }
    }
}

/// How a check is carried out.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// By looking at facts. A function that finds nothing at all is a mistake of the check, and its result unknown:
    /// a pass has to be said.
    Looking(fn(&Facts, &mut Findings)),
    /// By the round trip, which reports under this check's id.
    RoundTrip,
}

/// A check. `needs` must have been seen before it looks; `uses` make its answer better.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// `SR` and three digits; never used again for anything else.
    pub id: &'static str,
    /// Its name in words, and the name of its folder with `-` for `_`.
    pub slug: &'static str,
    /// What holds when it passes, as a statement.
    pub title: &'static str,
    /// The part of the cluster.
    pub group: Group,
    /// The worst that its finding means.
    pub severity: Severity,
    /// The release that it first appeared in.
    pub since: &'static str,
    /// Facts without which the result is unknown, or skip where the API is not served.
    pub needs: &'static [Need],
    /// Facts that it looks at if they were seen.
    pub uses: &'static [Need],
    /// Its documentation, in Markdown with fixed headings.
    pub doc: &'static str,
    /// How it is carried out.
    pub how: How,
}

impl Check {
    /// All that it looks at.
    pub fn sees(&self) -> impl Iterator<Item = Need> + use<> {
        self.needs.iter().chain(self.uses).copied()
    }
}
