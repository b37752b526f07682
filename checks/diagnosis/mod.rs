//! Why a step of a snapshot or a restore does not go on. What is known about each fault lies with the check that reports it,
//! in `roundtrip/<check>`, in the words of [`crate::moment`]; [`RULES`] says in which order it is asked.
//!
//! A wait ends as soon as its outcome is certain; what may still pass keeps waiting and says for what. Everything here is a
//! function of what was seen: no clock, no cluster.

mod likely;
mod rules;
#[cfg(test)]
mod tests;
mod waiting;

pub use likely::timed_out;
pub use rules::{RULES, Rule};

use std::time::Duration;

use crate::moment::{Explanation, Moment};

/// A step that has waited so long says what is likely to be the cause, although it may still get on.
const TOLD: Duration = Duration::from_secs(15);

/// Whether a wait goes on. `T` is how a cause is put: an [`Explanation`], or a result in the words of who asks.
#[derive(Debug, Clone)]
pub enum Diagnosis<T = Explanation> {
    /// It may still come.
    Waiting {
        /// What has to come.
        waiting_for: String,
        /// What was last seen.
        last_seen: String,
    },
    /// It will not come, for certain.
    Certain(Box<T>),
}

impl<T> Diagnosis<T> {
    /// The same, with a cause in other words.
    pub fn map<U>(self, word: impl FnOnce(T) -> U) -> Diagnosis<U> {
        match self {
            Self::Waiting { waiting_for, last_seen } => Diagnosis::Waiting { waiting_for, last_seen },
            Self::Certain(cause) => Diagnosis::Certain(Box::new(word(*cause))),
        }
    }
}

/// Whether a step may still get on.
#[must_use]
pub fn diagnose(moment: &Moment<'_>) -> Diagnosis {
    if let Some(explanation) = certain(moment) {
        return Diagnosis::Certain(Box::new(explanation));
    }
    let (waiting_for, last_seen) = waiting::waiting(moment);
    let likely = (moment.elapsed >= TOLD).then(|| likely::so_far(moment)).flatten();
    let last_seen = match likely {
        Some(likely) => format!("{last_seen} ({likely})"),
        None => last_seen,
    };
    Diagnosis::Waiting { waiting_for, last_seen }
}

/// The first rule that holds.
fn certain(moment: &Moment<'_>) -> Option<Explanation> {
    RULES.iter().filter(|rule| rule.steps.contains(&moment.step)).find_map(|rule| (rule.explains)(moment))
}
