//! The plan of a restore of what exists already.

use jiff::Timestamp;
use snapready_checks::knowledge::classes::choose::default_storage_class;
use snapready_checks::knowledge::drivers::registered::is_in_tree;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::StorageClass;

use super::classes::{ChosenSnapshotClass, ChosenStorageClass, snapshot_classes, storage_classes};
use super::{Plan, PlanError, RunId, Selection, Target};
use crate::model::VolumeMode;
use crate::roundtrip::existing::{Existing, Given};

impl Plan {
    /// Decides how to restore what exists. Everything lies in its namespace.
    pub fn of_existing(
        selection: &Selection,
        existing: &Existing,
        facts: &Facts,
        run: RunId,
        expires_at: Timestamp,
    ) -> Result<Self, PlanError> {
        // At most one is given.
        let asked = selection.asked()?.sizes.into_iter().next().filter(|_| !selection.sizes.is_empty());
        let class = storage_class(selection, existing, facts)?;
        let classes = match existing.reference.given {
            Given::Claim => snapshot_classes(selection, facts, std::slice::from_ref(&class))?.pop().unwrap_or_default(),
            Given::Snapshot => vec![ChosenSnapshotClass {
                name: existing.snapshot_class.clone(),
                driver: existing.driver.clone(),
                deletion_policy: None,
            }],
        };
        let size_bytes = match (existing.bytes, asked) {
            (Some(bytes), None) => bytes,
            (Some(bytes), Some(asked)) => bytes.max(asked.0),
            (None, Some(asked)) => asked.0,
            (None, None) => return Err(PlanError::UnknownSize(existing.reference.object().to_string())),
        };
        let asked = selection.volume_modes.first().copied();
        let volume_mode = match (existing.volume_mode, asked) {
            (Some(own), Some(asked)) if own != asked => {
                return Err(PlanError::OtherVolumeMode(existing.reference.object().to_string(), own));
            }
            (Some(own), _) => own,
            (None, asked) => asked.unwrap_or(VolumeMode::Filesystem),
        };
        let existing = Existing { read_at_most: selection.read_at_most, ..existing.clone() };
        let targets = classes
            .into_iter()
            .map(|snapshot_class| Target {
                existing: Some(existing.clone()),
                ..Target::of_classes(
                    facts,
                    &class,
                    &snapshot_class,
                    volume_mode,
                    existing.reference.given.mode(),
                    size_bytes,
                    false,
                )
            })
            .collect();
        let namespace = Some(existing.reference.named.namespace.clone());
        let selection = Selection { namespace, ..selection.clone() };
        Self::of_targets(&selection, facts, run, expires_at, targets)
    }
}

/// The `StorageClass` of the restored volume: the one that was named, that of the claim, or one of the driver's.
fn storage_class(selection: &Selection, existing: &Existing, facts: &Facts) -> Result<ChosenStorageClass, PlanError> {
    let named = selection.storage_classes.first();
    let all = facts.storage_classes.seen();
    let exists = |name: &&String| all.is_none_or(|all| all.iter().any(|class| class.metadata.name == **name));
    let name = named.or_else(|| existing.storage_class.as_ref().filter(exists)).cloned();
    let name = match (name, all) {
        (Some(name), _) => name,
        (None, Some(all)) => of_driver(existing, all)?,
        // Says that they could not be seen.
        (None, None) => String::new(),
    };
    let wanted = if name.is_empty() { Vec::new() } else { vec![name] };
    let wanted = Selection { storage_classes: wanted, all: false, ..Selection::default() };
    let class = storage_classes(&wanted, facts)?.into_iter().next();
    let Some(class) = class else { return Err(PlanError::NoDefaultStorageClass(Vec::new())) };
    match (&class.driver, &existing.driver) {
        // An in-tree provisioner may stand for a CSI driver of another name.
        (Some(provisioner), Some(driver)) if provisioner != driver && !is_in_tree(provisioner) => {
            Err(PlanError::OtherDriver {
                class: class.name.clone(),
                provisioner: provisioner.clone(),
                object: existing.reference.object().to_string(),
                driver: driver.clone(),
            })
        }
        (None, Some(driver)) => Ok(ChosenStorageClass { driver: Some(driver.clone()), ..class }),
        _ => Ok(class),
    }
}

/// The default class of the driver, or its only one.
fn of_driver(existing: &Existing, all: &[StorageClass]) -> Result<String, PlanError> {
    let driver = existing.driver.as_deref().unwrap_or_default();
    let own: Vec<StorageClass> = all.iter().filter(|class| class.provisioner == driver).cloned().collect();
    let chosen = match own.as_slice() {
        [only] => Some(only),
        several => default_storage_class(several),
    };
    chosen.map(|class| class.metadata.name.clone()).ok_or_else(|| {
        let mut names: Vec<String> = own.iter().map(|class| class.metadata.name.clone()).collect();
        names.sort_unstable();
        PlanError::NoStorageClassOf(existing.reference.object().to_string(), names)
    })
}
