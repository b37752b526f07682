//! Which `VolumeSnapshotClass` a product takes for the volumes of a `StorageClass`, and why.

use crate::knowledge::classes::choose::{Choice, DEFAULT_SNAPSHOT_CLASS, choose_snapshot_class, classes_of};
use crate::knowledge::classes::marks::Mark;
use crate::knowledge::products::table::{Product, Rule};
use crate::knowledge::version::Version;
use crate::model::kubernetes::{StorageClass, VolumeSnapshotClass};
use crate::text::words::list;

/// What a product comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It takes this class.
    Takes {
        /// The class.
        class: String,
        /// Why this one.
        why: String,
    },
    /// It takes this class, and another order of the list or one more class would change that.
    Ambiguous {
        /// The class that it takes now.
        class: String,
        /// What is not unambiguous.
        why: String,
    },
    /// It finds none, and fails.
    Nothing {
        /// Why, with the product's own words where they are known.
        why: String,
    },
    /// It finds none and creates one.
    Creates {
        /// What that class lacks.
        why: String,
    },
    /// Its own objects name the class, and nothing in the cluster does.
    Names {
        /// The field.
        why: String,
    },
    /// It takes no CSI snapshots.
    NoSnapshots {
        /// What it does.
        why: String,
    },
}

/// What a product takes for the volumes of a class. `version` is Velero's; `None` stands for the newest. Classes are taken in the
/// order of their names, as the API server lists them.
#[must_use]
pub fn simulate(
    product: &Product,
    version: Option<Version>,
    storage: &StorageClass,
    classes: &[VolumeSnapshotClass],
) -> Outcome {
    let driver = storage.provisioner.as_str();
    let mut own = classes_of(classes, driver);
    own.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    match product.rule {
        Rule::Velero => velero(product, version.unwrap_or(Version::new(1, 18, 0)), driver, &own),
        Rule::Annotation => kasten(product, storage, classes, &own),
        Rule::Label => match marked(product, &own).as_slice() {
            [] => Outcome::Creates {
                why: format!(
                    "no class of {driver} has label {}=true, so it creates one without parameters, which drivers that need some cannot use",
                    product.key
                ),
            },
            found => first(found, &format!("label {}=true", product.key)),
        },
        Rule::LabelOnly => match marked(product, &own).as_slice() {
            [] => Outcome::Nothing { why: format!("no class of {driver} has label {}=true", product.key) },
            found => first(found, &format!("label {}=true", product.key)),
        },
        Rule::Name => {
            let wanted = format!("{}{driver}", product.key);
            match own.iter().find(|class| class.metadata.name == wanted) {
                Some(class) => takes(class, "its name".to_owned()),
                None => Outcome::Creates {
                    why: format!("there is no class {wanted}, so it creates one without parameters"),
                },
            }
        }
        Rule::Driver => match (choose_snapshot_class(classes, driver), own.as_slice()) {
            (_, []) => Outcome::Nothing { why: format!("no class has driver {driver}") },
            (_, [class]) => takes(class, "the only class of the driver".to_owned()),
            (Choice::One(class), _) => takes(class, "the default class of the driver".to_owned()),
            (_, [class, ..]) => Outcome::Ambiguous {
                class: class.metadata.name.clone(),
                why: format!("{driver} has the classes {}, and none is the default", names(&own)),
            },
        },
        Rule::OwnOrDefault => match choose_snapshot_class(classes, driver) {
            Choice::One(class) => {
                takes(class, format!("the default class of the driver, unless {} names another", product.key))
            }
            Choice::Several(several) => Outcome::Nothing {
                why: format!(
                    "{} are all default, and Kubernetes takes none then, unless {} names one",
                    list(several.iter().map(|class| class.metadata.name.as_str())),
                    product.key
                ),
            },
            Choice::None => {
                Outcome::Names { why: format!("{driver} has no default class: {} has to name one", product.key) }
            }
        },
        Rule::Longhorn => longhorn(product, driver, &own),
        Rule::None => Outcome::NoSnapshots { why: product.key.to_owned() },
    }
}

fn takes(class: &VolumeSnapshotClass, why: String) -> Outcome {
    Outcome::Takes { class: class.metadata.name.clone(), why }
}

