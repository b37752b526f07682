//! Which round trips a run makes, and with what: decided before anything is created.

mod classes;
mod of_existing;
mod run_id;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use oci_spec::distribution::Reference;
use snapready_checks::knowledge::control_plane::distribution::assigns_users;
use snapready_checks::model::facts::Facts;
use snapready_checks::moment::Subject;
use snapready_checks::products::asked;
use snapready_checks::products::product::Product;
use snapready_checks::text::names::is_object_name;

use self::classes::{
    ChosenSnapshotClass, ChosenStorageClass, defaults, group_class, is_tried_unnamed, snapshot_classes, storage_classes,
};
pub use self::run_id::{InvalidRunId, RunId};
use super::existing::{self, Existing, Given, Unusable};
use super::modes::{MODES, Mode, plain};
use crate::model::VolumeMode;
use snapready_checks::model::quantity::{Quantity, QuantityError};

/// A small public image that has a shell and all tools; `--image` names a mirror's.
pub const DEFAULT_IMAGE: &str = "docker.io/library/busybox:1.36";
/// 1 GiB: what most drivers take as their least (EBS, Azure and `DigitalOcean` have 1 GiB, XFS needs 300 MiB), and what
/// costs next to nothing for the minutes that it lives. Drivers with a larger minimum (10 GiB at some clouds) either
/// round up or refuse, and the refusal is answered with `--size`.
pub const DEFAULT_SIZE: Quantity = Quantity(1 << 30);
/// 32 MiB: the data, its overwritten copy and a journal have to fit.
pub const MINIMUM_SIZE: Quantity = Quantity(32 << 20);
/// On nodes: the zone that they lie in.
pub(crate) const ZONE_LABEL: &str = "topology.kubernetes.io/zone";
/// A user that every image runs as.
const NOBODY: i64 = 65_534;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// `StorageClasses` by name; none is the default class.
    pub storage_classes: Vec<String>,
    /// Every `StorageClass` with a CSI driver.
    pub all: bool,
    /// `VolumeSnapshotClasses` by name, for the `StorageClasses` of their drivers; none leaves the choice to the rules of the backup
    /// products that are asked about, and to Kubernetes'.
    pub snapshot_classes: Vec<String>,
    /// Every `VolumeSnapshotClass` of the driver.
    pub all_snapshot_classes: bool,
    /// Volume modes; none is both.
    pub volume_modes: Vec<VolumeMode>,
    /// Modes of the round trip; none is those that do what the backup products do that are asked about, or `plain`.
    pub modes: Vec<&'static Mode>,
    /// The sizes to request; none is [`DEFAULT_SIZE`].
    pub sizes: Vec<String>,
    /// The image of all pods; see [`DEFAULT_IMAGE`].
    pub image: Option<String>,
    /// A secret in `namespace` to pull the image with.
    pub image_pull_secret: Option<String>,
    /// A namespace that exists; `None` makes one.
    pub namespace: Option<String>,
    /// Labels that the pods' node must have.
    pub node_selector: Vec<(String, String)>,
    /// Whether a round trip is started although it is certain that its objects could not be deleted again.
    pub force: bool,
    /// What is restored from; `None` for data that the run writes.
    pub existing: Option<existing::Reference>,
    /// How long data that the run has not written is read at most.
    pub read_at_most: Duration,
}

impl Selection {
    /// What it asks for, as far as no cluster is needed to tell.
    pub fn asked(&self) -> Result<Asked, PlanError> {
        let sizes = sizes(&self.sizes)?;
        let names = self.namespace.iter().chain(&self.snapshot_classes).chain(&self.storage_classes);
        if let Some(name) = names.chain(&self.image_pull_secret).find(|name| !is_object_name(name)) {
            return Err(PlanError::Name(name.chars().take(80).collect()));
        }
        if self.image_pull_secret.is_some() && self.namespace.is_none() {
            return Err(PlanError::PullSecretWithoutNamespace);
        }
        // The default is known to be one; the expression that all others are matched with is large.
        let image = self.image.as_deref().map_or_else(|| Ok(DEFAULT_IMAGE.to_owned()), image)?;
        Ok(Asked { sizes, image })
    }
}

/// Those that were asked for, each once, the smallest first.
fn sizes(asked: &[String]) -> Result<Vec<Quantity>, PlanError> {
    if asked.is_empty() {
        return Ok(vec![DEFAULT_SIZE]);
    }
    let mut sizes: Vec<Quantity> = asked.iter().map(|size| size.parse()).collect::<Result<_, _>>()?;
    sizes.sort_unstable();
    sizes.dedup();
    match sizes.first() {
        Some(smallest) if *smallest < MINIMUM_SIZE => Err(PlanError::TooSmall(*smallest)),
        _ => Ok(sizes),
    }
}

