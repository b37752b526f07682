//! Which classes a run tries: those that were named, or those that Kubernetes' rules choose.

use snapready_checks::knowledge::classes::choose::{Choice, choose_snapshot_class, default_storage_class};
use snapready_checks::knowledge::drivers::registered::{is_in_tree, is_registered, is_surely_unregistered};
use snapready_checks::knowledge::drivers::table::known_driver;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::{StorageClass, VolumeSnapshotClass};
use snapready_checks::model::probe::Missing;

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

#[derive(Default)]
pub(super) struct ChosenSnapshotClass {
    pub(super) name: Option<String>,
    pub(super) driver: Option<String>,
    pub(super) deletion_policy: Option<String>,
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

pub(super) fn snapshot_class(
    selection: &Selection,
    facts: &Facts,
    driver: Option<&str>,
) -> Result<ChosenSnapshotClass, PlanError> {
    let classes = facts.volume_snapshot_classes.seen();
    let Some(name) = &selection.snapshot_class else {
        let chosen = classes.zip(driver).map(|(classes, driver)| choose_snapshot_class(classes, driver));
        return Ok(match chosen {
            Some(Choice::One(class)) => class.into(),
            Some(Choice::None | Choice::Several(_)) | None => ChosenSnapshotClass::default(),
        });
    };
    let Some(classes) = classes else {
        return Ok(ChosenSnapshotClass { name: Some(name.clone()), ..ChosenSnapshotClass::default() });
    };
    if let Some(class) = classes.iter().find(|class| class.metadata.name == *name) {
        Ok(class.into())
    } else {
        let mut existing: Vec<String> = classes.iter().map(|class| class.metadata.name.clone()).collect();
        existing.sort_unstable();
        Err(PlanError::UnknownSnapshotClass { name: name.clone(), existing })
    }
}
