//! What goes into the machine and what comes out of it.

use crate::model::{PodUser, StepId};
use crate::roundtrip::ledger::{Item, Progress, Uid};

/// Whether objects are left in the cluster on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Keep {
    /// Everything is removed.
    #[default]
    Never,
    /// What a failed round trip made is kept; an interrupted one has not failed.
    OnFailure,
    /// Everything is kept.
    Always,
}

/// What a run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Settings {
    /// What is kept.
    pub keep: Keep,
    /// How many round trips run at a time; at least one.
    pub parallel: usize,
}

/// How a round trip ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The restored data was read, and is intact.
    Passed,
    /// It is certain that it fails; the driver knows why.
    Certain,
    /// A step, or the run, took too long.
    TimedOut,
    /// A signal came.
    Interrupted,
    /// The dry run was refused.
    NotAdmitted,
    /// The API server refused to create this object, or a foreign one has its name.
    Refused(Item),
    /// This object could not be created: no answer was ever clear.
    Unmade(Item),
    /// Somebody else deleted this object.
    Vanished(Item),
    /// This object was to go before the clean-up, and has not gone in time.
    Stayed(Item),
}

/// What came of a create.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CreateAnswer {
    /// It was created.
    Created(Uid),
    /// An object of this name exists: ours from an earlier try, or a foreign one.
    AlreadyExists,
    /// Certainly not created, and trying again would not help.
    Refused,
    /// Certainly not created, because the request was not processed: no connection, or too many requests.
    NotProcessed,
    /// Perhaps created, now or later: time-out, connection lost, 5xx.
    Unclear,
}

/// What came of a delete. The driver repeats it until it has one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeleteAnswer {
    /// It is going, or gone.
    Accepted,
    /// No object of this name and UID exists.
    Absent,
    /// An object of this name with another UID exists.
    OtherUid,
    /// The API server refuses.
    Denied,
}

/// What was seen of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sight {
    /// It exists and carries this run's label (or was made by a controller for an object that does).
    Ours {
        /// Its UID.
        uid: Uid,
        /// How far it has come.
        progress: Progress,
        /// Whether it was asked to go.
        deleting: bool,
        /// Whether it stays if what it was made for has gone. A watch may be behind, so only a look tells.
        retained: bool,
    },
    /// An object of this name exists that is not ours.
    Foreign {
        /// Its UID.
        uid: Uid,
    },
    /// Asked for by name, it is not there.
    Absent,
    /// A watch saw it go.
    Gone {
        /// Its UID.
        uid: Uid,
    },
    /// The right to look is missing.
    Unreadable,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// The run begins.
    Start,
    /// The dry run of a round trip's objects (`None`: of what all have in common) was answered.
    Admitted {
        /// Which round trip.
        trip: Option<usize>,
        /// Whether all of them may be created, and what the pods then run as.
        user: Option<PodUser>,
    },
    /// A create was answered.
    Created {
        /// Which object.
        item: Item,
        /// The answer.
        answer: CreateAnswer,
    },
    /// It is time for another try of a create that was not processed.
    Retry {
        /// Which object.
        item: Item,
    },
    /// A delete was answered.
    Deleted {
        /// Which object.
        item: Item,
        /// The answer.
        answer: DeleteAnswer,
    },
    /// A look by name, as the machine commanded it, was answered.
    Asked {
        /// Which object.
        item: Item,
        /// The answer.
        sight: Sight,
    },
    /// A watch saw something.
    Seen {
        /// Which object.
        item: Item,
        /// What it saw; never [`Sight::Absent`].
        sight: Sight,
    },
    /// So much time has passed since the last create of this object was sent that none can take effect any more.
    CannotComeAnyMore {
        /// Which object.
        item: Item,
    },
    /// It is certain that a round trip fails.
    Certain {
        /// Which round trip.
        trip: usize,
    },
    /// A step took too long.
    TimedOut {
        /// Which round trip.
        trip: usize,
        /// Which step; ignored if it is over.
        step: StepId,
    },
    /// What a controller made has had enough time to go with what it was made for.
    HadItsTime {
        /// Which object.
        item: Item,
    },
    /// The run took too long.
    RunTimedOut,
    /// So much of a clean-up's budget is spent that the order of deletion no longer matters.
    Hurry {
        /// Which round trip.
        trip: usize,
    },
    /// The budget of a round trip's clean-up (`None`: of that of what all have in common) is spent.
    BudgetSpent {
        /// Which round trip.
        trip: Option<usize>,
    },
    /// A signal came.
    Signal,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    /// Ask for all objects of a round trip (`None`: for what all have in common) as a dry run, until they are allowed
    /// with pods that run as one of the users that may be tried.
    DryRun {
        /// Which round trip.
        trip: Option<usize>,
    },
    /// Create an object. Not to be repeated by the driver.
    Create {
        /// Which object.
        item: Item,
    },
    /// After a pause, answer with [`Input::Retry`].
    RetryLater {
        /// Which object.
        item: Item,
    },
    /// Look for an object by its name; after a pause, if it is likely that nothing has changed yet.
    Ask {
        /// Which object.
        item: Item,
        /// Whether after a pause.
        later: bool,
    },
    /// Delete an object, if it has this UID.
    Delete {
        /// Which object.
        item: Item,
        /// Its UID.
        uid: Uid,
    },
    /// Let an object that a controller made stay when what it was made for goes, give it the run's labels, and answer with what
    /// is then seen of it, as to [`Command::Ask`].
    TakeOver {
        /// Which object.
        item: Item,
        /// Its UID.
        uid: Uid,
    },
    /// After a while, answer with [`Input::HadItsTime`].
    GiveTime {
        /// Which object.
        item: Item,
    },
    /// A step begins; its time runs from now. For the clean-up: its budget does.
    Begin {
        /// Which round trip.
        trip: usize,
        /// Which step.
        step: StepId,
    },
    /// A step ended.
    End {
        /// Which round trip.
        trip: usize,
        /// Which step.
        step: StepId,
        /// Whether it did what it should. For the clean-up: whether nothing is left.
        passed: bool,
    },
    /// The outcome of a round trip is known.
    Verdict {
        /// Which round trip.
        trip: usize,
        /// The outcome.
        ending: Ending,
    },
    /// The removal of what all round trips have in common begins; its budget runs from now.
    RemoveShared,
    /// There is nothing left to do.
    Finished,
}
