//! The objects of a round trip, as data.

use std::borrow::Cow;

use crate::model::Kind;

/// An object of a program: its place in [`super::Program::objects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(u16);

impl ObjectId {
    /// The object with this place.
    #[must_use]
    pub const fn new(place: u16) -> Self {
        Self(place)
    }

    /// Its place.
    #[must_use]
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// Where an object lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lies {
    /// In the cluster.
    Cluster,
    /// In this namespace, which is an object of the program like others: it is gone when the namespace is.
    In(ObjectId),
}

/// The field that says whether an object of a controller stays when what it was made for goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// A `PersistentVolume`'s reclaim policy.
    Reclaim,
    /// The deletion policy of a `VolumeSnapshotContent` or a `VolumeGroupSnapshotContent`.
    Deletion,
}

impl Policy {
    /// Where the policy stands.
    #[must_use]
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::Reclaim => "/spec/persistentVolumeReclaimPolicy",
            Self::Deletion => "/spec/deletionPolicy",
        }
    }
}

/// Who creates an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The run, if an act of the program says so. A namespace that no act creates is given.
    Run,
    /// A controller, on behalf of an object of the run. It goes with that object, unless its policy retains it.
    Controller {
        /// What it is made for.
        of: ObjectId,
        /// What may retain it.
        policy: Policy,
    },
    /// The snapshot-controller, as the member of a group for one of its claims. Its name tells nothing: it is found in a list. It goes
    /// with the group.
    Group {
        /// The group.
        of: ObjectId,
        /// The claim.
        claim: ObjectId,
    },
}

/// What an object does in the round trip, as far as its kind does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// What its kind does.
    Exist,
    /// A pod for whose sake this claim is bound.
    Consume(ObjectId),
    /// A pod that writes the data, holds the volume, and overwrites it when it is deleted.
    Write,
    /// The same, and until then it writes record after record to a journal.
    Record,
    /// A pod that writes the data and exits.
    Fill,
    /// A pod that overwrites the data and exits.
    Overwrite,
    /// A pod that reads restored data.
    Read,
    /// A pod that reads restored data, and how large the volume is.
    ReadSized,
    /// A pod that reads restored data, and the journal.
    ReadJournal,
    /// A pod that looks at restored data that the run has not written.
    Look,
}

/// An object of a round trip.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    /// Its place in the program.
    pub id: ObjectId,
    /// The word in its name and in the component label. Clean-ups of later versions know an object by it.
    pub word: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Where it lies.
    pub lies: Lies,
    /// Who creates it.
    pub by: By,
    /// What it does.
    pub task: Task,
    /// For a pod: which of the round trip's data it works with, where there are several.
    pub data: usize,
    /// What has to exist as long as it does, its namespace apart. The order of deletion follows from it.
    pub needs: Cow<'static, [ObjectId]>,
    /// All round trips of a run have it in common: it is created by the first and deleted after the last.
    pub shared: bool,
}

impl Object {
    /// A namespace, which all round trips of a run have in common.
    #[must_use]
    pub const fn space(id: ObjectId, word: &'static str) -> Self {
        Self {
            id,
            word,
            kind: Kind::NAMESPACE,
            lies: Lies::Cluster,
            by: By::Run,
            task: Task::Exist,
            data: 0,
            needs: Cow::Borrowed(&[]),
            shared: true,
        }
    }

    /// A namespace of this round trip alone.
    #[must_use]
    pub const fn own_space(id: ObjectId, word: &'static str) -> Self {
        Self::created(id, word, Kind::NAMESPACE, Lies::Cluster, &[])
    }

    /// An object that the run creates.
    #[must_use]
    pub const fn created(id: ObjectId, word: &'static str, kind: Kind, lies: Lies, needs: &'static [ObjectId]) -> Self {
        let needs = Cow::Borrowed(needs);
        Self { id, word, kind, lies, by: By::Run, task: Task::Exist, data: 0, needs, shared: false }
    }

    /// A cluster-scoped object that a controller makes for another object.
    #[must_use]
    pub const fn derived(id: ObjectId, word: &'static str, kind: Kind, of: ObjectId, policy: Policy) -> Self {
        let by = By::Controller { of, policy };
        let needs = Cow::Borrowed(&[] as &[ObjectId]);
        Self { id, word, kind, lies: Lies::Cluster, by, task: Task::Exist, data: 0, needs, shared: false }
    }

    /// The `VolumeSnapshot` of this claim that a controller makes as a member of a group.
    #[must_use]
    pub const fn member(id: ObjectId, word: &'static str, lies: Lies, of: ObjectId, claim: ObjectId) -> Self {
        let by = By::Group { of, claim };
        let needs = Cow::Borrowed(&[] as &[ObjectId]);
        Self { id, word, kind: Kind::VOLUME_SNAPSHOT, lies, by, task: Task::Exist, data: 0, needs, shared: false }
    }

    /// Whether it is a pod that holds the volume, and overwrites the data when it is deleted.
    #[must_use]
    pub const fn holds(&self) -> bool {
        matches!(self.task, Task::Write | Task::Record)
    }

    /// The same, which does this.
    #[must_use]
    pub fn doing(mut self, task: Task) -> Self {
        self.task = task;
        self
    }

    /// The same, which works with these data.
    #[must_use]
    pub fn with_data(mut self, data: usize) -> Self {
        self.data = data;
        self
    }

    /// What it was made for, if a controller makes it.
    #[must_use]
    pub const fn maker(&self) -> Option<ObjectId> {
        match self.by {
            By::Run => None,
            By::Controller { of, .. } | By::Group { of, .. } => Some(of),
        }
    }
}
