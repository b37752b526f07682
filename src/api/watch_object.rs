//! Looks at one object again and again, each time when it has changed: a watch of this object alone says when, whatever
//! else there is of its kind. Where a watch is not to be had, after a pause.

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use kube::api::{DynamicObject, WatchEvent, WatchParams};
use serde_json::Value;

use super::api::{Place, Server, into_value};
use super::failure::Failure;
use super::follow::SILENCE;

/// So long a watch may take to begin. One that takes longer is held back by something on the way, and would tell nothing.
const BEGINNING: Duration = Duration::from_secs(5);

/// Follows one object.
pub(crate) struct Lookout {
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

impl Lookout {
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
    pub(crate) async fn next(&mut self, server: &Server, pause: Duration) -> Result<Option<Value>, Failure> {
        match std::mem::replace(&mut self.watch, Watch::Closed) {
            Watch::Closed => {
                self.watch = begin(server, &self.place).await;
                // What happened before the watch began is seen by a look; without a watch it may well be too early.
                if !matches!(self.watch, Watch::Open(_)) {
                    tokio::time::sleep(pause).await;
                }
            }
            Watch::Refused => {
                self.watch = Watch::Refused;
                tokio::time::sleep(pause).await;
            }
            Watch::Open(watch) => match tokio::time::timeout(SILENCE, changed(watch)).await {
                Ok(Event::Object(object, watch)) => {
                    self.watch = Watch::Open(watch);
                    return Ok(Some(object));
                }
                Ok(Event::Gone(watch)) => self.watch = Watch::Open(watch),
                Ok(Event::Lost) => tokio::time::sleep(pause).await,
                Err(_) => {}
            },
        }
        server.get(&self.place).await
    }
}

/// Begins a watch. Without a version it tells first what there is, so it can begin at any time.
async fn begin(server: &Server, place: &Place) -> Watch {
    let api = server.api(&place.resource, place.namespace.as_deref());
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

async fn changed(mut watch: Events) -> Event {
    loop {
        match watch.try_next().await {
            Ok(Some(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                return Event::Object(into_value(object), watch);
            }
            Ok(Some(WatchEvent::Deleted(_))) => return Event::Gone(watch),
            Ok(Some(WatchEvent::Bookmark(_))) => {}
            Ok(Some(WatchEvent::Error(_)) | None) | Err(_) => return Event::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::Client;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::super::observe::uid;
    use super::*;
    use crate::roundtrip::driver::Manifest;
    use crate::roundtrip::kinds::namespaces;
    use crate::sim::{Cluster, Effect, Fault, scenario, start};

    /// Longer than any test: who pauses does not come back.
    const FOREVER: Duration = Duration::from_secs(86_400);

    async fn server(faults: &[Fault]) -> (Cluster, Server) {
        let cluster = start(scenario::find("healthy").unwrap()).await.unwrap();
        let mut config = kube::Config::new(cluster.url().parse().unwrap());
        config.default_retry = false;
        let events = mpsc::unbounded_channel().0;
        let client = Client::try_from(config).unwrap();
        let server = Server { client, request_timeout: FOREVER, events };
        for fault in faults {
            cluster.fault(*fault);
        }
        (cluster, server)
    }

    async fn namespace(server: &Server) -> (Place, String) {
        let resource = namespaces();
        let name = "n".to_owned();
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let manifest = Manifest { resource: resource.clone(), namespace: None, name: name.clone(), body };
        let created = server.create(&manifest, false).await.unwrap();
        (Place { resource, namespace: None, name }, uid(&created).unwrap().to_string())
    }

    #[tokio::test]
    async fn a_watched_object_is_seen_to_go_without_a_pause() {
        let (_cluster, server) = server(&[]).await;
        let (place, uid) = namespace(&server).await;
        let mut lookout = Lookout::new(place.clone());
        assert!(lookout.next(&server, FOREVER).await.unwrap().is_some());
        server.delete(&place, &uid).await.unwrap();
        while lookout.next(&server, FOREVER).await.unwrap().is_some() {}
        assert!(matches!(lookout.watch, Watch::Open(_)));
    }

    #[tokio::test]
    async fn what_may_not_be_watched_is_looked_at_after_a_pause() {
        let (_cluster, server) = server(&[Fault::always(&["watch"], &[], Effect::Forbidden)]).await;
        let (place, uid) = namespace(&server).await;
        let mut lookout = Lookout::new(place.clone());
        assert!(lookout.next(&server, Duration::ZERO).await.unwrap().is_some());
        assert!(matches!(lookout.watch, Watch::Refused));
        server.delete(&place, &uid).await.unwrap();
        while lookout.next(&server, Duration::from_millis(10)).await.unwrap().is_some() {}
    }

    #[tokio::test]
    async fn a_lost_watch_begins_again() {
        let (cluster, server) = server(&[]).await;
        let (place, uid) = namespace(&server).await;
        let mut lookout = Lookout::new(place.clone());
        // A look, and what the watch tells first.
        for _ in 0..2 {
            assert!(lookout.next(&server, FOREVER).await.unwrap().is_some());
        }
        cluster.cut_watches();
        assert!(lookout.next(&server, Duration::ZERO).await.unwrap().is_some());
        server.delete(&place, &uid).await.unwrap();
        while lookout.next(&server, FOREVER).await.unwrap().is_some() {}
        assert!(matches!(lookout.watch, Watch::Open(_)));
    }
}
