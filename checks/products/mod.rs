//! Backup products: a folder each, and the checks about them. These are asked only if a product is named with `--for`.

pub mod cloudcasa;
pub mod cohesity;
pub mod gemini;
pub mod k8s_snapshots;
pub mod k8up;
pub mod kasten;
pub mod kubestash;
pub mod kubevirt;
pub mod kyma;
pub mod longhorn;
pub mod netbackup;
pub mod oadp;
mod objects;
pub mod portworx;
pub mod product;
pub mod rehearsal;
mod rules;
pub mod snapscheduler;
pub mod stash;
pub mod trilio;
pub mod velero;
pub mod volsync;

pub mod backups_leave_longhorn;
pub mod cron_job_takes_snapshots;
pub mod k8s_snapshots_finds_volumes;
pub mod oadp_is_set_up;
pub mod product_finds_a_class;
pub mod product_objects_find_classes;
pub mod round_trip_is_in_time;
pub mod round_trip_rehearses;
pub mod snapshots_are_ready_in_time;
pub mod velero_backs_up_volumes;
pub mod velero_has_a_location;
pub mod velero_node_agent_runs;
pub mod velero_takes_csi_snapshots;

use crate::model::check::Check;
use crate::model::facts::{AccountQuestion, Facts};
use crate::model::finding::Findings;
use crate::model::interest::Interest;
use crate::model::kubernetes::{StorageClass, VolumeSnapshotClass};
use crate::model::products::ProductKind;
use crate::products::product::{Classes, Product, Question};

/// The checks of this group.
pub const CHECKS: &[&Check] = &[
    &product_finds_a_class::CHECK,
    &product_objects_find_classes::CHECK,
    &velero_takes_csi_snapshots::CHECK,
    &velero_has_a_location::CHECK,
    &velero_node_agent_runs::CHECK,
    &oadp_is_set_up::CHECK,
    &backups_leave_longhorn::CHECK,
    &cron_job_takes_snapshots::CHECK,
    &k8s_snapshots_finds_volumes::CHECK,
    &velero_backs_up_volumes::CHECK,
    &snapshots_are_ready_in_time::CHECK,
    &round_trip_is_in_time::CHECK,
    &round_trip_rehearses::CHECK,
];

/// The products that a check of this group is about, by their words; none for a check about all of them.
const ABOUT: [(&Check, &[&str]); 8] = [
    (&velero_takes_csi_snapshots::CHECK, &["velero", "oadp", "cohesity"]),
    (&velero_has_a_location::CHECK, &["velero", "oadp", "cohesity"]),
    (&velero_node_agent_runs::CHECK, &["velero", "oadp", "cohesity"]),
    (&velero_backs_up_volumes::CHECK, &["velero", "oadp", "cohesity"]),
    (&oadp_is_set_up::CHECK, &["oadp"]),
    (&backups_leave_longhorn::CHECK, &["longhorn"]),
    (&cron_job_takes_snapshots::CHECK, &["kyma"]),
    (&k8s_snapshots_finds_volumes::CHECK, &["k8s-snapshots"]),
];

/// Whether a check of this group says anything about these words of `--for`.
#[must_use]
pub fn concerns(check: &Check, words: &[String]) -> bool {
    let about = ABOUT.iter().find(|(known, _)| known.id == check.id);
    about.is_none_or(|(_, products)| {
        words.iter().any(|word| word == AUTO || products.iter().any(|product| word == product))
    })
}

/// All products.
pub const ALL: [&Product; 18] = [
    &velero::PRODUCT,
    &oadp::PRODUCT,
    &cohesity::PRODUCT,
    &kasten::PRODUCT,
    &cloudcasa::PRODUCT,
    &netbackup::PRODUCT,
    &portworx::PRODUCT,
    &trilio::PRODUCT,
    &kubevirt::PRODUCT,
    &stash::PRODUCT,
    &kubestash::PRODUCT,
    &volsync::PRODUCT,
    &snapscheduler::PRODUCT,
    &gemini::PRODUCT,
    &kyma::PRODUCT,
    &longhorn::PRODUCT,
    &k8up::PRODUCT,
    &k8s_snapshots::PRODUCT,
];

/// The word for those that are installed.
pub const AUTO: &str = "auto";

