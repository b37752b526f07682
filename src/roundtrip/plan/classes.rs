//! Which classes a run tries: those that were named, or those that Kubernetes' rules choose.

use snapready_checks::knowledge::classes::choose::{classes_of, classes_to_try, default_storage_class, is_default};
use snapready_checks::knowledge::classes::groups::{self, GroupClass};
use snapready_checks::knowledge::drivers::registered::{is_in_tree, is_registered, is_surely_unregistered};
use snapready_checks::knowledge::drivers::table::known_driver;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::{StorageClass, VolumeSnapshotClass};
use snapready_checks::model::probe::Missing;
use snapready_checks::products::classes_taken;

use super::{PlanError, Selection};

pub(super) struct ChosenStorageClass {
    pub(super) name: String,
    pub(super) driver: Option<String>,
    pub(super) binding_mode: Option<String>,
    pub(super) reclaim_policy: Option<String>,
}

impl From<&StorageClass> for ChosenStorageClass {
    fn from(class: &StorageClass) -> Self {
        Self {
            name: class.metadata.name.clone(),
            driver: Some(class.provisioner.clone()),
            binding_mode: class.volume_binding_mode.clone(),
            reclaim_policy: class.reclaim_policy.clone(),
        }
    }
}

pub(super) fn storage_classes(selection: &Selection, facts: &Facts) -> Result<Vec<ChosenStorageClass>, PlanError> {
    let mut wanted: Vec<&String> = Vec::new();
    for name in &selection.storage_classes {
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    let Some(classes) = facts.storage_classes.seen() else {
        if wanted.is_empty() || selection.all {
            return Err(PlanError::StorageClassesUnseen(why(facts.storage_classes.missing())));
        }
        let unseen = |name: &String| ChosenStorageClass {
            name: name.clone(),
            driver: None,
            binding_mode: None,
            reclaim_policy: None,
        };
        return Ok(wanted.into_iter().map(unseen).collect());
    };
    let names = || {
        let mut names: Vec<String> = classes.iter().map(|class| class.metadata.name.clone()).collect();
        names.sort_unstable();
        names
    };
    if selection.all {
        let mut all: Vec<ChosenStorageClass> =
            classes.iter().filter(|class| may_be_csi(facts, &class.provisioner)).map(Into::into).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        return if all.is_empty() { Err(PlanError::NoCsiStorageClass(names())) } else { Ok(all) };
    }
    if wanted.is_empty() {
        let default = default_storage_class(classes).ok_or_else(|| PlanError::NoDefaultStorageClass(names()))?;
        return Ok(vec![default.into()]);
    }
    let find = |name: &String| {
        let class = classes.iter().find(|class| class.metadata.name == *name);
        class.map(Into::into).ok_or_else(|| PlanError::UnknownStorageClass { name: name.clone(), existing: names() })
    };
    wanted.into_iter().map(find).collect()
}

fn why(missing: Option<Missing>) -> String {
    match missing {
        Some(Missing::Forbidden { rule }) => format!("not allowed to {rule}"),
        Some(Missing::Failed { reason }) => reason,
        Some(Missing::NotServed) => "the API server does not serve them".to_owned(),
        Some(Missing::NotCollected) | None => "nobody looked".to_owned(),
    }
}

/// Whether a provisioner's volumes can be CSI volumes. Where it cannot be told they are tried, and the round trip tells.
fn may_be_csi(facts: &Facts, provisioner: &str) -> bool {
    is_registered(facts, provisioner)
        || !(is_surely_unregistered(facts, provisioner)
            || is_in_tree(provisioner)
            || known_driver(provisioner).is_some_and(|known| !known.is_csi))
}

/// A `VolumeSnapshotClass` to try.
#[derive(Debug, Clone, Default)]
pub(super) struct ChosenSnapshotClass {
    /// `None` if the `VolumeSnapshot` is to name none.
    pub(super) name: Option<String>,
    pub(super) driver: Option<String>,
    pub(super) deletion_policy: Option<String>,
}

impl ChosenSnapshotClass {
    /// Whether it may be for the volumes of a `StorageClass`. An in-tree provisioner may stand for a CSI driver of another name.
    fn may_fit(&self, storage: &ChosenStorageClass) -> bool {
        match (&self.driver, &storage.driver) {
            (Some(own), Some(driver)) => own == driver || is_in_tree(driver),
            (None, _) | (_, None) => true,
        }
    }
}

impl From<&VolumeSnapshotClass> for ChosenSnapshotClass {
    fn from(class: &VolumeSnapshotClass) -> Self {
        Self {
            name: Some(class.metadata.name.clone()),
            driver: Some(class.driver.clone()),
            deletion_policy: Some(class.deletion_policy.clone()),
        }
    }
}

/// The classes to try with each of these `StorageClasses`, at least one each. Classes that were named are for the `StorageClasses` of their
/// driver; one that fits none of them is tried with all, and the round trip says what is wrong with it before it creates anything.
pub(super) fn snapshot_classes(
    selection: &Selection,
    facts: &Facts,
    storage_classes: &[ChosenStorageClass],
) -> Result<Vec<Vec<ChosenSnapshotClass>>, PlanError> {
    let named = named(&selection.snapshot_classes, facts)?;
    let fits_none = |class: &ChosenSnapshotClass| !storage_classes.iter().any(|storage| class.may_fit(storage));
    let of = |storage: &ChosenStorageClass| {
        let own = named.iter().filter(|class| class.may_fit(storage) || fits_none(class));
        let own: Vec<ChosenSnapshotClass> = own.cloned().collect();
        if own.is_empty() { unnamed(selection, facts, storage) } else { Ok(own) }
    };
    storage_classes.iter().map(of).collect()
}

/// The classes with these names, each once.
fn named(names: &[String], facts: &Facts) -> Result<Vec<ChosenSnapshotClass>, PlanError> {
    let mut wanted: Vec<&String> = Vec::new();
    for name in names {
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    let find = |name: &String| {
        let Some(classes) = facts.volume_snapshot_classes.seen() else {
            return Ok(ChosenSnapshotClass { name: Some(name.clone()), ..ChosenSnapshotClass::default() });
        };
        let class = classes.iter().find(|class| class.metadata.name == *name);
        class.map(Into::into).ok_or_else(|| {
            let mut existing: Vec<String> = classes.iter().map(|class| class.metadata.name.clone()).collect();
            existing.sort_unstable();
            PlanError::UnknownSnapshotClass { name: name.clone(), existing }
        })
    };
    wanted.into_iter().map(find).collect()
}

/// The classes where none was named: every one of the driver, those that backup products take, or those that Kubernetes' rule leads to.
fn unnamed(
    selection: &Selection,
    facts: &Facts,
    storage: &ChosenStorageClass,
) -> Result<Vec<ChosenSnapshotClass>, PlanError> {
    let found = match facts.volume_snapshot_classes.seen().zip(storage.driver.as_deref()) {
        Some((classes, driver)) if selection.all_snapshot_classes => classes_of(classes, driver),
        Some((classes, driver)) => {
            let taken = taken_by_products(facts, storage);
            if taken.is_empty() { classes_to_try(classes, driver).classes } else { taken }
        }
        None if selection.all_snapshot_classes => {
            // Where there is no API there are no classes, and the round trip says so.
            let missing = facts.volume_snapshot_classes.missing().or_else(|| facts.storage_classes.missing());
            if missing != Some(Missing::NotServed) {
                return Err(PlanError::SnapshotClassesUnseen(why(missing)));
            }
            Vec::new()
        }
        None => Vec::new(),
    };
    if found.is_empty() {
        return Ok(vec![ChosenSnapshotClass::default()]);
    }
    Ok(found.into_iter().map(Into::into).collect())
}

fn taken_by_products<'a>(facts: &'a Facts, storage: &ChosenStorageClass) -> Vec<&'a VolumeSnapshotClass> {
    let classes = facts.storage_classes.seen();
    let class = classes.into_iter().flatten().find(|class| class.metadata.name == storage.name);
    class.map(|class| classes_taken(facts, class)).unwrap_or_default()
}

