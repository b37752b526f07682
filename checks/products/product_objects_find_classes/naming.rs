//! Who names a class, or takes snapshots without naming one.

use crate::knowledge::volumes::volume::Claimed;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Status};
use crate::model::products::{ProductKind, ProductObject};
use crate::products::objects::{objects, place};
use crate::products::product::Product;
use crate::products::{gemini, kubestash, snapscheduler, stash, velero, volsync};

/// An object that wants a class.
#[derive(Debug)]
pub(super) struct Naming<'a> {
    pub(super) kind: &'static str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    /// `namespace/name`.
    pub(super) place: String,
    /// The field that names the class, or would.
    pub(super) field: &'static str,
    /// The claim that it is about, in its namespace; `None` if it chooses its claims in another way.
    pub(super) claim: Option<&'a str>,
    pub(super) wish: Wish<'a>,
}

/// Which class.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish<'a> {
    /// This one.
    Class(&'a str),
    /// This one if it is of that driver, else whatever its product's rule says.
    Preferred { class: &'a str, driver: String },
    /// The default of the volume's driver.
    Default,
}

impl Wish<'_> {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Class(class) | Self::Preferred { class, .. } => (*class).to_owned(),
            Self::Default => "nothing".to_owned(),
        }
    }
}

/// Where the objects of a kind say what they want.
struct Reading {
    kind: &'static ProductKind,
    class: &'static str,
    claim: Option<&'static str>,
    /// Those that are off.
    off: Option<&'static str>,
    without: Without,
}

/// Whether an object that names no class takes snapshots.
enum Without {
    /// It does.
    Takes,
    /// It does if this stands there.
    TakesWhere(&'static str, &'static str),
    /// It does not, or that is not known.
    Unknown,
}

const READINGS: [Reading; 6] = [
    Reading {
        kind: &stash::BACKUP_CONFIGURATION,
        class: "spec.target.snapshotClassName",
        claim: None,
        off: Some("spec.paused"),
        without: Without::TakesWhere("spec.driver", "VolumeSnapshotter"),
    },
    Reading {
        kind: &kubestash::BACKUP_CONFIGURATION,
        class: "spec.sessions.*.addon.tasks.*.params.volumeSnapshotClassName",
        claim: None,
        off: Some("spec.paused"),
        without: Without::Unknown,
    },
    Reading {
        kind: &volsync::REPLICATION_SOURCE,
        class: "spec.*.volumeSnapshotClassName",
        claim: Some("spec.sourcePVC"),
        off: Some("spec.paused"),
        without: Without::TakesWhere("spec.*.copyMethod", "Snapshot"),
    },
    Reading {
        kind: &volsync::REPLICATION_DESTINATION,
        class: "spec.*.volumeSnapshotClassName",
        claim: None,
        off: Some("spec.paused"),
        without: Without::Unknown,
    },
    Reading {
        kind: &snapscheduler::SNAPSHOT_SCHEDULE,
        class: "spec.snapshotTemplate.snapshotClassName",
        claim: None,
        off: Some("spec.disabled"),
        without: Without::Takes,
    },
    Reading {
        kind: &gemini::SNAPSHOT_GROUP,
        class: "spec.template.spec.volumeSnapshotClassName",
        claim: Some("spec.persistentVolumeClaim.claimName"),
        off: None,
        without: Without::Takes,
    },
];

/// All of a product, into `all`; what says why some were not seen.
pub(super) fn namings<'a>(
    facts: &'a Facts,
    product: &Product,
    claims: Option<&'a [Claimed<'a>]>,
    all: &mut Vec<Naming<'a>>,
) -> Vec<Finding> {
    let mut unseen = Vec::new();
    for reading in READINGS.iter().filter(|reading| product.kinds.contains(&reading.kind)) {
        match objects(facts, product, reading.kind) {
            Ok(objects) => all.extend(objects.iter().flat_map(|object| read(reading, object))),
            Err(finding) => unseen.push(*finding),
        }
    }
    if velero::is_inside(product) {
        match objects(facts, product, &velero::SCHEDULE) {
            Ok(schedules) => all.extend(schedules.iter().flat_map(of_schedule)),
            Err(finding) => unseen.push(*finding),
        }
        all.extend(claims.into_iter().flatten().filter_map(of_claim));
    }
    // Where the CRDs of a product are missing there is nothing to say here.
    unseen.retain(|finding| finding.status != Status::Skip);
    unseen.truncate(1);
    unseen
}

fn read<'a>(reading: &Reading, object: &'a ProductObject) -> Vec<Naming<'a>> {
    if reading.off.is_some_and(|path| object.is_on(path)) {
        return Vec::new();
    }
    let naming = |wish| Naming {
        kind: reading.kind.name,
        namespace: object.metadata.namespace.as_deref().unwrap_or_default(),
        name: &object.metadata.name,
        place: place(object),
        field: reading.class,
        claim: reading.claim.and_then(|path| object.one(path)),
        wish,
    };
    let named: Vec<&str> =
        object.all(reading.class).iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    if named.is_empty() {
        let takes = match reading.without {
            Without::Takes => true,
            Without::TakesWhere(path, word) => object.all(path).iter().any(|text| text == word),
            Without::Unknown => false,
        };
        return if takes { vec![naming(Wish::Default)] } else { Vec::new() };
    }
    named.into_iter().map(|class| naming(Wish::Class(class))).collect()
}

/// `velero.io/csi-volumesnapshot-class_ebs.csi.aws.com: snap` of a Schedule, which its backups inherit.
fn of_schedule(schedule: &ProductObject) -> impl Iterator<Item = Naming<'_>> {
    schedule.metadata.annotations.iter().filter_map(|(key, class)| {
        let driver = key.strip_prefix(velero::KEY)?.strip_prefix('_')?;
        Some(Naming {
            kind: velero::SCHEDULE.name,
            namespace: schedule.metadata.namespace.as_deref().unwrap_or_default(),
            name: &schedule.metadata.name,
            place: place(schedule),
            field: "metadata.annotations",
            claim: None,
            wish: Wish::Preferred { class, driver: driver.to_owned() },
        })
    })
}

/// `velero.io/csi-volumesnapshot-class: snap` of a claim.
fn of_claim<'a>(claimed: &'a Claimed<'a>) -> Option<Naming<'a>> {
    let metadata = &claimed.claim.metadata;
    let class = metadata.annotations.get(velero::KEY)?;
    let driver = claimed.class.map(|class| class.provisioner.as_str()).or_else(|| claimed.driver())?;
    Some(Naming {
        kind: "PersistentVolumeClaim",
        namespace: claimed.namespace(),
        name: &metadata.name,
        place: format!("{}/{}", claimed.namespace(), metadata.name),
        field: "metadata.annotations",
        claim: Some(&metadata.name),
        wish: Wish::Preferred { class, driver: driver.to_owned() },
    })
}
