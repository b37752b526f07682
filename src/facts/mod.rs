//! Where facts come from. Whatever it is, the same checks judge them and the same report shows them: a live cluster (the
//! embedded one is met like any other), or facts that were written down.

pub mod files;
mod live;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::look_again::CONTROL_PLANE;

use crate::api::Retry;
use crate::cluster::Connection;
use crate::facts::live::collect::collect;

pub use live::access::Right;
pub use live::collect::Collection;

/// Reads the control plane once more: [`CONTROL_PLANE`].
pub type ReadAgain = Arc<dyn Fn() -> BoxFuture<'static, Facts> + Send + Sync>;

/// Where facts come from.
#[derive(Debug)]
pub enum Source {
    /// A cluster that can be asked.
    Cluster(Box<Connection>),
    /// Facts of some earlier time, as `snapready_checks::model::recorded` reads them. What they do not hold is not collected, so
    /// that it never counts as absent.
    Recorded(Box<Facts>),
}

impl Source {
    /// The facts that are needed, and no others. What cannot be seen is a value in them; this itself cannot fail. `on_retry` is
    /// told of every request that is made again.
    pub async fn read(&self, collection: &Collection<'_>, on_retry: &(dyn Fn(Retry) + Send + Sync)) -> Facts {
        match self {
            Self::Cluster(connection) => collect(connection, collection, on_retry).await,
            Self::Recorded(facts) => facts.only(collection.needs),
        }
    }

    /// What reads the control plane again while a round trip waits; `None` where nothing changes any more.
    #[must_use]
    pub fn read_again(&self, on_retry: impl Fn(Retry) + Send + Sync + 'static) -> Option<ReadAgain> {
        let Self::Cluster(connection) = self else { return None };
        let (connection, on_retry) = (connection.clone(), Arc::new(on_retry));
        Some(Arc::new(move || {
            let (connection, on_retry) = (connection.clone(), on_retry.clone());
            async move {
                let needs = BTreeSet::from(CONTROL_PLANE);
                let collection = Collection { needs: &needs, round_trip: &[], products: &[], server_version: None };
                collect(&connection, &collection, &|retry| on_retry(retry)).await
            }
            .boxed()
        }))
    }
}
