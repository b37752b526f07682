//! Which round trips a run makes, and with what: decided before anything is created.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use oci_spec::distribution::Reference;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::{StorageClass, VolumeSnapshotClass};
use snapready_checks::model::probe::Missing;

use super::quantity::{Quantity, QuantityError};
use crate::report::document::VolumeMode;

/// A small public image that has a shell and all tools; `--image` names a mirror's.
pub const DEFAULT_IMAGE: &str = "docker.io/library/busybox:1.36";
/// 1 GiB: what most drivers take as their least (EBS, Azure and `DigitalOcean` have 1 GiB, XFS needs 300 MiB), and what
/// costs next to nothing for the minutes that it lives. Drivers with a larger minimum (10 GiB at some clouds) either
/// round up or refuse, and the refusal is answered with `--size`.
pub const DEFAULT_SIZE: Quantity = Quantity(1 << 30);
/// 32 MiB: the data, its overwritten copy and a journal have to fit.
pub const MINIMUM_SIZE: Quantity = Quantity(32 << 20);
/// Without a class of its own choosing, a user that every image runs as.
const NOBODY: i64 = 65_534;

/// Six hexadecimal digits that name a run and everything that it creates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

/// A text is not six hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a run id: it has six hexadecimal digits, like 7f3a9c")]
pub struct InvalidRunId(String);

impl RunId {
    /// The id that three random bytes give.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 3]) -> Self {
        let [a, b, c] = bytes;
        Self(format!("{a:02x}{b:02x}{c:02x}"))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 6 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRunId(text.chars().take(40).collect()))
        }
    }
}

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// `StorageClasses` by name; none is the default class.
    pub storage_classes: Vec<String>,
    /// Every `StorageClass` with a CSI driver.
    pub all: bool,
    /// The `VolumeSnapshotClass` for every target; `None` leaves the choice to Kubernetes' rule.
    pub snapshot_class: Option<String>,
    /// Volume modes; none is both.
    pub volume_modes: Vec<VolumeMode>,
    /// The size to request; see [`DEFAULT_SIZE`].
    pub size: Option<String>,
    /// The image of all pods; see [`DEFAULT_IMAGE`].
    pub image: Option<String>,
    /// A secret in `namespace` to pull the image with.
    pub image_pull_secret: Option<String>,
    /// A namespace that exists; `None` makes one.
    pub namespace: Option<String>,
    /// Labels that the pods' node must have.
    pub node_selector: Vec<(String, String)>,
    /// Leave the user id of pods to the cluster: `OpenShift` assigns one per namespace and refuses any other.
    pub cluster_assigns_user: bool,
}

impl Selection {
    /// What it asks for, as far as no cluster is needed to tell.
    pub fn asked(&self) -> Result<Asked, PlanError> {
        let size = self.size.as_deref().map_or(Ok(DEFAULT_SIZE), str::parse)?;
        if size < MINIMUM_SIZE {
            return Err(PlanError::TooSmall(size));
        }
        let names = self.namespace.iter().chain(&self.snapshot_class).chain(&self.storage_classes);
        if let Some(name) = names.chain(&self.image_pull_secret).find(|name| !is_name(name)) {
            return Err(PlanError::Name(name.chars().take(80).collect()));
        }
        if self.image_pull_secret.is_some() && self.namespace.is_none() {
            return Err(PlanError::PullSecretWithoutNamespace);
        }
        // The default is known to be one; the expression that all others are matched with is large.
        let image = self.image.as_deref().map_or_else(|| Ok(DEFAULT_IMAGE.to_owned()), image)?;
        Ok(Asked { size, image })
    }
}

/// What a [`Selection`] asks for, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The size to request.
    pub size: Quantity,
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
    /// User and group of all pods; `None` leaves them to the cluster.
    pub user: Option<i64>,
    /// When everything that the run creates counts as left behind.
    pub expires_at: Timestamp,
    /// The round trips, in order; at least one.
    pub targets: Vec<Target>,
}

/// One round trip: one `StorageClass`, one `VolumeSnapshotClass`, one volume mode.
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
    /// The `VolumeSnapshotClass`; `None` if Kubernetes' rule chooses none. Then the `VolumeSnapshot` names none either, as a
    /// backup product's would, and the cluster's answer decides.
    pub snapshot_class: Option<String>,
    /// The driver of the `VolumeSnapshotClass`.
    pub snapshot_driver: Option<String>,
    /// `Delete` or `Retain` of the `VolumeSnapshotClass`.
    pub deletion_policy: Option<String>,
    /// The volume mode.
    pub volume_mode: VolumeMode,
    /// The requested size.
    pub size_bytes: u64,
}

impl Target {
    /// What it is about, stable from run to run: `gp3 → gold, Block`.
    #[must_use]
    pub fn label(&self) -> String {
        let class = self.snapshot_class.as_deref().unwrap_or("default class");
        let mode = match self.volume_mode {
            VolumeMode::Filesystem => "Filesystem",
            VolumeMode::Block => "Block",
        };
        format!("{} → {class}, {mode}", self.storage_class)
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
}

impl PlanError {
    /// Whether the call was wrong, rather than the cluster.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::NoDefaultStorageClass(_) | Self::NoCsiStorageClass(_) | Self::StorageClassesUnseen(_))
    }
}

