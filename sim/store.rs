//! The objects, their resource versions, and what happened to them lately. Everything here happens at once, under one
//! lock; nothing here waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::clock;
use super::object::Object;
use super::resources::{NAMESPACES, PODS, Resource};
use super::status::ApiError;

/// How many changes are remembered; older ones answer 410.
const HISTORY: usize = 20_000;

/// Where an object lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) resource: Resource,
    /// Empty for kinds without a namespace.
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn new(resource: Resource, namespace: &str, name: &str) -> Self {
        Self { resource, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    pub(super) fn of(resource: Resource, object: &Value) -> Self {
        Self::new(resource, object.namespace(), object.name())
    }

    fn place(&self) -> Place {
        (self.namespace.clone(), self.name.clone())
    }

    fn not_found(&self) -> ApiError {
        ApiError::not_found(self.resource, &self.name)
    }
}

/// Namespace and name; also the order of lists.
pub(super) type Place = (String, String);

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) key: Key,
    /// `None` if it was created.
    pub(super) before: Option<Arc<Value>>,
    /// The object after it; for a deletion the last state.
    pub(super) object: Arc<Value>,
    pub(super) deleted: bool,
}

/// What a delete has to respect.
#[derive(Debug, Clone, Default)]
pub(super) struct Preconditions {
    pub(super) uid: Option<String>,
    pub(super) resource_version: Option<String>,
    pub(super) grace_seconds: Option<i64>,
}

/// What a delete came to.
#[derive(Debug, Clone)]
pub(super) enum Deleted {
    Gone(Arc<Value>),
    /// Something still has to be done before it goes.
    Pending(Arc<Value>),
}

/// The objects of the cluster.
#[derive(Debug)]
pub(super) struct Store {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    version: u64,
    objects: BTreeMap<Resource, BTreeMap<Place, Arc<Value>>>,
    history: VecDeque<Change>,
    /// Changes up to this version are not remembered.
    forgotten: u64,
    uids: u64,
}

