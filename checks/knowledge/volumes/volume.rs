//! A claim with its volume and class.

use std::collections::HashMap;

use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::kubernetes::StorageClass;
use crate::model::quantity::Quantity;
use crate::model::volumes::{PersistentVolume, PersistentVolumeClaim};

/// Set on volumes of in-tree plugins whose work a CSI driver has taken over (`pkg/volume/csimigration`).
pub const MIGRATED_TO: &str = "pv.kubernetes.io/migrated-to";
/// Set on volumes that were provisioned for a claim: by whom.
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// A claim with what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Claimed<'a> {
    /// The claim.
    pub claim: &'a PersistentVolumeClaim,
    /// Its volume, if it is bound to one that could be read.
    pub volume: Option<&'a PersistentVolume>,
    /// Its `StorageClass`, if that exists.
    pub class: Option<&'a StorageClass>,
}

impl<'a> Claimed<'a> {
    /// The name of its `StorageClass`; `None` if it has none.
    #[must_use]
    pub fn class_name(&self) -> Option<&'a str> {
        let of_volume = || self.volume.and_then(|volume| volume.spec.storage_class_name.as_deref());
        self.claim.spec.storage_class_name.as_deref().or_else(of_volume).filter(|name| !name.is_empty())
    }

    /// The CSI driver of its volume.
    #[must_use]
    pub fn driver(&self) -> Option<&'a str> {
        self.volume?.spec.csi.as_ref().map(|csi| csi.driver.as_str())
    }

    /// Its size in bytes: the volume's, or what it asks for.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of_volume = self.volume.and_then(|volume| volume.spec.capacity.storage.as_deref());
        let text = of_volume.or(self.claim.status.capacity.storage.as_deref());
        let text = text.or(self.claim.spec.resources.requests.storage.as_deref());
        text.and_then(|text| text.parse::<Quantity>().ok()).map_or(0, |size| size.0)
    }

    /// Evidence from the claim.
    pub(crate) fn evidence(&self, path: &str, value: impl Into<String>) -> Evidence {
        Evidence::namespaced("PersistentVolumeClaim", self.namespace(), &self.claim.metadata.name, path, value)
    }

    /// The namespace of the claim.
    #[must_use]
    pub fn namespace(&self) -> &'a str {
        self.claim.metadata.namespace.as_deref().unwrap_or_default()
    }
}

/// All claims, in the API server's order; `None` if claims or volumes could not be read.
#[must_use]
pub fn claimed(facts: &Facts) -> Option<Vec<Claimed<'_>>> {
    let claims = facts.persistent_volume_claims.seen()?;
    let volumes: HashMap<&str, &PersistentVolume> =
        facts.persistent_volumes.seen()?.iter().map(|volume| (volume.metadata.name.as_str(), volume)).collect();
    let classes: HashMap<&str, &StorageClass> =
        facts.storage_classes.seen().into_iter().flatten().map(|class| (class.metadata.name.as_str(), class)).collect();
    let mut all = Vec::with_capacity(claims.len());
    for claim in claims {
        let volume = claim.spec.volume_name.as_deref().and_then(|name| volumes.get(name).copied());
        let mut one = Claimed { claim, volume, class: None };
        one.class = one.class_name().and_then(|name| classes.get(name).copied());
        all.push(one);
    }
    Some(all)
}