fn those(names: &[String]) -> String {
    if names.is_empty() { String::from("; there is none") } else { format!("; there are: {}", names.join(", ")) }
}

impl Plan {
    /// Decides what to do. Nothing that is created is named by the cluster: all names follow from the run's id.
    pub fn new(selection: &Selection, facts: &Facts, run: RunId, expires_at: Timestamp) -> Result<Self, PlanError> {
        let Asked { size, image } = selection.asked()?;
        let modes = modes(&selection.volume_modes);
        let mut targets = Vec::new();
        for class in storage_classes(selection, facts)? {
            let snapshot_class = snapshot_class(selection, facts, class.driver.as_deref())?;
            for volume_mode in &modes {
                targets.push(Target {
                    index: targets.len(),
                    storage_class: class.name.clone(),
                    driver: class.driver.clone(),
                    binding_mode: class.binding_mode.clone(),
                    reclaim_policy: class.reclaim_policy.clone(),
                    snapshot_class: snapshot_class.name.clone(),
                    snapshot_driver: snapshot_class.driver.clone(),
                    deletion_policy: snapshot_class.deletion_policy.clone(),
                    volume_mode: *volume_mode,
                    size_bytes: size.0,
                });
            }
        }
        Ok(Self {
            namespace: selection.namespace.clone().unwrap_or_else(|| format!("snapready-{run}")),
            own_namespace: selection.namespace.is_none(),
            image,
            image_pull_secret: selection.image_pull_secret.clone(),
            node_selector: selection.node_selector.clone(),
            user: (!selection.cluster_assigns_user).then_some(NOBODY),
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

/// Whether a text can be the name of a Kubernetes object (a DNS subdomain), and so stand in a command.
pub(super) fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn modes(chosen: &[VolumeMode]) -> Vec<VolumeMode> {
    if chosen.is_empty() {
        return vec![VolumeMode::Filesystem, VolumeMode::Block];
    }
    let mut modes = chosen.to_vec();
    modes.sort_unstable();
    modes.dedup();
    modes
}

fn image(text: &str) -> Result<String, PlanError> {
    let wrong = |reason: String| PlanError::Image { image: text.chars().take(200).collect(), reason };
    if !text.is_ascii() {
        return Err(wrong("it has characters other than ASCII".to_owned()));
    }
    let reference: Result<Reference, _> = text.parse();
    reference.map(|reference| reference.whole()).map_err(|error| wrong(error.to_string()))
}

struct ChosenStorageClass {
    name: String,
    driver: Option<String>,
    binding_mode: Option<String>,
    reclaim_policy: Option<String>,
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

fn storage_classes(selection: &Selection, facts: &Facts) -> Result<Vec<ChosenStorageClass>, PlanError> {
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
            classes.iter().filter(|class| is_csi(facts, &class.provisioner)).map(Into::into).collect();
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

/// Kubernetes' rule for `StorageClasses`: of several default ones the newest; of equally old ones the first by name.
fn default_storage_class(classes: &[StorageClass]) -> Option<&StorageClass> {
    const KEYS: [&str; 2] =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    let annotated = |class: &&StorageClass| {
        KEYS.iter().any(|key| class.metadata.annotations.get(*key).is_some_and(|value| value == "true"))
    };
    classes.iter().filter(annotated).max_by(|a, b| {
        let (a, b) = (&a.metadata, &b.metadata);
        a.creation_timestamp.cmp(&b.creation_timestamp).then_with(|| b.name.cmp(&a.name))
    })
}

/// A provisioner is a CSI driver if it is registered as one. In-tree provisioners and those of their own kind are not.
fn is_csi(facts: &Facts, provisioner: &str) -> bool {
    let drivers = facts.csi_drivers.seen();
    let nodes = facts.csi_nodes.seen();
    if drivers.is_none() && nodes.is_none() {
        return !provisioner.starts_with("kubernetes.io/");
    }
    let registered = drivers.is_some_and(|drivers| drivers.iter().any(|driver| driver.metadata.name == provisioner));
    let on_a_node = |nodes: &Vec<_>| {
        nodes.iter().any(|node: &snapready_checks::model::kubernetes::CsiNode| {
            node.spec.drivers.iter().any(|driver| driver.name == provisioner)
        })
    };
    registered || nodes.is_some_and(on_a_node)
}

#[derive(Default)]
struct ChosenSnapshotClass {
    name: Option<String>,
    driver: Option<String>,
    deletion_policy: Option<String>,
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

fn snapshot_class(
    selection: &Selection,
    facts: &Facts,
    driver: Option<&str>,
) -> Result<ChosenSnapshotClass, PlanError> {
    let classes = facts.volume_snapshot_classes.seen();
    let Some(name) = &selection.snapshot_class else {
        let chosen =
            classes.zip(driver).and_then(|(classes, driver)| super::knowledge::default_snapshot_class(classes, driver));
        return Ok(chosen.map(Into::into).unwrap_or_default());
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

#[cfg(test)]
mod tests;