/// What is read of workloads to find products.
pub const INTEREST: Interest = Interest {
    words: &[
        "velero",
        "kasten",
        "k10",
        "cloudcasa",
        "catalogicsoftware",
        "netbackup",
        "stork",
        "trilio",
        "virt-controller",
        "virt-operator",
        "stash",
        "volsync",
        "snapscheduler",
        "gemini",
        "volume-snapshotter",
        "longhorn-manager",
        "k8up",
        "k8s-snapshots",
        "cohesity",
        "node-agent",
    ],
    host_paths: &[],
    variables: &[],
    flags: &["--features"],
};

/// The products that were asked about. Those that are installed are told by their workloads, Kyma's snapshotter by its `CronJob`.
#[must_use]
pub fn asked(facts: &Facts) -> Vec<&'static Product> {
    let is_installed = |product: &Product| {
        let by_jobs = || objects::objects(facts, product, &kyma::CRON_JOB).is_ok_and(|jobs| !jobs.is_empty());
        product.is_installed(facts) == Some(true) || (product.word == kyma::PRODUCT.word && by_jobs())
    };
    let named = |product: &Product, word: &str| word == product.word || (word == AUTO && is_installed(product));
    ALL.into_iter().filter(|product| facts.for_products.iter().any(|word| named(product, word))).collect()
}

/// The products that these words of `--for` name; what [`AUTO`] stands for is known only where a cluster was looked at.
pub fn named(words: &[String]) -> impl Iterator<Item = &'static Product> {
    ALL.into_iter().filter(|product| words.iter().any(|word| word == product.word))
}

/// The products that these words of `--for` may come to.
pub fn possible(words: &[String]) -> impl Iterator<Item = &'static Product> {
    ALL.into_iter().filter(|product| words.iter().any(|word| word == AUTO || word == product.word))
}

/// What to ask about the rights of the products' accounts.
#[must_use]
pub fn questions(facts: &Facts) -> Vec<AccountQuestion> {
    if asked(facts).contains(&&kyma::PRODUCT) { cron_job_takes_snapshots::questions(facts) } else { Vec::new() }
}

/// The classes that the products that were asked about take for the volumes of a `StorageClass`, each once. A product that takes none,
/// or of which it cannot be told, adds none.
#[must_use]
pub fn classes_taken<'a>(facts: &'a Facts, storage: &StorageClass) -> Vec<&'a VolumeSnapshotClass> {
    let Some(classes) = facts.volume_snapshot_classes.seen() else { return Vec::new() };
    let mut taken: Vec<&VolumeSnapshotClass> = Vec::new();
    for product in asked(facts) {
        let Classes::Chosen { by, .. } = product.classes else { continue };
        let outcome = by(&Question { storage, classes, facts }).outcome;
        let class = outcome.class().and_then(|name| classes.iter().find(|class| class.metadata.name == name));
        taken.extend(class.filter(|class| !taken.iter().any(|known| known.metadata.name == class.metadata.name)));
    }
    taken
}

/// The kinds of objects that are read for these words of `--for`.
#[must_use]
pub fn kinds(words: &[String]) -> Vec<&'static ProductKind> {
    let mut kinds: Vec<&ProductKind> = possible(words).flat_map(|product| product.kinds).copied().collect();
    kinds.sort_by_key(|kind| (kind.group, kind.plural));
    kinds.dedup();
    kinds
}

/// The first product that was asked about of those that `is_it` picks out; else says why a check about them has nothing to look at,
/// with `named` for all of them. Whether a product is installed that nobody named is unknown where workloads could not be read.
pub(crate) fn asked_about(
    facts: &Facts,
    named: &Product,
    is_it: impl Fn(&Product) -> bool,
    findings: &mut Findings,
) -> Option<&'static Product> {
    let found = asked(facts).into_iter().find(|product| is_it(product));
    let (name, word) = (named.name, named.word);
    if found.is_some() {
        return found;
    }
    if cannot_see_which(facts) {
        findings.unknown(format!("whether {name} is installed could not be seen: name it, as in --for {word}"));
    } else if facts.for_products.iter().any(|word| word == AUTO) {
        findings.skip(format!("no workload of {name} is visible"));
    } else {
        findings.skip(format!("{name} was not named: --for {word}"));
    }
    None
}

