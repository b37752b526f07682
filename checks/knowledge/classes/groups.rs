//! Which `VolumeGroupSnapshotClass` a group snapshot of a driver's volumes takes.

use crate::model::kubernetes::VolumeGroupSnapshotClass;

/// Marks the default class of its driver; only the value `true`, spelled so, counts. From external-snapshotter 8.0 on.
const DEFAULT_GROUP_CLASS: &str = "groupsnapshot.storage.kubernetes.io/is-default-class";

/// The class of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupClass<'a> {
    /// The default, or the only one.
    One(&'a VolumeGroupSnapshotClass),
    /// There is none.
    None,
    /// There are several, and not one of them alone is the default: their names.
    Several(Vec<&'a str>),
}

/// The class of a driver: the default, or the only one.
#[must_use]
pub fn group_class<'a>(classes: &'a [VolumeGroupSnapshotClass], driver: &str) -> GroupClass<'a> {
    let own: Vec<&VolumeGroupSnapshotClass> = classes.iter().filter(|class| class.driver == driver).collect();
    let is_default = |class: &&&VolumeGroupSnapshotClass| {
        class.metadata.annotations.get(DEFAULT_GROUP_CLASS).is_some_and(|value| value == "true")
    };
    let defaults: Vec<&VolumeGroupSnapshotClass> = own.iter().filter(is_default).copied().collect();
    match (defaults.as_slice(), own.as_slice()) {
        ([class], _) | ([], [class]) => GroupClass::One(class),
        (_, []) => GroupClass::None,
        _ => {
            let mut names: Vec<&str> = own.iter().map(|class| class.metadata.name.as_str()).collect();
            names.sort_unstable();
            GroupClass::Several(names)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kubernetes::Metadata;

    fn class(name: &str, driver: &str, mark: &str) -> VolumeGroupSnapshotClass {
        let annotations = [(DEFAULT_GROUP_CLASS.to_owned(), mark.to_owned())].into();
        VolumeGroupSnapshotClass {
            metadata: Metadata { name: name.to_owned(), annotations, ..Metadata::default() },
            driver: driver.to_owned(),
            ..VolumeGroupSnapshotClass::default()
        }
    }

    #[test]
    fn the_default_counts_and_then_the_only_one() {
        let [a, b, other] = [class("a", "x", ""), class("b", "x", "true"), class("o", "y", "true")];
        let c = class("c", "x", "true");
        for (classes, expected) in [
            (vec![other.clone()], Ok(None)),
            (vec![a.clone(), other.clone()], Ok(Some("a"))),
            (vec![a.clone(), b.clone(), other.clone()], Ok(Some("b"))),
            (vec![c.clone(), b.clone(), other.clone()], Err(vec!["b", "c"])),
            (vec![class("d", "x", "True"), a.clone()], Err(vec!["a", "d"])),
        ] {
            let chosen = match group_class(&classes, "x") {
                GroupClass::One(class) => Ok(Some(class.metadata.name.as_str())),
                GroupClass::None => Ok(None),
                GroupClass::Several(names) => Err(names),
            };
            assert_eq!(chosen, expected);
        }
    }
}
