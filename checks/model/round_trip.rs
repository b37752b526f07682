//! The words of a round trip: its steps, the volume's mode, what the restored data is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The container of the source pod: it writes, holds the volume, and overwrites it on TERM.
pub const WRITE_CONTAINER: &str = "write";
/// The container of a pod that writes, and exits.
pub const FILL_CONTAINER: &str = "fill";
/// The container of a pod that overwrites, and exits.
pub const OVERWRITE_CONTAINER: &str = "overwrite";
/// The container of the reader pod that reads.
pub const READ_CONTAINER: &str = "read";

/// How a volume is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum VolumeMode {
    /// With a file system.
    Filesystem,
    /// As a raw device.
    Block,
}

/// Which user the pods of a round trip run as. None of them has a capability, and none may get more rights than it
/// starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PodUser {
    /// Root without capabilities, which the Pod Security level *baseline* allows: it opens the devices that belong to
    /// root.
    Root,
    /// Not root, and in the group that devices belong to where the nodes have udev. The level *restricted* allows it.
    DiskGroup,
    /// Not root. The level *restricted* allows it.
    NonRoot,
}

impl PodUser {
    /// What is tried for volumes of this mode, the first that admission allows is taken: a raw device keeps the owner
    /// that it has on its node, so that only some users can open it.
    #[must_use]
    pub const fn tried(mode: VolumeMode) -> &'static [Self] {
        match mode {
            VolumeMode::Filesystem => &[Self::NonRoot],
            VolumeMode::Block => &[Self::Root, Self::DiskGroup, Self::NonRoot],
        }
    }

    /// The highest Pod Security level that allows it.
    #[must_use]
    pub const fn level(self) -> &'static str {
        match self {
            Self::Root => "baseline",
            Self::DiskGroup | Self::NonRoot => "restricted",
        }
    }
}

/// What the volume is made from whose data is compared with its source's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A `VolumeSnapshot` of the source.
    #[default]
    VolumeSnapshot,
    /// The source itself, of which it is a clone.
    Volume,
}

/// What the restored data is, compared with what was written before the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataVerdict {
    /// What was written before the snapshot, and nothing else.
    Intact,
    /// What the source was overwritten with later: the live volume was copied.
    LiveData,
    /// Nothing: no file, or only zeros.
    Empty,
    /// A file system that was made anew.
    FreshlyFormatted,
    /// The data ends early.
    Truncated,
    /// Some of it is not what was written.
    Corrupted,
    /// Another run's data, or nobody's that snapready knows.
    WrongVolume,
    /// There is data, and it can be read. What it should be is not known: the run has not written it.
    Readable,
}

impl DataVerdict {
    /// Whether nothing is wrong with the data, as far as can be known.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Intact | Self::Readable)
    }
}

/// What was found in a restored volume whose data the run has not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// How large the volume is, in bytes: its file system, or the device.
    pub size: u64,
    /// Regular files that were seen; absent for a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Folders that were seen, that of the volume itself apart; absent for a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folders: Option<u64>,
    /// How many bytes of data there are: the sum of the sizes of the files that were seen; for a device, those of the bytes read that
    /// are not zero.
    pub bytes: u64,
    /// How many bytes were read.
    pub read: u64,
    /// Whether the reading came to the end before its time was up.
    pub read_to_end: bool,
    /// Files and folders that the pod's user may not open.
    #[serde(default)]
    pub closed: u64,
}

/// The steps of a round trip, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// Everything that will be created is asked for as a dry run.
    Admission,
    /// The source volume is provisioned, and its pod has started.
    Provision,
    /// The pod has written the data.
    Write,
    /// The snapshot is ready to use.
    Snapshot,
    /// The source has been overwritten after the snapshot.
    Overwrite,
    /// The restored volume is bound, and its pod has started.
    Restore,
    /// The restored data has been read and compared.
    Verify,
    /// Everything that was created is gone.
    Cleanup,
}

impl StepId {
    /// All steps, in order.
    pub const ALL: [Self; 8] = [
        Self::Admission,
        Self::Provision,
        Self::Write,
        Self::Snapshot,
        Self::Overwrite,
        Self::Restore,
        Self::Verify,
        Self::Cleanup,
    ];

    /// Its word in reports and in `--step-timeout`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Provision => "provision",
            Self::Write => "write",
            Self::Snapshot => "snapshot",
            Self::Overwrite => "overwrite",
            Self::Restore => "restore",
            Self::Verify => "verify",
            Self::Cleanup => "cleanup",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Admission => "ask admission",
            Self::Provision => "provision source",
            Self::Write => "write data",
            Self::Snapshot => "take snapshot",
            Self::Overwrite => "overwrite source",
            Self::Restore => "restore",
            Self::Verify => "verify data",
            Self::Cleanup => "clean up",
        }
    }
}
