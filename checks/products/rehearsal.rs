//! What backup products do with snapshots, each as the mode of the round trip that does the same.

/// Something that a product does with snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rehearsal {
    /// The mode of the round trip that does the same.
    pub mode: &'static str,
    /// What the product does, after its name.
    pub does: &'static str,
}

/// Every product that takes CSI snapshots.
pub(super) const SNAPSHOT: Rehearsal =
    Rehearsal { mode: "plain", does: "takes snapshots of volumes in use, to make new volumes from them" };
/// The volume is lost, and comes back from its snapshot.
pub(super) const LOST: Rehearsal =
    Rehearsal { mode: "source-gone", does: "is there to bring back volumes that are lost" };
/// The snapshot is imported by its handle.
pub(super) const IMPORTED: Rehearsal =
    Rehearsal { mode: "other-namespace", does: "makes the VolumeSnapshot anew from its handle, and restores it" };
/// One snapshot after another, of which the older goes.
pub(super) const RETENTION: Rehearsal =
    Rehearsal { mode: "twice", does: "takes one snapshot after another and deletes the older ones" };
/// No pod has the volume.
pub(super) const STOPPED: Rehearsal =
    Rehearsal { mode: "unmounted", does: "takes snapshots of volumes that no pod uses" };

/// Of those that copy the data out of the snapshot, and restore the copy.
pub(super) const COPIES: &[Rehearsal] = &[SNAPSHOT];
/// Of those that restore in the namespace of the snapshot.
pub(super) const IN_PLACE: &[Rehearsal] = &[SNAPSHOT, LOST];
/// Of those that restore anywhere.
pub(super) const ANYWHERE: &[Rehearsal] = &[SNAPSHOT, LOST, IMPORTED];
/// Of those that take snapshots on a schedule, and delete them after a time.
pub(super) const SCHEDULED: &[Rehearsal] = &[SNAPSHOT, LOST, RETENTION];
