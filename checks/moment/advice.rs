//! What may be tried to find out more, or to get past a fault. It is symbolic: who made a round trip calls it by the flags
//! of a round trip, who looks at somebody else's snapshot by others, or not at all.

/// Something to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// The same once more, with its objects left in the cluster if it fails: a fix is read after the clean-up, when they
    /// are gone.
    Again,
    /// Another size of the volume.
    Size,
    /// Another image for the pods.
    Image,
    /// Another `StorageClass`.
    StorageClass,
    /// A `VolumeSnapshotClass` that fits; `None` if its name is not known.
    SnapshotClass(Option<String>),
    /// A namespace that exists.
    Namespace,
    /// More time for the snapshot.
    SnapshotTime,
    /// One volume at a time.
    OneAtATime,
    /// The rights that are needed.
    Rights,
    /// Removing what earlier runs left.
    CleanUp,
    /// Going on although objects will be left.
    Force,
}
