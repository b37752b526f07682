//! What a run has made, or may have made. An entry is written before the request that creates its object is sent, so
//! that nothing can exist in the cluster that the ledger does not know. Pure: it knows no cluster and no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::program::ObjectId;

/// An object of a run. Its name is fixed from the start, so that it can be found again after an unclear create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// An object that all round trips have in common: a namespace.
    Shared(ObjectId),
    /// An object of the round trip with this place in the plan.
    Of(usize, ObjectId),
}

impl Item {
    /// The round trip that it belongs to.
    #[must_use]
    pub const fn trip(self) -> Option<usize> {
        match self {
            Self::Shared(_) => None,
            Self::Of(trip, _) => Some(trip),
        }
    }

    /// Which object of its program it is.
    #[must_use]
    pub const fn object(self) -> ObjectId {
        match self {
            Self::Shared(object) | Self::Of(_, object) => object,
        }
    }
}

/// An object's UID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(Arc<str>);

impl From<&str> for Uid {
    fn from(uid: &str) -> Self {
        Self(uid.into())
    }
}

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far an object has come, as far as a round trip needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Progress {
    /// It exists.
    #[default]
    Nothing,
    /// Pods: a container has started, so the volumes are there. A controller's content: its handle is known.
    Started,
    /// The writer: the data is written.
    Written,
    /// Claim: bound. Snapshot: ready to use. A controller's content: it is retained, and carries the run's labels. Writer: the data was
    /// what was to be written, and is overwritten. Reader: the data is intact.
    Done,
}

/// Why an object stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It was not seen to be gone before the clean-up's time was over.
    Budget,
    /// A second signal ended the clean-up.
    Signal,
    /// The API server refused to delete it.
    Denied,
    /// Its policy is `Retain`.
    Policy,
}

/// What is known about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// No request to create it is under way, and none has succeeded.
    Planned,
    /// The request to create it was sent; no answer yet.
    InFlight,
    /// It may exist, or come to exist: a create had no clear answer.
    Unclear,
    /// It exists.
    Exists,
    /// It exists and was asked to go.
    Deleting,
    /// It was seen to be gone, or certainly never came.
    Gone,
    /// It stays, against our will.
    Left(Why),
    /// It stays as the user asked.
    Kept,
    /// An object of this name exists that is not ours. It is never touched.
    Foreign,
    /// Whether it is gone cannot be seen: the right to read it is missing.
    Unseen,
}

impl State {
    /// Whether nothing more will be done about it.
    #[must_use]
    pub const fn settled(self) -> bool {
        !matches!(self, Self::InFlight | Self::Unclear | Self::Exists | Self::Deleting)
    }
}

/// What is known about one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about it")]
pub struct Entry {
    /// What is known.
    pub state: State,
    /// The UID under which it was last seen.
    pub uid: Option<Uid>,
    /// How far it has come.
    pub progress: Progress,
    /// Whether the run has taken it over from the controller that made it, and deletes it itself.
    pub taken_over: bool,
    /// Whether the API server has accepted that it is to go, or shows that it goes.
    pub going: bool,
    /// How many creates were sent.
    pub attempts: u8,
    /// How many creates may still take effect although nobody waits for their answer.
    pub pending: u8,
    /// Whether a look at it is under way.
    pub asked: bool,
    /// Whether it was seen since that look was sent: then the look's 404 says nothing.
    pub seen_since: bool,
    /// UIDs that were seen to be gone: a late sight of them says nothing.
    pub gone: Vec<Uid>,
}

impl Entry {
    const fn new(state: State) -> Self {
        Self {
            state,
            uid: None,
            progress: Progress::Nothing,
            taken_over: false,
            going: false,
            attempts: 0,
            pending: 0,
            asked: false,
            seen_since: false,
            gone: Vec::new(),
        }
    }
}

/// The ledger of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Ledger(BTreeMap<Item, Entry>);

impl Ledger {
    /// What is known about an object; `None` if nothing was ever planned or seen of it.
    #[must_use]
    pub fn get(&self, item: Item) -> Option<&Entry> {
        self.0.get(&item)
    }

    /// The state of an object; one that is not in the ledger is only planned.
    #[must_use]
    pub fn state(&self, item: Item) -> State {
        self.get(item).map_or(State::Planned, |entry| entry.state)
    }

    /// How far an object has come.
    #[must_use]
    pub fn progress(&self, item: Item) -> Progress {
        self.get(item).map_or(Progress::Nothing, |entry| entry.progress)
    }

    /// The entry of an object, made if there is none.
    pub fn entry(&mut self, item: Item) -> &mut Entry {
        self.0.entry(item).or_insert_with(|| Entry::new(State::Planned))
    }

    /// All entries, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Item, &Entry)> {
        self.0.iter().map(|(item, entry)| (*item, entry))
    }

    /// The objects of a round trip (`None`: of all) whose state fulfils a condition.
    pub fn items(&self, trip: Option<usize>, condition: impl Fn(State) -> bool) -> Vec<Item> {
        self.iter()
            .filter(|(item, entry)| (trip.is_none() || item.trip() == trip) && condition(entry.state))
            .map(|(item, _)| item)
            .collect()
    }

    /// Objects that stay against our will, or may.
    #[must_use]
    pub fn leftovers(&self) -> Vec<(Item, Why)> {
        self.iter()
            .filter_map(|(item, entry)| match entry.state {
                State::Left(why) => Some((item, why)),
                State::Planned
                | State::InFlight
                | State::Unclear
                | State::Exists
                | State::Deleting
                | State::Gone
                | State::Kept
                | State::Foreign
                | State::Unseen => None,
            })
            .collect()
    }
}
