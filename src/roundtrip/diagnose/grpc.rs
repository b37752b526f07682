//! gRPC codes in a cluster's texts. Sidecars retry every code for ever, so "permanent" is a judgement: what the code's
//! definition says, confirmed by the driver's giving the same answer again.

use std::time::Duration;

/// A gRPC code, as Go prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Canceled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl Code {
    const ALL: [Self; 16] = [
        Self::Canceled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The last code in a text: an error that wraps another ends with the driver's own.
    pub(super) fn find(text: &str) -> Option<Self> {
        let rest = text.rsplit_once("code = ")?.1;
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
        Self::ALL.into_iter().find(|code| code.word() == word)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Canceled => "Canceled",
            Self::Unknown => "Unknown",
            Self::InvalidArgument => "InvalidArgument",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::PermissionDenied => "PermissionDenied",
            Self::ResourceExhausted => "ResourceExhausted",
            Self::FailedPrecondition => "FailedPrecondition",
            Self::Aborted => "Aborted",
            Self::OutOfRange => "OutOfRange",
            Self::Unimplemented => "Unimplemented",
            Self::Internal => "Internal",
            Self::Unavailable => "Unavailable",
            Self::DataLoss => "DataLoss",
            Self::Unauthenticated => "Unauthenticated",
        }
    }

    /// From when on an answer with this code is certain to stay: so often seen, and so long after the step began.
    /// `None`: it may pass at any time.
    pub(super) fn patience(self, message: &str) -> Option<(u64, Duration)> {
        match self {
            // Wrong by definition until somebody changes the request, the class or the rights.
            Self::InvalidArgument
            | Self::OutOfRange
            | Self::Unimplemented
            | Self::PermissionDenied
            | Self::Unauthenticated => Some((2, Duration::from_secs(3))),
            // Drivers of clouds say so, too, when their API wants fewer requests.
            Self::ResourceExhausted if is_throttling(message) => None,
            // Storage that lags behind gives these too, but not for long.
            Self::NotFound
            | Self::AlreadyExists
            | Self::FailedPrecondition
            | Self::ResourceExhausted
            | Self::DataLoss => Some((3, Duration::from_secs(8))),
            // Some drivers say so of everything, of hiccups as well.
            Self::Internal | Self::Unknown => Some((4, Duration::from_secs(45))),
            Self::Canceled | Self::DeadlineExceeded | Self::Unavailable | Self::Aborted => None,
        }
    }

    /// What the code means, for people.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::InvalidArgument => {
                "the driver does not accept a parameter of the request, of the class or of the claim"
            }
            Self::OutOfRange => "the driver does not offer this size",
            Self::Unimplemented => "the driver does not offer this operation",
            Self::PermissionDenied | Self::Unauthenticated => "the storage refuses the driver's credentials",
            Self::NotFound => "the storage does not know the volume, snapshot or pool that it was asked for",
            Self::AlreadyExists => "the storage has something else under this name",
            Self::FailedPrecondition => {
                "the volume, or the storage, is not in a state that allows it; often a limit of snapshots"
            }
            Self::ResourceExhausted => "the storage has no room, or a quota is used up",
            Self::DeadlineExceeded | Self::Canceled => "the storage did not answer in time",
            Self::Unavailable => "the driver or its storage cannot be reached",
            Self::Aborted => "the driver is busy with another operation on the same volume",
            Self::Internal | Self::Unknown | Self::DataLoss => "the driver failed",
        }
    }

    /// What to do about it, for people.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::InvalidArgument => "Correct the class's parameters, or choose another --size.",
            Self::OutOfRange => "Choose another size with --size, one that the driver offers.",
            Self::Unimplemented => {
                "Use a StorageClass whose driver offers it; for this driver use file-system backups."
            }
            Self::PermissionDenied | Self::Unauthenticated => {
                "Give the driver's account the right to create snapshots and volumes from them, on the storage's side."
            }
            Self::NotFound => "Check on the storage's side what the driver's message names.",
            Self::AlreadyExists | Self::Aborted => "Look into the driver's log for the other operation.",
            Self::FailedPrecondition => "Look up the driver's limits for snapshots and what its message names.",
            Self::ResourceExhausted => "Free space or snapshots, or raise the quota, on the storage's side.",
            Self::DeadlineExceeded | Self::Canceled | Self::Unavailable => {
                "Check that the driver's controller runs and reaches its storage."
            }
            Self::Internal | Self::Unknown | Self::DataLoss => "Look into the driver's log.",
        }
    }
}

/// Whether a text asks for fewer requests, which passes, instead of more room.
fn is_throttling(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["throttl", "rate limit", "ratelimit", "rate exceeded", "limitexceeded", "too many requests", "code 429"]
        .iter()
        .any(|word| message.contains(word))
}
