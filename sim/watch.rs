//! A watch: what happens to the selected objects, one JSON line per event.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::clock;
use super::object::Object;
use super::request::Target;
use super::resources::Resource;
use super::selector::Selector;
use super::store::Change;
use super::view::View;
use super::world::World;

/// A watch under way.
#[derive(Debug)]
pub(super) struct Watch {
    world: Arc<World>,
    resource: Resource,
    namespace: String,
    selector: Selector,
    view: View,
    /// Everything up to this version has been told.
    position: u64,
    lines: VecDeque<Bytes>,
    ends: Instant,
    /// When the connection is to break.
    cut: Option<Instant>,
    bookmarks: Option<Instant>,
    changed: watch::Receiver<u64>,
    broken: watch::Receiver<u64>,
    over: bool,
}

impl Watch {
    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the request")]
    pub(super) fn new(
        world: &Arc<World>,
        target: &Target,
        selector: Selector,
        view: View,
        from: u64,
        initial: bool,
        bookmarks: bool,
        seconds: Option<u64>,
    ) -> Self {
        let now = Instant::now();
        // Subscribed before the first look, so that nothing is missed in between.
        let (changed, broken) = (world.store.subscribe(), world.watches.subscribe());
        let mut watch = Self {
            world: Arc::clone(world),
            resource: target.resource,
            namespace: target.namespace.clone(),
            selector,
            view,
            position: from,
            lines: VecDeque::new(),
            ends: now + seconds.map_or(clock::WATCH, Duration::from_secs),
            cut: None,
            bookmarks: bookmarks.then(|| now + clock::BOOKMARK),
            changed,
            broken,
            over: false,
        };
        // Without a version, a watch begins with what there is.
        if from == 0 || initial {
            watch.tell_what_is_there(initial);
        }
        watch
    }

    pub(super) fn cut_after(&mut self, time: Duration) {
        self.cut = Some(Instant::now() + time);
    }

    fn tell_what_is_there(&mut self, marked: bool) {
        let Ok((version, objects)) = self.world.store.list(self.resource, None) else { return };
        let lines: Vec<Bytes> =
            objects.values().filter(|object| self.selects(object)).map(|object| self.line("ADDED", object)).collect();
        self.lines.extend(lines);
        self.position = version;
        if marked {
            self.push_bookmark(json!({ "k8s.io/initial-events-end": "true" }));
        }
    }

    fn selects(&self, object: &Value) -> bool {
        (self.namespace.is_empty() || object.namespace() == self.namespace) && self.selector.matches(object)
    }

    fn line(&self, kind: &str, object: &Value) -> Bytes {
        self.json_line(json!({ "type": kind, "object": self.view.show(object) }))
    }

    fn json_line(&self, value: Value) -> Bytes {
        let mut line = self.world.sent(value).to_string();
        line.push('\n');
        Bytes::from(line)
    }

    fn push_bookmark(&mut self, annotations: Value) {
        let mut object = json!({
            "metadata": { "resourceVersion": self.position.to_string(), "creationTimestamp": null },
        });
        if annotations.is_object() {
            object.set(&["metadata", "annotations"], annotations);
        }
        let line = self.line("BOOKMARK", &object);
        self.lines.push_back(line);
    }

    fn look(&mut self) {
        match self.world.store.changes_since(self.resource, self.position) {
            Ok((version, changes)) => {
                for change in changes {
                    if let Some(line) = self.tell(&change) {
                        self.lines.push_back(line);
                    }
                }
                self.position = self.position.max(version);
            }
            Err(error) => {
                self.lines.push_back(self.json_line(json!({ "type": "ERROR", "object": error.body() })));
                self.over = true;
            }
        }
    }

    /// An object that begins or ceases to match comes or goes, as far as this watch can see.
    fn tell(&self, change: &Change) -> Option<Bytes> {
        let was = change.before.as_ref().is_some_and(|before| self.selects(before));
        let is = !change.deleted && self.selects(&change.object);
        match (was, is) {
            (false, true) => Some(self.line("ADDED", &change.object)),
            (true, true) => Some(self.line("MODIFIED", &change.object)),
            (true, false) => Some(self.line("DELETED", &change.object)),
            (false, false) => None,
        }
    }

    /// The next line; `None` when the time is over, an error when the connection breaks.
    pub(super) async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(Ok(line));
            }
            if self.over {
                return None;
            }
            self.changed.borrow_and_update();
            self.look();
            if !self.lines.is_empty() || self.over {
                continue;
            }
            let wake = [Some(self.ends), self.cut, self.bookmarks].into_iter().flatten().min().unwrap_or(self.ends);
            tokio::select! {
                _ = self.changed.changed() => {}
                _ = self.broken.changed() => return Some(Err(broken())),
                () = tokio::time::sleep_until(wake) => {
                    let now = Instant::now();
                    if self.cut.is_some_and(|cut| cut <= now) {
                        return Some(Err(broken()));
                    }
                    let over = self.ends <= now;
                    if self.bookmarks.is_some_and(|time| over || time <= now) {
                        self.push_bookmark(Value::Null);
                        self.bookmarks = Some(now + clock::BOOKMARK);
                    }
                    self.over = over;
                }
            }
        }
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was cut on purpose")
}
