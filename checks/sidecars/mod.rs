//! The sidecars that stand between Kubernetes and a CSI driver.

pub mod distributed_snapshotting;
pub mod provisioner_version;
pub mod sidecar_rights;
pub mod sidecar_socket;
pub mod sidecars_lead;
pub mod snapshot_sidecar_installed;
pub mod snapshot_sidecar_ready;
pub mod snapshot_sidecar_version;

use crate::model::check::Check;
use crate::model::need::Need;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &sidecar_rights::CHECK,
    &sidecars_lead::CHECK,
    &distributed_snapshotting::CHECK,
    &sidecar_socket::CHECK,
    &snapshot_sidecar_installed::CHECK,
    &snapshot_sidecar_ready::CHECK,
    &snapshot_sidecar_version::CHECK,
    &provisioner_version::CHECK,
];

/// What tells which driver a sidecar belongs to.
const SIGNS: &[Need] = SIGNS_AND_REVIEWS.split_at(1).1;

/// The same, after what tells of rights that no role grants.
const SIGNS_AND_REVIEWS: &[Need] = SIGNS_AND_RIGHTS.split_at(2).1;

/// The same, after the roles.
const SIGNS_AND_RIGHTS: &[Need] = &[
    Need::Roles,
    Need::RoleBindings,
    Need::AccountReviews,
    Need::Workloads,
    Need::Nodes,
    Need::Leases,
    Need::CsiDrivers,
    Need::CsiNodes,
    Need::StorageClasses,
    Need::VolumeSnapshotClasses,
    Need::SnapshotApis,
    Need::CustomResourceDefinitions,
    Need::ServerVersion,
    Need::VolumeSnapshotContents,
];