impl Store {
    pub(super) fn new() -> Self {
        let state = State { version: 1000, forgotten: 1000, ..State::default() };
        Self { state: Mutex::new(state), changed: watch::Sender::new(1000) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells about changes; the value is the resource version.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Makes everybody who waits for a change look again.
    pub(super) fn poke(&self) {
        self.changed.send_modify(|_| {});
    }

    fn changed(&self, state: &State) {
        self.changed.send_replace(state.version);
    }

    pub(super) fn version(&self) -> u64 {
        self.lock().version
    }

    /// Forgets what happened so far: watches and lists from before it get 410.
    pub(super) fn forget_history(&self) {
        let mut state = self.lock();
        state.history.clear();
        state.forgotten = state.version;
    }

    pub(super) fn get(&self, key: &Key) -> Result<Arc<Value>, ApiError> {
        let state = self.lock();
        state.find(key).cloned().ok_or_else(|| key.not_found())
    }

    /// All objects of a kind, in the order of namespace and name.
    pub(super) fn all(&self, resource: Resource) -> Vec<Arc<Value>> {
        self.lock().objects.get(&resource).map(|objects| objects.values().cloned().collect()).unwrap_or_default()
    }

    /// The objects of a kind as they are, or as they were at a resource version, and that version.
    pub(super) fn list(
        &self,
        resource: Resource,
        at: Option<u64>,
    ) -> Result<(u64, BTreeMap<Place, Arc<Value>>), ApiError> {
        let state = self.lock();
        let mut objects = state.objects.get(&resource).cloned().unwrap_or_default();
        let Some(at) = at else { return Ok((state.version, objects)) };
        if at < state.forgotten {
            return Err(ApiError::expired(at, state.forgotten));
        }
        for change in state.history.iter().rev().take_while(|change| change.version > at) {
            if change.key.resource == resource {
                match &change.before {
                    Some(before) => objects.insert(change.key.place(), Arc::clone(before)),
                    None => objects.remove(&change.key.place()),
                };
            }
        }
        Ok((at, objects))
    }

    /// What happened to a kind after a resource version, and the version up to which that is known.
    pub(super) fn changes_since(&self, resource: Resource, after: u64) -> Result<(u64, Vec<Change>), ApiError> {
        let state = self.lock();
        if after < state.forgotten {
            return Err(ApiError::expired(after, state.forgotten));
        }
        let start = state.history.partition_point(|change| change.version <= after);
        let changes = state.history.range(start..).filter(|change| change.key.resource == resource).cloned().collect();
        Ok((state.version, changes))
    }

    /// Every object's place.
    pub(super) fn keys(&self) -> Vec<Key> {
        let state = self.lock();
        let mut keys = Vec::new();
        for (resource, objects) in &state.objects {
            keys.extend(objects.keys().map(|(namespace, name)| Key::new(resource, namespace, name)));
        }
        keys
    }

    /// Stores a new object, which gets uid, resource version and creation time; or only tries.
    pub(super) fn create(&self, resource: Resource, mut object: Value, dry_run: bool) -> Result<Arc<Value>, ApiError> {
        let mut state = self.lock();
        if resource.namespaced {
            let namespace = Key::new(&NAMESPACES, "", object.namespace());
            let found = state.find(&namespace).ok_or_else(|| namespace.not_found())?;
            if found.is_deleting() {
                return Err(ApiError::terminating(resource, object.name(), &namespace.name));
            }
        }
        if object.name().is_empty() {
            let prefix = object.text("/metadata/generateName").to_owned();
            state.uids += 1;
            let name = format!("{prefix}{}", suffix(state.uids));
            object.set(&["metadata", "name"], json!(name));
        }
        let key = Key::of(resource, &object);
        if state.find(&key).is_some() {
            return Err(ApiError::already_exists(resource, &key.name));
        }
        state.uids += 1;
        object.set(&["metadata", "uid"], json!(uid(state.uids)));
        object.set(&["metadata", "creationTimestamp"], json!(clock::now()));
        if dry_run {
            return Ok(Arc::new(object));
        }
        let object = state.put(key, None, object);
        self.changed(&state);
        Ok(object)
    }

    /// Changes an object. What clients cannot change stays; an object whose last finalizer goes while it is being
    /// deleted is gone.
    pub(super) fn update(
        &self,
        key: &Key,
        dry_run: bool,
        change: impl FnOnce(&mut Value) -> Result<(), ApiError>,
    ) -> Result<Arc<Value>, ApiError> {
        let mut state = self.lock();
        let before = state.find(key).cloned().ok_or_else(|| key.not_found())?;
        let mut after = Value::clone(&before);
        change(&mut after)?;
        for field in
            ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "resourceVersion", "generation"]
        {
            match before.pointer(&format!("/metadata/{field}")) {
                Some(value) => after.set(&["metadata", field], value.clone()),
                None => after.unset(&["metadata", field]),
            }
        }
        if after == *before {
            return Ok(before);
        }
        if let (Some(generation), true) =
            (before.pointer("/metadata/generation").and_then(Value::as_i64), before.get("spec") != after.get("spec"))
        {
            after.set(&["metadata", "generation"], json!(generation + 1));
        }
        if dry_run {
            return Ok(Arc::new(after));
        }
        let gone = after.is_deleting() && nothing_holds(key.resource, &after);
        let object = if gone { state.remove(key, before, after) } else { state.put(key.clone(), Some(before), after) };
        self.changed(&state);
        Ok(object)
    }

    /// [`Self::update`] for controllers, which look again if the object is gone or in the way.
    pub(super) fn change(&self, key: &Key, change: impl FnOnce(&mut Value)) -> Option<Arc<Value>> {
        self.update(key, false, |object| {
            change(object);
            Ok(())
        })
        .ok()
    }

    /// Deletes an object, or marks it as being deleted.
    pub(super) fn delete(&self, key: &Key, preconditions: &Preconditions, dry_run: bool) -> Result<Deleted, ApiError> {
        let mut state = self.lock();
        let before = state.find(key).cloned().ok_or_else(|| key.not_found())?;
        let differs = |field: &str, wanted: &str, is: &str| {
            let why = format!("Precondition failed: {field} in precondition: {wanted}, {field} in object meta: {is}");
            ApiError::conflict(key.resource, &key.name, &why)
        };
        if let Some(uid) = preconditions.uid.as_deref().filter(|uid| *uid != before.uid()) {
            return Err(differs("UID", uid, before.uid()));
        }
        let version = before.text("/metadata/resourceVersion");
        if let Some(wanted) = preconditions.resource_version.as_deref().filter(|wanted| *wanted != version) {
            return Err(differs("ResourceVersion", wanted, version));
        }
        let grace = grace_seconds(key.resource, &before, preconditions.grace_seconds);
        let mut after = Value::clone(&before);
        let grace_before = before.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64);
        if !before.is_deleting() || grace_before.is_some_and(|old| grace < old) {
            after.set(&["metadata", "deletionTimestamp"], json!(clock::now_plus(grace)));
            after.set(&["metadata", "deletionGracePeriodSeconds"], json!(grace));
            if key.resource == &NAMESPACES {
                after.set(&["status", "phase"], json!("Terminating"));
            }
        }
        let gone = nothing_holds(key.resource, &after);
        if dry_run {
            return Ok(if gone { Deleted::Gone(before) } else { Deleted::Pending(Arc::new(after)) });
        }
        let deleted = if gone {
            Deleted::Gone(state.remove(key, before, after))
        } else if after == *before {
            return Ok(Deleted::Pending(before));
        } else {
            Deleted::Pending(state.put(key.clone(), Some(before), after))
        };
        self.changed(&state);
        Ok(deleted)
    }