/// Whether all installed products were asked for, and cannot be seen.
#[must_use]
pub fn cannot_see_which(facts: &Facts) -> bool {
    facts.for_products.iter().any(|word| word == AUTO) && facts.workloads.seen().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::classes::marks::Mark;
    use crate::model::probe::Probe;
    use crate::products::product::Remedy;

    #[test]
    fn pods_of_every_product_are_kept_and_marks_are_known() {
        for product in ALL {
            for image in product.images {
                assert!(INTEREST.words.iter().any(|word| image.contains(word)), "{product:?}");
            }
            if let Classes::Chosen { remedy: Remedy::Mark(key), .. } = product.classes {
                assert!(Mark::with_key(key).is_some(), "{product:?}");
            }
            assert!(!product.source.is_empty());
        }
    }

    #[test]
    fn a_check_is_about_products_that_there_are() {
        for (check, words) in ABOUT {
            assert!(words.iter().all(|word| ALL.iter().any(|product| product.word == *word)), "{}", check.id);
        }
        let velero = ["velero".to_owned()];
        let ids: Vec<&str> = CHECKS.iter().filter(|check| concerns(check, &velero)).map(|check| check.id).collect();
        assert_eq!(ids, ["SR601", "SR602", "SR611", "SR612", "SR613", "SR618", "SR619", "SR620", "SR621"]);
        assert!(CHECKS.iter().all(|check| concerns(check, &[AUTO.to_owned()])));
    }

    #[test]
    fn products_take_classes_each_once() {
        let storage = StorageClass { provisioner: "ebs.csi.aws.com".to_owned(), ..StorageClass::default() };
        let class = |name: &str, label: &str, annotation: &str| {
            let mut class =
                VolumeSnapshotClass { driver: storage.provisioner.clone(), ..VolumeSnapshotClass::default() };
            class.metadata.name = name.to_owned();
            class.metadata.labels.insert(label.to_owned(), "true".to_owned());
            class.metadata.annotations.insert(annotation.to_owned(), "true".to_owned());
            class
        };
        let classes = vec![
            class("a", velero::KEY, "k10.kasten.io/is-snapshot-class"),
            class("b", velero::KEY, ""),
            class("c", "cloudcasa.io/csi-volumesnapshot-class", ""),
            class("d", "", ""),
        ];
        let taken = |products: &[&str]| -> Vec<String> {
            let facts = Facts {
                for_products: products.iter().map(|word| (*word).to_owned()).collect(),
                volume_snapshot_classes: Probe::from(classes.clone()),
                ..Facts::default()
            };
            classes_taken(&facts, &storage).into_iter().map(|class| class.metadata.name.clone()).collect()
        };
        assert_eq!(taken(&[]), [""; 0]);
        assert_eq!(taken(&["velero"]), ["a"], "the first of the list");
        assert_eq!(taken(&["cloudcasa", "kasten", "velero"]), ["a", "c"]);
        // These take none: its mark is missing, its objects name one, it takes no CSI snapshots, it is not installed.
        assert_eq!(taken(&["netbackup", "volsync", "k8up", AUTO]), [""; 0]);
        assert_eq!(taken(&["netbackup", "kasten"]), ["a"]);
    }

    #[test]
    fn every_product_has_an_answer() {
        let storage = StorageClass { provisioner: "ebs.csi.aws.com".to_owned(), ..StorageClass::default() };
        let mut class = VolumeSnapshotClass { driver: storage.provisioner.clone(), ..VolumeSnapshotClass::default() };
        class.metadata.name = "a".to_owned();
        for (word, wanted) in [
            ("velero", "Unknown"),
            ("kasten", "Nothing"),
            ("cloudcasa", "Creates"),
            ("netbackup", "Nothing"),
            ("portworx", "Creates"),
            ("trilio", "Takes"),
            ("kubevirt", "Takes"),
            ("stash", "Names"),
            ("kubestash", "Names"),
            ("volsync", "Names"),
            ("snapscheduler", "Names"),
            ("gemini", "Names"),
            ("kyma", "Names"),
            ("longhorn", "NoSnapshots"),
            ("k8up", "none"),
            ("k8s-snapshots", "none"),
        ] {
            let product = ALL.into_iter().find(|product| product.word == word).unwrap();
            let outcome = match product.classes {
                Classes::Chosen { by, .. } => {
                    let classes = std::slice::from_ref(&class);
                    format!("{:?}", by(&Question { storage: &storage, classes, facts: &Facts::default() }).outcome)
                }
                Classes::None(_) => "none".to_owned(),
            };
            assert!(outcome.starts_with(wanted), "{word}: {outcome}");
        }
    }
}
