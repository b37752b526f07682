//! Switches by which a driver's own configuration turns its snapshots off.

use std::collections::BTreeSet;

use crate::knowledge::control_plane::arguments::value;
use crate::knowledge::control_plane::running::running;
use crate::model::facts::{Facts, SwitchPlace};

/// The flag by which all containers of vSphere's driver are told the `ConfigMap` of its feature states (kubernetes-sigs/vsphere-csi-driver
/// manifests/vanilla/vsphere-csi-driver.yaml).
const FEATURE_STATES: &str = "fss-name";
/// The feature state of snapshots.
const SNAPSHOTS: &str = "block-volume-snapshot";

/// Where the switches of the drivers stand that run here.
#[must_use]
pub fn switches(facts: &Facts) -> BTreeSet<SwitchPlace> {
    let of_vsphere = running(facts, |container| value(container, FEATURE_STATES).is_some());
    of_vsphere
        .into_iter()
        .filter_map(|running| {
            Some(SwitchPlace {
                driver: "csi.vsphere.vmware.com".to_owned(),
                namespace: running.namespace.clone(),
                config_map: value(running.container, FEATURE_STATES)?,
                key: SNAPSHOTS.to_owned(),
            })
        })
        .collect()
}