/// What a [`Selection`] asks for, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The sizes to request, the smallest first; at least one.
    pub sizes: Vec<Quantity>,
    /// The image of all pods, normalised.
    pub image: String,
}

/// What a run will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The run.
    pub run: RunId,
    /// The namespace of all objects.
    pub namespace: String,
    /// Whether the run makes the namespace, and removes it.
    pub own_namespace: bool,
    /// The image of all pods, normalised.
    pub image: String,
    /// A secret to pull it with.
    pub image_pull_secret: Option<String>,
    /// Labels that the pods' node must have.
    pub node_selector: Vec<(String, String)>,
    /// The zones of the nodes that have one, by the nodes' names.
    pub zones: BTreeMap<String, String>,
    /// User and group of all pods; `None` leaves them to the cluster, which then has users of its own to assign.
    pub user: Option<i64>,
    /// See [`Selection::force`].
    pub force: bool,
    /// When everything that the run creates counts as left behind.
    pub expires_at: Timestamp,
    /// The round trips, in order; at least one.
    pub targets: Vec<Target>,
}

/// One round trip: one `StorageClass`, one `VolumeSnapshotClass`, one volume mode, one mode of the round trip, one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Place in the plan, from 0.
    pub index: usize,
    /// The `StorageClass` of source and restored volume.
    pub storage_class: String,
    /// Its provisioner; `None` if `StorageClasses` could not be seen.
    pub driver: Option<String>,
    /// `Immediate` or `WaitForFirstConsumer`; `None` if it could not be seen.
    pub binding_mode: Option<String>,
    /// `Delete` or `Retain` of the `StorageClass`.
    pub reclaim_policy: Option<String>,
    /// The `VolumeSnapshotClass`, or where several volumes are snapshotted at once the `VolumeGroupSnapshotClass`; `None` if the driver
    /// has none, or it could not be seen. Then the snapshot names none either, and the cluster's answer decides.
    pub snapshot_class: Option<String>,
    /// Whether a call that repeats this round trip has to name the `VolumeSnapshotClass`.
    pub needs_name: bool,
    /// How many `VolumeSnapshotClasses` of the driver are its default; `None` if that could not be seen. Unless it is one, a
    /// snapshot that names no class fails.
    pub defaults: Option<usize>,
    /// The driver of the `VolumeSnapshotClass`.
    pub snapshot_driver: Option<String>,
    /// `Delete` or `Retain` of the `VolumeSnapshotClass`.
    pub deletion_policy: Option<String>,
    /// The volume mode.
    pub volume_mode: VolumeMode,
    /// What the round trip does.
    pub mode: &'static Mode,
    /// The requested size.
    pub size_bytes: u64,
    /// What exists already and is restored from; `None` for data that the run writes.
    pub existing: Option<Existing>,
    /// Whether the run tries other sizes as well, so that this one has to be named.
    pub is_one_of_several_sizes: bool,
}

impl Target {
    /// One of these classes and modes, whose place in the plan is still to be said.
    fn of_classes(
        facts: &Facts,
        class: &ChosenStorageClass,
        snapshot_class: &ChosenSnapshotClass,
        volume_mode: VolumeMode,
        mode: &'static Mode,
        size_bytes: u64,
        is_one_of_several_sizes: bool,
    ) -> Self {
        let driver = class.driver.as_deref();
        let name = snapshot_class.name.as_deref();
        Self {
            index: 0,
            storage_class: class.name.clone(),
            driver: class.driver.clone(),
            binding_mode: class.binding_mode.clone(),
            reclaim_policy: class.reclaim_policy.clone(),
            snapshot_class: snapshot_class.name.clone(),
            needs_name: !mode.takes_group() && name.is_some_and(|name| !is_tried_unnamed(facts, driver, name)),
            defaults: defaults(facts, driver).filter(|_| !mode.takes_group()),
            snapshot_driver: snapshot_class.driver.clone(),
            deletion_policy: snapshot_class.deletion_policy.clone(),
            volume_mode,
            mode,
            size_bytes,
            existing: None,
            is_one_of_several_sizes,
        }
    }

    /// The name of what is restored from, if it is of this kind.
    #[must_use]
    pub fn existing_of(&self, given: Given) -> Option<&str> {
        let reference = &self.existing.as_ref()?.reference;
        (reference.given == given).then_some(reference.named.name.as_str())
    }

    /// Its size, where it has to be named.
    #[must_use]
    pub fn named_size(&self) -> Option<Quantity> {
        self.is_one_of_several_sizes.then_some(Quantity(self.size_bytes))
    }

    /// Whether its claims are bound at once. One whose mode could not be seen may wait for a consumer.
    #[must_use]
    pub fn binds_at_once(&self) -> bool {
        self.binding_mode.as_deref() == Some("Immediate")
    }