/// The first one, with a word about the others.
fn first(found: &[&VolumeSnapshotClass], why: &str) -> Outcome {
    match found {
        [] => Outcome::Nothing { why: why.to_owned() },
        [class] => takes(class, why.to_owned()),
        [class, ..] => Outcome::Ambiguous {
            class: class.metadata.name.clone(),
            why: format!("{why} is on {}, and it takes the first of the list", names(found)),
        },
    }
}

fn names(classes: &[&VolumeSnapshotClass]) -> String {
    list(classes.iter().map(|class| class.metadata.name.as_str()))
}

/// The classes that the product takes for marked.
fn marked<'a>(product: &Product, own: &[&'a VolumeSnapshotClass]) -> Vec<&'a VolumeSnapshotClass> {
    let mark = Mark::with_key(product.key);
    own.iter().filter(|class| mark.is_some_and(|mark| mark.counts(class))).copied().collect()
}

/// Velero (`pkg/util/csi/volume_snapshot.go`): the label whatever its value; from 1.17 the annotation of the default
/// whatever its value; from 1.14 the only class of the driver.
fn velero(product: &Product, version: Version, driver: &str, own: &[&VolumeSnapshotClass]) -> Outcome {
    let labelled = marked(product, own);
    if !labelled.is_empty() {
        return first(&labelled, &format!("label {}", product.key));
    }
    if version >= Version::new(1, 17, 0) {
        let annotated: Vec<&VolumeSnapshotClass> = own
            .iter()
            .filter(|class| class.metadata.annotations.contains_key(DEFAULT_SNAPSHOT_CLASS))
            .copied()
            .collect();
        if !annotated.is_empty() {
            return first(&annotated, &format!("annotation {DEFAULT_SNAPSHOT_CLASS}"));
        }
    }
    match own {
        [class] if version >= Version::new(1, 14, 0) => takes(class, "the only class of the driver".to_owned()),
        [] => Outcome::Nothing { why: format!("no class has driver {driver}") },
        _ => Outcome::Nothing {
            why: format!(
                "\"failed to get VolumeSnapshotClass for provisioner {driver}\": of {} none has label {}",
                names(own),
                product.key
            ),
        },
    }
}

/// Kanister: the `StorageClass` names a class, whose driver is not compared; else the first class with the annotation.
fn kasten(
    product: &Product,
    storage: &StorageClass,
    classes: &[VolumeSnapshotClass],
    own: &[&VolumeSnapshotClass],
) -> Outcome {
    if let Some(name) = storage.metadata.annotations.get(product.key) {
        let why = format!("annotation {} of the StorageClass", product.key);
        return match classes.iter().find(|class| class.metadata.name == *name) {
            Some(class) if class.driver == storage.provisioner => takes(class, why),
            Some(class) => Outcome::Nothing {
                why: format!("{why} names {name}, whose driver is {}, not {}", class.driver, storage.provisioner),
            },
            None => Outcome::Nothing { why: format!("{why} names {name}, which does not exist") },
        };
    }
    match marked(product, own).as_slice() {
        [] => Outcome::Nothing {
            why: format!(
                "\"Failed to find VolumeSnapshotClass with annotation in the cluster\": no class of {} has {}=true",
                storage.provisioner, product.key
            ),
        },
        found => first(found, &format!("annotation {}=true", product.key)),
    }
}

