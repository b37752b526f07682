//! The kinds of objects that a round trip has to do with, and the marks that its own carry.

use snapready_checks::model::object::Kind;

use super::ledger::Role;

/// Label with the run's id; `cleanup --run` selects by it.
pub const RUN_LABEL: &str = "snapready.dev/run";
/// Label that says who made an object, and its value.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "snapready");
/// Annotation with the time after which an object counts as left behind, in RFC 3339.
pub const EXPIRES_AT: &str = "snapready.dev/expires-at";

impl Role {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::SourceClaim | Self::RestoredClaim => Kind::PERSISTENT_VOLUME_CLAIM,
            Self::SourceConsumer | Self::Writer | Self::RestoredConsumer | Self::Reader => Kind::POD,
            Self::Snapshot => Kind::VOLUME_SNAPSHOT,
            Self::Content => Kind::VOLUME_SNAPSHOT_CONTENT,
            Self::SourceVolume | Self::RestoredVolume => Kind::PERSISTENT_VOLUME,
        }
    }
}