    /// Why a snapshot of these volumes would fail if it named no class, as this one does; `None` if it would not, or if that
    /// cannot be told.
    #[must_use]
    pub fn unnamed_fails(&self) -> Option<String> {
        self.snapshot_class.as_ref()?;
        match self.defaults? {
            0 => Some("the driver has no default class".to_owned()),
            1 => None,
            several => Some(format!("the driver has {several} default classes")),
        }
    }

    /// What diagnosis has to know of it.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            label: self.label(),
            storage_class: self.storage_class.clone(),
            driver: self.driver.clone(),
            snapshot_class: self.snapshot_class.clone(),
            volume_mode: self.volume_mode,
            origin: self.mode.origin(),
        }
    }

    /// What it is about, stable from run to run: `gp3 → gold, Block`, the mode unless it is plain, and the size if the run tries
    /// several.
    #[must_use]
    pub fn label(&self) -> String {
        let class = self.snapshot_class.as_deref().unwrap_or("default class");
        let volume_mode = match self.volume_mode {
            VolumeMode::Filesystem => "Filesystem",
            VolumeMode::Block => "Block",
        };
        let mode = if *self.mode == plain::MODE { String::new() } else { format!(", {}", self.mode.name) };
        let size = self.named_size().map(|size| format!(", {size}")).unwrap_or_default();
        format!("{} → {class}, {volume_mode}{mode}{size}", self.storage_class)
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No class was named, and the cluster has no default one.
    #[error("no StorageClass is the default; name one with --storage-class{}", those(.0))]
    NoDefaultStorageClass(Vec<String>),
    /// `--all` finds none.
    #[error("no StorageClass has a CSI driver{}", those(.0))]
    NoCsiStorageClass(Vec<String>),
    /// A named class is not there.
    #[error("StorageClass {name:?} does not exist{}", those(.existing))]
    UnknownStorageClass {
        /// The name.
        name: String,
        /// Those that exist.
        existing: Vec<String>,
    },
    /// A named class is not there.
    #[error("VolumeSnapshotClass {name:?} does not exist{}", those(.existing))]
    UnknownSnapshotClass {
        /// The name.
        name: String,
        /// Those that exist.
        existing: Vec<String>,
    },
    /// Which classes of the driver there are could not be seen, and all are to be tried.
    #[error("the VolumeSnapshotClasses of the driver could not be seen ({0}); name them with --snapshot-class")]
    SnapshotClassesUnseen(String),
    /// Which classes there are could not be seen, and none was named.
    #[error("StorageClasses could not be seen ({0}); name one with --storage-class")]
    StorageClassesUnseen(String),
    /// The image is not a reference to one.
    #[error("--image {image:?} is not an image reference: {reason}")]
    Image {
        /// What was given.
        image: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The size is no quantity.
    #[error("--size: {0}")]
    Size(#[from] QuantityError),
    /// The size is too small for the data.
    #[error(
        "--size {0} is too small, the data needs {MINIMUM_SIZE}; a number without a unit is a number of bytes, so write for example 10Gi"
    )]
    TooSmall(Quantity),
    /// A name is not one that Kubernetes accepts.
    #[error("{0:?} is not a name that Kubernetes accepts")]
    Name(String),
    /// A secret lies in a namespace, and a new one has none.
    #[error("--image-pull-secret needs --namespace: a namespace that the run makes has no secrets")]
    PullSecretWithoutNamespace,
    /// What exists cannot be restored from.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// What exists could not be seen.
    #[error("{0} could not be read: {1}")]
    ExistingUnseen(String, String),
    /// The `StorageClass` is another driver's than what exists.
    #[error(
        "StorageClass {class:?} is of driver {provisioner}, but {object} is of driver {driver}: no driver restores the snapshot of another; name a StorageClass of {driver} with --storage-class"
    )]
    OtherDriver {
        /// The class.
        class: String,
        /// Its driver.
        provisioner: String,
        /// What exists.
        object: String,
        /// Its driver.
        driver: String,
    },
    /// No `StorageClass` of what exists is left, and none can be chosen.
    #[error("which StorageClass {0} has cannot be told, or it does not exist any more; name one of its driver with --storage-class{those}", those = those(.1))]
    NoStorageClassOf(String, Vec<String>),
    /// The size of a snapshot is not known.
    #[error("{0} does not say how large it is (status.restoreSize); name the size of its volume with --size")]
    UnknownSize(String),
    /// It has another volume mode.
    #[error("{0} is of volume mode {1:?}; leave --volume-mode out")]
    OtherVolumeMode(String, VolumeMode),
}

