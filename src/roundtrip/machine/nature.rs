//! What the walk knows of a mode's objects, and the machine does not: how they behave in a cluster, and what must hold of
//! them. Stated by each mode, on its own, so that what judges the machine does not read what the machine computes.

use crate::roundtrip::ledger::Progress;
use crate::roundtrip::program::ObjectId;

/// One step in an object's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Growth {
    pub(crate) object: ObjectId,
    pub(crate) from: Progress,
    pub(crate) to: Progress,
    /// Only once it is being deleted.
    pub(crate) on_deletion: bool,
}

impl Growth {
    pub(crate) const fn new(object: ObjectId, from: Progress, to: Progress) -> Self {
        Self { object, from, to, on_deletion: false }
    }

    pub(crate) const fn on_deletion(object: ObjectId, from: Progress, to: Progress) -> Self {
        Self { object, from, to, on_deletion: true }
    }
}

/// A snapshot in the storage, and who answers for it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// It is there when this is done, and its content, unless that was taken over, takes it with it.
    pub(crate) by: (ObjectId, ObjectId),
    /// When this is done, that content takes it with it, too.
    pub(crate) then: (ObjectId, ObjectId),
}

/// How a mode's objects behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nature {
    pub(crate) grows: &'static [Growth],
    /// An object begins to grow only while the other is there and stays.
    pub(crate) fed_by: &'static [(ObjectId, ObjectId)],
    /// A claim that is not bound at once is bound as soon as one of these pods is there.
    pub(crate) bound_for: &'static [(ObjectId, &'static [ObjectId])],
    /// Kubernetes keeps a claim as long as one of these pods is there.
    pub(crate) used_by: &'static [(ObjectId, &'static [ObjectId])],
    /// An object that is done has a controller make another, which goes with it.
    pub(crate) brings: &'static [(ObjectId, ObjectId)],
    /// An object takes another with it, although the run created that.
    pub(crate) takes: &'static [(ObjectId, ObjectId)],
    /// The snapshot in the storage, where more than one content knows of it.
    pub(crate) stored: Option<Stored>,
    /// A pass has to have these done.
    pub(crate) proof: &'static [ObjectId],
    /// While one of these is there, the object must not be deleted, unless there is no time left.
    pub(crate) outlived_by: &'static [(ObjectId, &'static [ObjectId])],
    /// While the round trip still runs, the object may go although one of these is there.
    pub(crate) may_leave: &'static [(ObjectId, &'static [ObjectId])],
    /// A pass has to have these gone.
    pub(crate) gone: &'static [ObjectId],
    /// A pass has to have these gone, or asked to go.
    pub(crate) asked_to_go: &'static [ObjectId],
    /// Of which objects foreign ones are tried; the rest would be the same again.
    pub(crate) foreign: &'static [ObjectId],
    /// How many things go wrong at most on one path of the walks that every test run makes: (own namespace, given one).
    pub(crate) trouble: (u8, u8),
}

impl Nature {
    /// Whether all walks are made. Where any of the objects may be there or gone (clean-ups that give up their order, runs that are
    /// killed), and with two round trips, a mode with many objects, in which nothing goes wrong either, would have too many states.
    pub(crate) const fn is_walked_whole(&self) -> bool {
        self.trouble.1 > 0
    }
}