/// Longhorn's documentation, "CSI Snapshot Support": `bak`, also without the parameter, leaves the cluster; `snap` stays with the volume.
fn longhorn(product: &Product, driver: &str, own: &[&VolumeSnapshotClass]) -> Outcome {
    if driver != "driver.longhorn.io" {
        return Outcome::NoSnapshots {
            why: format!("Longhorn backs up its own volumes, and {driver} is not Longhorn"),
        };
    }
    let leaves = |class: &&&VolumeSnapshotClass| class.parameters.get(product.key).is_none_or(|kind| kind == "bak");
    let found: Vec<&VolumeSnapshotClass> = own.iter().filter(leaves).copied().collect();
    match found.as_slice() {
        [] => Outcome::Nothing {
            why: "no class of Longhorn has type: bak, so its snapshots are lost with their volumes".to_owned(),
        },
        [class, ..] => takes(class, "type: bak".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(word: &str) -> Product {
        Product::all().find(|product| product.word == word).unwrap()
    }

    fn class(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> VolumeSnapshotClass {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let mut class = VolumeSnapshotClass { driver: "ebs.csi.aws.com".to_owned(), ..VolumeSnapshotClass::default() };
        class.metadata.name = name.to_owned();
        class.metadata.labels = map(labels);
        class.metadata.annotations = map(annotations);
        class
    }

    fn storage() -> StorageClass {
        StorageClass { provisioner: "ebs.csi.aws.com".to_owned(), ..StorageClass::default() }
    }

    const V: &str = "velero.io/csi-volumesnapshot-class";
    const K: &str = "k10.kasten.io/is-snapshot-class";

    fn velero_takes(version: (u32, u32), classes: &[VolumeSnapshotClass]) -> String {
        let version = Some(Version::new(version.0, version.1, 0));
        match simulate(&product("velero"), version, &storage(), classes) {
            Outcome::Takes { class, .. } => class,
            Outcome::Ambiguous { class, .. } => format!("{class}?"),
            other => format!("{other:?}").split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn velero_chooses_as_its_releases_do() {
        let (plain, other) = (class("a", &[], &[]), class("b", &[], &[]));
        let off = class("c", &[(V, "false")], &[]);
        let default = class("d", &[], &[(DEFAULT_SNAPSHOT_CLASS, "false")]);
        let both = [plain.clone(), other.clone()];
        for (version, classes, wanted) in [
            ((1, 13), &[plain.clone()][..], "Nothing"),
            ((1, 14), &[plain.clone()][..], "a"),
            ((1, 18), &both[..], "Nothing"),
            ((1, 12), &[plain.clone(), off.clone()][..], "c"),
            ((1, 16), &[plain.clone(), default.clone()][..], "Nothing"),
            ((1, 17), &[plain.clone(), default.clone()][..], "d"),
            ((1, 18), &[off.clone(), class("z", &[(V, "true")], &[])][..], "c?"),
            ((1, 18), &[][..], "Nothing"),
        ] {
            assert_eq!(velero_takes(version, classes), wanted, "{version:?} {classes:?}");
        }
    }

    #[test]
    fn kasten_reads_the_value_and_the_storage_class() {
        let kasten = product("kasten");
        let takes = |storage: &StorageClass, classes: &[VolumeSnapshotClass]| simulate(&kasten, None, storage, classes);
        let marked = class("a", &[], &[(K, "true")]);
        assert!(matches!(takes(&storage(), std::slice::from_ref(&marked)), Outcome::Takes { .. }));
        for wrong in [class("a", &[], &[(K, "false")]), class("a", &[(K, "true")], &[]), class("a", &[], &[])] {
            assert!(matches!(takes(&storage(), &[wrong]), Outcome::Nothing { .. }));
        }
        let mut naming = storage();
        naming.metadata.annotations.insert(K.to_owned(), "b".to_owned());
        assert!(
            matches!(takes(&naming, std::slice::from_ref(&marked)), Outcome::Nothing { why } if why.contains("does not exist"))
        );
        assert!(
            matches!(takes(&naming, &[marked, class("b", &[], &[])]), Outcome::Takes { class, .. } if class == "b")
        );
    }

    #[test]
    fn every_product_has_an_answer() {
        let one = [class("a", &[], &[])];
        for (word, wanted) in [
            ("cloudcasa", "Creates"),
            ("netbackup", "Nothing"),
            ("portworx", "Creates"),
            ("trilio", "Takes"),
            ("kubevirt", "Takes"),
            ("volsync", "Names"),
            ("gemini", "Names"),
            ("longhorn", "NoSnapshots"),
            ("k8s-snapshots", "NoSnapshots"),
            ("k8up", "NoSnapshots"),
        ] {
            let outcome = format!("{:?}", simulate(&product(word), None, &storage(), &one));
            assert!(outcome.starts_with(wanted), "{word}: {outcome}");
        }
        let default = [class("a", &[], &[(DEFAULT_SNAPSHOT_CLASS, "true")])];
        assert!(matches!(simulate(&product("gemini"), None, &storage(), &default), Outcome::Takes { .. }));
    }
}