    /// A new uid, in the form of a random one, the same in every run.
    pub(super) fn new_uid(&self) -> String {
        let mut state = self.lock();
        state.uids += 1;
        uid(state.uids)
    }
}

impl State {
    fn find(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(&key.resource)?.get(&key.place())
    }

    fn put(&mut self, key: Key, before: Option<Arc<Value>>, object: Value) -> Arc<Value> {
        let object = self.next_version(object);
        self.objects.entry(key.resource).or_default().insert(key.place(), Arc::clone(&object));
        self.remember(Change { version: self.version, key, before, object: Arc::clone(&object), deleted: false });
        object
    }

    fn remove(&mut self, key: &Key, before: Arc<Value>, last: Value) -> Arc<Value> {
        let object = self.next_version(last);
        if let Some(objects) = self.objects.get_mut(&key.resource) {
            objects.remove(&key.place());
        }
        let change = Change {
            version: self.version,
            key: key.clone(),
            before: Some(before),
            object: Arc::clone(&object),
            deleted: true,
        };
        self.remember(change);
        object
    }

    fn next_version(&mut self, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object.set(&["metadata", "resourceVersion"], json!(self.version.to_string()));
        Arc::new(object)
    }

    fn remember(&mut self, change: Change) {
        self.history.push_back(change);
        if self.history.len() > HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.forgotten = oldest.version;
        }
    }
}

/// Pods go gracefully once a kubelet has them; the default is in their spec. Everything else goes at once.
fn grace_seconds(resource: Resource, object: &Value, asked: Option<i64>) -> i64 {
    if resource != &PODS
        || object.text("/spec/nodeName").is_empty()
        || matches!(object.text("/status/phase"), "Succeeded" | "Failed")
    {
        return 0;
    }
    let own = object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(30);
    asked.unwrap_or(own).max(0)
}

fn nothing_holds(resource: Resource, object: &Value) -> bool {
    let grace = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0);
    object.list("/metadata/finalizers").is_empty()
        && (resource != &PODS || grace == 0)
        && (resource != &NAMESPACES || object.list("/spec/finalizers").is_empty())
}

/// Spreads a count over 64 bits (`SplitMix64`).
fn spread(count: u64) -> u64 {
    let mut bits = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn uid(count: u64) -> String {
    let (high, low) = (spread(count), spread(!count));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}

/// Five characters, as `generateName` appends them.
fn suffix(count: u64) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut bits = spread(count);
    let mut text = String::new();
    for _ in 0..5 {
        let index = usize::try_from(bits % 27).unwrap_or_default();
        text.extend(ALPHABET.get(index).map(|byte| char::from(*byte)));
        bits /= 27;
    }
    text
}

#[cfg(test)]
mod tests;
