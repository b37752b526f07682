//! A running cluster, for those who use it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::controllers;
use super::data_plane::DataPlane;
use super::faults::Fault;
use super::files;
use super::http::serve;
use super::lock::lock;
use super::objects;
use super::requests::Request;
use super::resources::EVENTS;
use super::scenario::Scenario;
use super::store::Key;
use super::world::World;

/// An object in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Resource in the plural, with its group if it has one: `volumesnapshots.snapshot.storage.k8s.io`.
    pub resource: String,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    pub(super) fn of(key: &Key) -> Self {
        Self { resource: key.resource.qualified(), namespace: key.namespace.clone(), name: key.name.clone() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.resource, self.name)
        } else {
            write!(f, "{}/{}/{}", self.resource, self.namespace, self.name)
        }
    }
}

/// A running cluster. It ends when it is dropped: its processes are killed, its files removed.
#[derive(Debug)]
pub struct Cluster {
    pub(super) world: Arc<World>,
    pub(super) address: SocketAddr,
    pub(super) server: Mutex<Option<JoinHandle<()>>>,
    /// UIDs by key of what was there from the start.
    pub(super) initial: BTreeMap<Key, String>,
    root: TempDir,
}

/// Starts a cluster on a free port of loopback.
///
/// # Errors
///
/// When there is no port or no temporary directory to be had.
pub async fn start(scenario: &Scenario) -> io::Result<Cluster> {
    let root = tempfile::Builder::new().prefix("snapready-simulated-").tempdir()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let world = World::new(scenario, DataPlane::new(root.path(), scenario.quirk));
    objects::create(&world);
    let keys = world.store.keys().into_iter();
    let initial = keys.filter_map(|key| world.store.get(&key).ok().map(|object| (key, uid(&object)))).collect();
    world.store.forget_history();
    controllers::start(&world);
    let server = Mutex::new(Some(tokio::spawn(serve(Arc::clone(&world), listener))));
    Ok(Cluster { world, address, server, initial, root })
}

pub(super) fn uid(object: &serde_json::Value) -> String {
    super::object::Object::uid(object).to_owned()
}

impl Cluster {
    /// Address of the API server: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig file for it, with the context `simulated`.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: simulated\nclusters:\n- name: simulated\n  cluster:\n    \
             server: {}\nusers:\n- name: simulated\n  user: {{}}\ncontexts:\n- name: simulated\n  context:\n    \
             cluster: simulated\n    user: simulated\n",
            self.url()
        )
    }

    /// The scenario that it was started with.
    pub fn scenario(&self) -> &Scenario {
        &self.world.scenario
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.world.requests).clone()
    }

    /// What exists now and did not exist at the start. Events do not count: those about cluster-scoped objects stay in
    /// the namespace `default` for an hour, in a real cluster too.
    pub fn objects(&self) -> Vec<ObjectRef> {
        let is_new = |key: &Key| {
            let current = self.world.store.get(key).map(|object| uid(&object)).unwrap_or_default();
            !current.is_empty() && self.initial.get(key) != Some(&current)
        };
        let keys = self.world.store.keys().into_iter().filter(|key| key.resource != &EVENTS && is_new(key));
        keys.map(|key| ObjectRef::of(&key)).collect()
    }

    /// The handles of the volumes and snapshots that the storage holds.
    pub fn storage(&self) -> Vec<String> {
        self.world.data.handles()
    }

    /// Waits until neither objects nor storage are left, as long as that takes.
    pub async fn until_empty(&self) {
        let mut changed = self.world.store.subscribe();
        loop {
            changed.borrow_and_update();
            if self.objects().is_empty() && self.storage().is_empty() {
                return;
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Adds something that goes wrong.
    pub fn fault(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    /// Ends it, and waits until it has ended.
    pub async fn stop(self) {
        self.stop_server().await;
        self.world.take_tasks().shutdown().await;
    }

    pub(super) async fn stop_server(&self) {
        let server = lock(&self.server).take();
        if let Some(server) = server {
            server.abort();
            // It was told to end.
            let _aborted = server.await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = lock(&self.server).take() {
            server.abort();
        }
        drop(self.world.take_tasks());
        for group in lock(&self.world.processes).iter() {
            if let Some(group) = Pid::from_raw(*group) {
                // It has ended by itself.
                let _gone = kill_process_group(group, Signal::KILL);
            }
        }
        // A copy under way may still put something there once or twice.
        for _ in 0..3 {
            if files::remove(self.root.path()).is_ok() {
                return;
            }
        }
    }
}
