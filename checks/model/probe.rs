//! "Could not look" as a value. It travels with the data, so that no check can take it for "nothing there".

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::need::Rule;

/// What came of looking for something in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Probe<T> {
    /// It was read; an empty list means that there is nothing.
    Seen {
        /// What was read; shared, so that a part of the facts can be handed on without a copy of every object.
        value: Arc<T>,
    },
    /// The API server does not serve this resource: its CRD is missing, or the cluster is too old.
    NotServed,
    /// The API server refused the caller.
    Forbidden {
        /// The RBAC rule that would allow it.
        rule: Rule,
    },
    /// The request failed for another reason.
    Failed {
        /// The error, as text for people.
        reason: String,
    },
    /// Nobody looked: no selected check needed it, or a bundle does not hold it.
    #[default]
    NotCollected,
}

impl<T> Probe<T> {
    /// What was read, if it was.
    #[must_use]
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen { value } => Some(value),
            Self::NotServed | Self::Forbidden { .. } | Self::Failed { .. } | Self::NotCollected => None,
        }
    }

    /// What was read; why not, as a probe of what would have followed from it.
    ///
    /// # Errors
    ///
    /// The same state, if nothing was read.
    pub fn seen_or<U>(&self) -> Result<&T, Probe<U>> {
        match self {
            Self::Seen { value } => Ok(value),
            Self::NotServed => Err(Probe::NotServed),
            Self::Forbidden { rule } => Err(Probe::Forbidden { rule: rule.clone() }),
            Self::Failed { reason } => Err(Probe::Failed { reason: reason.clone() }),
            Self::NotCollected => Err(Probe::NotCollected),
        }
    }

    /// Why there is nothing to read; `None` if it was read.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        match self {
            Self::Seen { .. } => None,
            Self::NotServed => Some(Missing::NotServed),
            Self::Forbidden { rule } => Some(Missing::Forbidden { rule: rule.clone() }),
            Self::Failed { reason } => Some(Missing::Failed { reason: reason.clone() }),
            Self::NotCollected => Some(Missing::NotCollected),
        }
    }
}

impl<T> From<T> for Probe<T> {
    fn from(value: T) -> Self {
        Self::Seen { value: Arc::new(value) }
    }
}

/// A [`Probe`] that saw nothing, without its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// See [`Probe::NotServed`].
    NotServed,
    /// See [`Probe::Forbidden`].
    Forbidden {
        /// The RBAC rule that would allow it.
        rule: Rule,
    },
    /// See [`Probe::Failed`].
    Failed {
        /// The error, as text for people.
        reason: String,
    },
    /// See [`Probe::NotCollected`].
    NotCollected,
}
