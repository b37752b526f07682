//! What only tests do to a running cluster, and ask of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::cluster::{Cluster, ObjectRef, uid};
use super::http::serve;
use super::lock::lock;
use super::store::Key;

impl Cluster {
    /// What existed at the start and does not exist now: another object under the same name is not it.
    pub fn missing(&self) -> Vec<ObjectRef> {
        let is = |key: &Key, was: &String| self.world.store.get(key).is_ok_and(|object| uid(&object) == *was);
        let gone = self.initial.iter().filter(|(key, was)| !is(key, was));
        gone.map(|(key, _)| ObjectRef::of(key)).collect()
    }

    /// Changes every JSON answer from now on, and every line of a watch: lists, objects, errors, `/version`.
    pub fn tamper(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.world.tamper.set(change);
    }

    /// Ends everything that goes wrong between clients and the API, the scenario's faults as well.
    pub fn heal(&self) {
        self.world.faults.clear();
    }

    /// Counts the requests that were to change something, once each is carried out and before its answer leaves.
    pub fn changes(&self) -> watch::Receiver<usize> {
        self.world.changes.subscribe()
    }

    /// Breaks the connections of all watches.
    pub fn cut_watches(&self) {
        self.world.watches.send_modify(|times| *times += 1);
    }

    /// Forgets what happened so far: watches and continued lists from before get 410.
    pub fn forget_history(&self) {
        self.world.store.forget_history();
    }

    /// Breaks all connections, refuses new ones for that long, and then serves again at the same address.
    ///
    /// # Errors
    ///
    /// When somebody else has taken the port meanwhile.
    pub async fn restart_api(&self, down: Duration) -> io::Result<()> {
        self.stop_server().await;
        tokio::time::sleep(down).await;
        let listener = TcpListener::bind(self.address).await?;
        *lock(&self.server) = Some(tokio::spawn(serve(Arc::clone(&self.world), listener)));
        Ok(())
    }
}
