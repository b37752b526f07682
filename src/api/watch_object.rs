//! Follows one object: each time it has changed, it is read. A watch of this object alone says when, whatever else there is
//! of its kind; where a watch is refused, it is read after a pause.
//!
//! Not by `kube_runtime::watcher`: it lists before it watches, and only `get` and `watch` are asked for on persistent volumes
//! and contents; its other way, `sendInitialEvents`, is not known to every API server. And it takes an event for the answer
//! that there is no object, where a deletion needs a look that began after it.

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use kube::api::{DynamicObject, WatchEvent, WatchParams};
use serde_json::Value;
use snapready_checks::model::object::Kind;

use super::failure::Failure;
use super::objects::{Objects, Place, into_value};
use super::watch_namespace::SILENCE;

/// So long a watch may take to begin. One that takes longer is held back by something on the way, and would tell nothing.
const BEGINNING: Duration = Duration::from_secs(5);

/// What follows one object.
pub(crate) struct ObjectWatch {
    place: Place,
    watch: Watch,
}

enum Watch {
    /// It is yet to begin, or was lost.
    Closed,
    Open(Events),
    /// The right is missing, or watches do not come through.
    Refused,
}

impl ObjectWatch {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, watch: Watch::Closed }
    }

    /// One that only pauses between its looks.
    pub(crate) fn without_watch(place: Place) -> Self {
        Self { place, watch: Watch::Refused }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The object as it is next; `None` if there is none. That there is none is always the answer to a look that began
    /// after this was called, never an old event.
    pub(crate) async fn next(&mut self, objects: &Objects, pause: Duration) -> Result<Option<Value>, Failure> {
        match std::mem::replace(&mut self.watch, Watch::Closed) {
            Watch::Closed => {
                self.watch = begin(objects, &self.place).await;
                // What happened before the watch began is seen by a look; without a watch it may well be too early.
                if !matches!(self.watch, Watch::Open(_)) {
                    tokio::time::sleep(pause).await;
                }
            }
            Watch::Refused => {
                self.watch = Watch::Refused;
                tokio::time::sleep(pause).await;
            }
            Watch::Open(watch) => match tokio::time::timeout(SILENCE, changed(self.place.kind, watch)).await {
                Ok(Event::Object(object, watch)) => {
                    self.watch = Watch::Open(watch);
                    return Ok(Some(object));
                }
                Ok(Event::Gone(watch)) => self.watch = Watch::Open(watch),
                Ok(Event::Lost) => tokio::time::sleep(pause).await,
                Err(_) => {}
            },
        }
        objects.get(&self.place).await
    }
}

/// Begins a watch. Without a version it tells first what there is, so it can begin at any time.
async fn begin(objects: &Objects, place: &Place) -> Watch {
    let api = objects.client.api(&place.kind, place.namespace.as_deref());
    let parameters = WatchParams::default().fields(&format!("metadata.name={}", place.name));
    match tokio::time::timeout(BEGINNING, api.watch(&parameters, "")).await {
        Ok(Ok(watch)) => Watch::Open(watch.boxed()),
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400..=499) && status.code != 429 => Watch::Refused,
        Ok(Err(_)) => Watch::Closed,
        Err(_) => Watch::Refused,
    }
}

type Events = BoxStream<'static, kube::Result<WatchEvent<DynamicObject>>>;

enum Event {
    Object(Value, Events),
    Gone(Events),
    Lost,
}

async fn changed(kind: Kind, mut watch: Events) -> Event {
    loop {
        match watch.try_next().await {
            Ok(Some(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                return Event::Object(into_value(&kind, object), watch);
            }
            Ok(Some(WatchEvent::Deleted(_))) => return Event::Gone(watch),
            Ok(Some(WatchEvent::Bookmark(_))) => {}
            Ok(Some(WatchEvent::Error(_)) | None) | Err(_) => return Event::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::api::Client;
    use snapready_sim::{Cluster, Effect, Fault, scenario, start};

    /// Longer than any test: who pauses does not come back.
    const FOREVER: Duration = Duration::from_secs(86_400);

    async fn objects(faults: &[Fault]) -> (Cluster, Objects) {
        let cluster = start(scenario::find("healthy").unwrap()).await.unwrap();
        let mut config = kube::Config::new(cluster.url().parse().unwrap());
        config.default_retry = false;
        let events = mpsc::unbounded_channel().0;
        let client = Client::new(kube::Client::try_from(config).unwrap(), None);
        let objects = Objects::new(&client, FOREVER, events);
        for fault in faults {
            cluster.fault(*fault);
        }
        (cluster, objects)
    }

    async fn namespace(objects: &Objects) -> (Place, String) {
        let place = Place { kind: Kind::NAMESPACE, namespace: None, name: "n".to_owned() };
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place.name}});
        let created = objects.create(&place, &body).await.unwrap();
        (place, created["metadata"]["uid"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_watched_object_is_seen_to_go_without_a_pause() {
        let (_cluster, objects) = objects(&[]).await;
        let (place, uid) = namespace(&objects).await;
        let mut watch = ObjectWatch::new(place.clone());
        assert!(watch.next(&objects, FOREVER).await.unwrap().is_some());
        objects.delete(&place, &uid).await.unwrap();
        while watch.next(&objects, FOREVER).await.unwrap().is_some() {}
        assert!(matches!(watch.watch, Watch::Open(_)));
    }

    #[tokio::test]
    async fn what_may_not_be_watched_is_looked_at_after_a_pause() {
        let (_cluster, objects) = objects(&[Fault::always(&["watch"], &[], Effect::Forbidden)]).await;
        let (place, uid) = namespace(&objects).await;
        let mut watch = ObjectWatch::new(place.clone());
        assert!(watch.next(&objects, Duration::ZERO).await.unwrap().is_some());
        assert!(matches!(watch.watch, Watch::Refused));
        objects.delete(&place, &uid).await.unwrap();
        while watch.next(&objects, Duration::from_millis(10)).await.unwrap().is_some() {}
    }

    #[tokio::test]
    async fn a_lost_watch_begins_again() {
        let (cluster, objects) = objects(&[]).await;
        let (place, uid) = namespace(&objects).await;
        let mut watch = ObjectWatch::new(place.clone());
        // A look, and what the watch tells first.
        for _ in 0..2 {
            assert!(watch.next(&objects, FOREVER).await.unwrap().is_some());
        }
        cluster.cut_watches();
        assert!(watch.next(&objects, Duration::ZERO).await.unwrap().is_some());
        objects.delete(&place, &uid).await.unwrap();
        while watch.next(&objects, FOREVER).await.unwrap().is_some() {}
        assert!(matches!(watch.watch, Watch::Open(_)));
    }
}
