//! What a round trip does, as data.

use super::ObjectId;
use crate::roundtrip::ledger::Progress;

/// One thing that a round trip does, and waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// The dry run of what all round trips have in common is allowed.
    AdmitShared,
    /// The dry run of all other objects is allowed.
    Admit,
    /// The object exists.
    Create(ObjectId),
    /// The object has come that far.
    Await(ObjectId, Progress),
    /// The same, while a pod holds the source. In the end that pod is looked for by name, as a watch may be behind.
    AwaitHeld {
        /// What is waited for.
        object: ObjectId,
        /// How far it has to come.
        progress: Progress,
        /// The pod.
        holder: ObjectId,
    },
    /// The claim of this consumer is bound, and the consumer has gone, if it was needed.
    Bind(ObjectId),
    /// The writer was deleted, and has overwritten the source.
    Release(ObjectId),
    /// What a controller made stays when what it was made for goes, and carries the run's labels: from now on the run deletes it.
    TakeOver(ObjectId),
    /// The object was deleted and has gone, before the clean-up.
    Remove(ObjectId),
    /// The object was asked to go, before the clean-up, and may still be there.
    Delete(ObjectId),
    /// The object, or what a controller made with what it was made for, has gone; or it stays as its policy says; or it has had its
    /// time.
    AwaitGone(ObjectId),
}

impl Act {
    /// The object that it creates.
    #[must_use]
    pub const fn creates(self) -> Option<ObjectId> {
        match self {
            Self::Create(object) | Self::Bind(object) => Some(object),
            Self::AdmitShared
            | Self::Admit
            | Self::Await(..)
            | Self::AwaitHeld { .. }
            | Self::Release(_)
            | Self::TakeOver(_)
            | Self::Remove(_)
            | Self::Delete(_)
            | Self::AwaitGone(_) => None,
        }
    }
}
