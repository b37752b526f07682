//! A server that lies: what its answers say can be changed on their way out, so that clients meet what no honest API
//! server would let through.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// What is done to every JSON answer, and to every line of a watch.
#[derive(Default)]
pub(super) struct Tamper(RwLock<Option<Change>>);

impl fmt::Debug for Tamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tamper")
    }
}

impl Tamper {
    pub(super) fn set(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(change));
    }

    /// The answer as clients get it.
    pub(super) fn apply(&self, mut answer: Value) -> Value {
        let change = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(change) = change {
            change(&mut answer);
        }
        answer
    }
}