impl PlanError {
    /// Whether the call was wrong, rather than the cluster.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::NoDefaultStorageClass(_)
                | Self::NoCsiStorageClass(_)
                | Self::StorageClassesUnseen(_)
                | Self::ExistingUnseen(..)
                | Self::SnapshotClassesUnseen(_)
        )
    }
}

fn those(names: &[String]) -> String {
    if names.is_empty() { String::from("; there is none") } else { format!("; there are: {}", names.join(", ")) }
}

impl Plan {
    /// Decides what to do. Nothing that is created is named by the cluster: all names follow from the run's id.
    pub fn new(selection: &Selection, facts: &Facts, run: RunId, expires_at: Timestamp) -> Result<Self, PlanError> {
        let Asked { sizes, .. } = selection.asked()?;
        let volume_modes = volume_modes(&selection.volume_modes);
        let modes = modes(&selection.modes, asked(facts));
        let mut targets = Vec::new();
        let storage_classes = storage_classes(selection, facts)?;
        let snapshot_classes = snapshot_classes(selection, facts, &storage_classes)?;
        for (class, snapshot_classes) in storage_classes.iter().zip(snapshot_classes) {
            let group_class = group_class(facts, class);
            for (place, snapshot_class) in snapshot_classes.into_iter().enumerate() {
                for volume_mode in &volume_modes {
                    // One that takes no snapshot of a class is the same with all.
                    for mode in modes.iter().filter(|mode| place == 0 || mode.takes_snapshot_class()) {
                        let snapshot_class = if mode.takes_group() { &group_class } else { &snapshot_class };
                        targets.extend(sizes.iter().map(|size| {
                            let several = sizes.len() > 1;
                            Target::of_classes(facts, class, snapshot_class, *volume_mode, mode, size.0, several)
                        }));
                    }
                }
            }
        }
        Self::of_targets(selection, facts, run, expires_at, targets)
    }

    /// A plan of these targets, in this order.
    fn of_targets(
        selection: &Selection,
        facts: &Facts,
        run: RunId,
        expires_at: Timestamp,
        mut targets: Vec<Target>,
    ) -> Result<Self, PlanError> {
        let Asked { image, .. } = selection.asked()?;
        for (index, target) in targets.iter_mut().enumerate() {
            target.index = index;
        }
        Ok(Self {
            namespace: selection.namespace.clone().unwrap_or_else(|| format!("snapready-{run}")),
            own_namespace: selection.namespace.is_none(),
            image,
            image_pull_secret: selection.image_pull_secret.clone(),
            node_selector: selection.node_selector.clone(),
            zones: zones(facts),
            user: (!assigns_users(facts)).then_some(NOBODY),
            force: selection.force,
            run,
            expires_at,
            targets,
        })
    }
}

/// The size to request for the restored volume: drivers refuse less than the snapshot holds, and less than the source
/// has. `restore_size` is the `VolumeSnapshot`'s, `capacity` the source claim's, both from the status.
pub fn restore_size(request: u64, restore_size: Option<&str>, capacity: Option<&str>) -> Result<u64, QuantityError> {
    let mut bytes = request;
    for text in restore_size.iter().chain(&capacity) {
        bytes = bytes.max(text.parse::<Quantity>()?.0);
    }
    Ok(bytes)
}

fn zones(facts: &Facts) -> BTreeMap<String, String> {
    let nodes = facts.nodes.seen().into_iter().flatten();
    nodes.filter_map(|node| Some((node.metadata.name.clone(), node.metadata.labels.get(ZONE_LABEL)?.clone()))).collect()
}

fn volume_modes(chosen: &[VolumeMode]) -> Vec<VolumeMode> {
    if chosen.is_empty() {
        return vec![VolumeMode::Filesystem, VolumeMode::Block];
    }
    let mut modes = chosen.to_vec();
    modes.sort_unstable();
    modes.dedup();
    modes
}

/// Those that were chosen, each once, in the order in which they are listed; else those that do what these products do.
pub fn modes(chosen: &[&'static Mode], products: impl IntoIterator<Item = &'static Product>) -> Vec<&'static Mode> {
    if !chosen.is_empty() {
        return MODES.iter().copied().filter(|mode| chosen.contains(mode)).collect();
    }
    let names: Vec<&str> = products.into_iter().flat_map(|product| product.rehearsals).map(|one| one.mode).collect();
    MODES.iter().copied().filter(|mode| **mode == plain::MODE || names.contains(&mode.name)).collect()
}

fn image(text: &str) -> Result<String, PlanError> {
    let wrong = |reason: String| PlanError::Image { image: text.chars().take(200).collect(), reason };
    if !text.is_ascii() {
        return Err(wrong("it has characters other than ASCII".to_owned()));
    }
    let reference: Result<Reference, _> = text.parse();
    reference.map(|reference| reference.whole()).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests;
