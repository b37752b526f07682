//! What exists already, is somebody else's, and is restored from: a claim or a snapshot. It is read, and nothing else.

mod read;
#[cfg(test)]
mod tests;
mod understand;

use std::str::FromStr;
use std::time::Duration;

use snapready_checks::model::object::Kind;
use snapready_checks::text::names::is_object_name;

pub(crate) use self::read::read;
pub use self::understand::{Objects, Unusable, understand};
use super::modes::{Mode, existing_claim, existing_snapshot};
use crate::model::{ObjectName, VolumeMode};

/// Which kind of object is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A `PersistentVolumeClaim`, of which a snapshot is taken.
    Claim,
    /// A `VolumeSnapshot`.
    Snapshot,
}

impl Given {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Claim => Kind::PERSISTENT_VOLUME_CLAIM,
            Self::Snapshot => Kind::VOLUME_SNAPSHOT,
        }
    }

    /// What is done with it.
    #[must_use]
    pub fn mode(self) -> &'static Mode {
        match self {
            Self::Claim => &existing_claim::MODE,
            Self::Snapshot => &existing_snapshot::MODE,
        }
    }

    /// The flag that names it.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Claim => "--source-pvc",
            Self::Snapshot => "--from-snapshot",
        }
    }
}

/// A namespace and a name, as a flag takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = text.split_once('/').ok_or("want NAMESPACE/NAME")?;
        if !is_object_name(namespace) || !is_object_name(name) {
            return Err("want NAMESPACE/NAME, each of them a name that Kubernetes accepts");
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

/// Which object it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its kind.
    pub given: Given,
    /// Its namespace and name.
    pub named: Named,
}

impl Reference {
    /// The flag that names it, with its value.
    #[must_use]
    pub fn call(&self) -> String {
        format!("{} {}/{}", self.given.flag(), self.named.namespace, self.named.name)
    }

    /// Its name in reports.
    #[must_use]
    pub fn object(&self) -> ObjectName {
        ObjectName {
            kind: self.given.kind().name.to_owned(),
            namespace: Some(self.named.namespace.clone()),
            name: self.named.name.clone(),
        }
    }
}

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// Which object it is.
    pub reference: Reference,
    /// The `StorageClass` of its claim, or of the claim that the snapshot was taken of.
    pub storage_class: Option<String>,
    /// The CSI driver of the volume or of the snapshot; `None` if it could not be seen.
    pub driver: Option<String>,
    /// The volume mode; `None` for a snapshot that does not say so.
    pub volume_mode: Option<VolumeMode>,
    /// How much a restored claim has to ask for; `None` for a snapshot that does not say so.
    pub bytes: Option<u64>,
    /// With which access mode the restored volume is claimed.
    pub access_mode: String,
    /// The `VolumeSnapshotClass` that the snapshot was taken with.
    pub snapshot_class: Option<String>,
    /// Whether a pod uses the claim, as far as could be seen.
    pub is_used: bool,
    /// How long the restored data is read at most.
    pub read_at_most: Duration,
}