/// How many classes of a driver are its default; `None` if that could not be seen.
pub(super) fn defaults(facts: &Facts, driver: Option<&str>) -> Option<usize> {
    let classes = classes_of(facts.volume_snapshot_classes.seen()?, driver?);
    Some(classes.into_iter().filter(|class| is_default(class)).count())
}

/// The class for snapshots of several volumes of a `StorageClass` at once; without a name if there is none, or it could not be seen.
pub(super) fn group_class(facts: &Facts, storage: &ChosenStorageClass) -> ChosenSnapshotClass {
    let classes = facts.volume_group_snapshot_classes.seen().zip(storage.driver.as_deref());
    match classes.map(|(classes, driver)| groups::group_class(classes, driver)) {
        Some(GroupClass::One(class)) => ChosenSnapshotClass {
            name: Some(class.metadata.name.clone()),
            driver: Some(class.driver.clone()),
            deletion_policy: Some(class.deletion_policy.clone()),
        },
        Some(GroupClass::None | GroupClass::Several(_)) | None => ChosenSnapshotClass::default(),
    }
}

/// Whether a class is the only one that is tried for a driver where nobody says which.
pub(super) fn is_tried_unnamed(facts: &Facts, driver: Option<&str>, class: &str) -> bool {
    let Some((classes, driver)) = facts.volume_snapshot_classes.seen().zip(driver) else { return false };
    matches!(classes_to_try(classes, driver).classes.as_slice(), [only] if only.metadata.name == class)
}
