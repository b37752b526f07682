//! Objects that are listed: what of them is kept.

use serde::de::DeserializeOwned;

use crate::model::facts::Facts;
use crate::model::interest::Interest;
use crate::model::kubernetes::{
    CsiDriver, CsiNode, CustomResourceDefinition, Lease, Metadata, Node, Pod, StorageClass, VolumeGroupSnapshotClass,
    VolumeSnapshotClass, VolumeSnapshotContent, Workload,
};
use crate::model::object::Kind;
use crate::model::probe::Probe;
use crate::model::volumes::{PersistentVolume, PersistentVolumeClaim, VolumeSnapshot};

/// kubectl's copy of the whole object, environment and all.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A type of objects that are listed.
pub trait Listed: DeserializeOwned + Send + Sync + 'static {
    /// Whether somebody reads when its status was written.
    const TELLS_WHEN_WRITTEN: bool = false;

    /// Its metadata.
    fn metadata_mut(&mut self) -> &mut Metadata;

    /// Tells it its kind: objects in a list do not say it.
    fn set_kind(&mut self, _kind: &Kind) {}

    /// Whether it is kept; what stays of it is cut down to what somebody reads.
    fn is_kept(&mut self, _interests: &[Interest]) -> bool {
        true
    }

    /// Whether it is kept, and then without kubectl's copy of it.
    fn keep(&mut self, interests: &[Interest]) -> bool {
        self.metadata_mut().annotations.remove(LAST_APPLIED);
        if !Self::TELLS_WHEN_WRITTEN {
            self.metadata_mut().status_written = None;
        }
        self.is_kept(interests)
    }
}

/// Whoever wants to know of which type the objects of a need are.
pub trait Visit {
    /// What comes of it.
    type Output;

    /// The need is met by lists of `T`, which belong in this field.
    fn listed<T: Listed>(self, field: fn(&mut Facts) -> &mut Probe<Vec<T>>) -> Self::Output;
}

/// What backup products read of claims and volumes: Velero the class, k8s-snapshots how long it keeps what.
const READ_BY_PRODUCTS: [&str; 2] = ["velero.io/csi-volumesnapshot-class", "backup.kubernetes.io/deltas"];

macro_rules! whole {
    ($($kind:ident),+) => {
        $(impl Listed for $kind {
            fn metadata_mut(&mut self) -> &mut Metadata {
                &mut self.metadata
            }
        })+
    };
}

whole!(StorageClass, VolumeSnapshotClass, VolumeGroupSnapshotClass, CsiDriver, CsiNode, CustomResourceDefinition);

/// Of what there are tens of thousands of, maps cost more than all other fields: those that nobody reads go.
macro_rules! many {
    ($($kind:ident$(($when:ident))?: $metadata:ident => $cut:expr;)+) => {
        $(impl Listed for $kind {
            $(const $when: bool = true;)?

            fn metadata_mut(&mut self) -> &mut Metadata {
                &mut self.metadata
            }

            fn is_kept(&mut self, _interests: &[Interest]) -> bool {
                let $metadata = &mut self.metadata;
                $metadata.owner_references.clear();
                $cut;
                true
            }
        })+
    };
}

many! {
    PersistentVolumeClaim: metadata => {
        metadata.labels.clear();
        metadata.annotations.retain(|key, _| READ_BY_PRODUCTS.contains(&key.as_str()));
        metadata.uid.clear();
    };
    PersistentVolume: metadata => {
        metadata.labels.clear();
        // By whom it was provisioned, and to whom it was migrated.
        metadata
            .annotations
            .retain(|key, _| key.starts_with("pv.kubernetes.io/") || READ_BY_PRODUCTS.contains(&key.as_str()));
        metadata.uid.clear();
    };
    VolumeSnapshot(TELLS_WHEN_WRITTEN): metadata => {
        metadata.annotations.clear();
        // Of a backup product, and of tools that prune.
        metadata.labels.retain(|key, _| {
            key.starts_with("velero.io/") || key.starts_with("argocd.") || key.starts_with("kustomize.toolkit.")
        });
    };
    VolumeSnapshotContent: metadata => {
        metadata.labels.clear();
        metadata.annotations.clear();
        metadata.uid.clear();
    };
}

impl Listed for Node {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Nobody reads their annotations, of which clouds and networks write many.
    fn is_kept(&mut self, _interests: &[Interest]) -> bool {
        self.metadata.annotations.clear();
        true
    }
}

impl Listed for Pod {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    fn is_kept(&mut self, interests: &[Interest]) -> bool {
        Interest::keep(interests, &self.metadata, &mut self.spec)
    }
}

impl Listed for Workload {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    fn set_kind(&mut self, kind: &Kind) {
        kind.name.clone_into(&mut self.kind);
    }

    fn is_kept(&mut self, interests: &[Interest]) -> bool {
        Interest::keep(interests, &self.metadata, &mut self.spec.template.spec)
    }
}

impl Listed for Lease {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// All but the heartbeats of kubelets, of which there is one for each node. Sidecars name their leases after their driver,
    /// so the name cannot tell.
    fn is_kept(&mut self, _interests: &[Interest]) -> bool {
        self.metadata.namespace.as_deref() != Some("kube-node-lease")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_of_nodes_are_dropped() {
        for (namespace, kept) in [("kube-node-lease", false), ("kube-system", true)] {
            let mut lease = Lease::default();
            lease.metadata.namespace = Some(namespace.to_owned());
            assert_eq!(lease.keep(&[]), kept);
        }
    }
}
