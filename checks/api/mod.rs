//! The API server, its version and the snapshot CRDs.

pub mod aggregated_apis;
pub mod group_snapshot_crds;
pub mod kubernetes_version;
pub mod snapshot_api_v1_served;
pub mod snapshot_crds_established;
pub mod snapshot_crds_installed;
pub mod snapshot_crds_release;
pub mod snapshot_crds_stored_versions;
pub mod snapshot_webhooks;

use crate::model::check::Check;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &kubernetes_version::CHECK,
    &snapshot_crds_installed::CHECK,
    &snapshot_crds_established::CHECK,
    &snapshot_api_v1_served::CHECK,
    &snapshot_crds_stored_versions::CHECK,
    &snapshot_crds_release::CHECK,
    &group_snapshot_crds::CHECK,
    &snapshot_webhooks::CHECK,
    &aggregated_apis::CHECK,
];
