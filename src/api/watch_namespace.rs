//! What is seen of a set of objects: a list, then a watch from its resource version; a new list when the watch is lost.

use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use kube::api::{ApiResource, DynamicObject, ListParams, TypeMeta, WatchEvent, WatchParams};
use serde_json::Value;

use super::api::{Pause, Server, into_value};

/// What was seen.
#[derive(Debug)]
pub(crate) enum Followed {
    /// All objects, as they were after [`Followed::Listing`].
    Listed(Vec<Value>),
    /// A list is about to be read.
    Listing,
    /// An object came or changed.
    Changed(Value),
    /// An object went, or its labels were changed.
    Gone(Value),
}

/// What is followed.
#[derive(Debug, Clone)]
pub(crate) struct Following {
    pub(crate) resource: ApiResource,
    pub(crate) namespace: String,
    /// `None`: all objects.
    pub(crate) labels: Option<String>,
}

enum Phase {
    Announce,
    List,
    Watch(String),
    Open(BoxStream<'static, kube::Result<WatchEvent<DynamicObject>>>, String),
    /// Only lists are allowed.
    Poll,
}

/// How often a list is read when watching is not allowed.
const POLL: Duration = Duration::from_secs(1);
/// So long a watch may be silent before nobody relies on it: a connection can be dead without anybody knowing.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// Follows objects for as long as the stream is read.
pub(crate) fn follow(server: Server, what: Following) -> BoxStream<'static, Followed> {
    let start = (server, what, Phase::Announce, Pause::default());
    stream::unfold(start, |(server, what, mut phase, mut pause)| async move {
        loop {
            let (seen, next) = turn(&server, &what, phase, &mut pause).await;
            phase = next;
            if let Some(seen) = seen {
                return Some((seen, (server, what, phase, pause)));
            }
        }
    })
    .boxed()
}

async fn turn(server: &Server, what: &Following, phase: Phase, pause: &mut Pause) -> (Option<Followed>, Phase) {
    match phase {
        Phase::Announce => (Some(Followed::Listing), Phase::List),
        Phase::List => match list(server, what).await {
            Some((seen, version)) => (Some(seen), Phase::Watch(version)),
            // Even a refusal need not last: an API server that starts knows nobody's rights yet.
            None => rest(pause, Phase::Announce).await,
        },
        Phase::Poll => {
            tokio::time::sleep(POLL).await;
            (None, Phase::Announce)
        }
        Phase::Watch(version) => {
            let api = server.api(&what.resource, Some(&what.namespace));
            let parameters = WatchParams { label_selector: what.labels.clone(), ..WatchParams::default() };
            let opened = tokio::time::timeout(server.request_timeout, api.watch(&parameters, &version)).await;
            match opened {
                Ok(Ok(watch)) => (None, Phase::Open(watch.boxed(), version)),
                Ok(Err(kube::Error::Api(status))) if status.code == 403 => (None, Phase::Poll),
                Ok(Err(kube::Error::Api(_))) => rest(pause, Phase::Announce).await,
                Ok(Err(_)) | Err(_) => rest(pause, Phase::Watch(version)).await,
            }
        }
        Phase::Open(mut watch, version) => match tokio::time::timeout(SILENCE, watch.try_next()).await {
            Err(_) => (None, Phase::Watch(version)),
            Ok(Ok(Some(WatchEvent::Added(object) | WatchEvent::Modified(object)))) => {
                *pause = Pause::default();
                let version = object.metadata.resource_version.clone().unwrap_or(version);
                (Some(Followed::Changed(into_value(object))), Phase::Open(watch, version))
            }
            Ok(Ok(Some(WatchEvent::Deleted(object)))) => {
                let version = object.metadata.resource_version.clone().unwrap_or(version);
                (Some(Followed::Gone(into_value(object))), Phase::Open(watch, version))
            }
            Ok(Ok(Some(WatchEvent::Bookmark(bookmark)))) => {
                (None, Phase::Open(watch, bookmark.metadata.resource_version))
            }
            // The server ends watches now and then, and connections are lost; what was missed is still to be had from
            // there: above all the last state of a pod that has gone since.
            Ok(Ok(None) | Err(_)) => rest(pause, Phase::Watch(version)).await,
            // 410 Gone.
            Ok(Ok(Some(WatchEvent::Error(_)))) => rest(pause, Phase::Announce).await,
        },
    }
}

/// Goes on after a pause.
async fn rest(pause: &mut Pause, next: Phase) -> (Option<Followed>, Phase) {
    tokio::time::sleep(pause.next(None)).await;
    (None, next)
}

/// The objects, and the version that a watch goes on from; `None` if the API server refuses.
async fn list(server: &Server, what: &Following) -> Option<(Followed, String)> {
    let parameters = ListParams { label_selector: what.labels.clone(), ..ListParams::default() };
    let list = server.list(&what.resource, Some(&what.namespace), &parameters, u32::MAX).await.ok()?;
    let version = list.metadata.resource_version.clone().unwrap_or_default();
    let objects = list.items.into_iter().map(|mut object| {
        // The items of a list do not say what they are; the list does.
        object.types.get_or_insert_with(|| TypeMeta {
            api_version: what.resource.api_version.clone(),
            kind: what.resource.kind.clone(),
        });
        into_value(object)
    });
    Some((Followed::Listed(objects.collect()), version))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use bytes::Bytes;
    use http_body_util::StreamBody;
    use kube::Client;
    use kube::client::Body;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::roundtrip::ledger::Role;

    fn pods(client: Client) -> BoxStream<'static, Followed> {
        let events = mpsc::unbounded_channel().0;
        let server = Server { client, request_timeout: Duration::from_secs(30), events };
        follow(server, Following { resource: Role::Writer.resource(), namespace: "n".to_owned(), labels: None })
    }

    /// What is seen of an API server that answers lists and watches, each counted from 1, with a status and a body; a watch
    /// never ends by itself.
    fn answered(answer: fn(&str, u32) -> (u16, Value)) -> BoxStream<'static, Followed> {
        let [lists, watches] = [AtomicU32::new(1), AtomicU32::new(1)];
        pods(Client::new(
            tower::service_fn(move |request: http::Request<Body>| {
                let watch = request.uri().query().unwrap_or_default().contains("watch=");
                let (kind, count) = if watch { ("watch", &watches) } else { ("list", &lists) };
                let (code, body) = answer(kind, count.fetch_add(1, Ordering::Relaxed));
                let first = if body.is_null() { Bytes::new() } else { Bytes::from(format!("{body}\n")) };
                let first = stream::iter([Ok::<_, std::io::Error>(hyper::body::Frame::data(first))]);
                let rest = if watch && code == 200 { stream::pending().boxed() } else { stream::empty().boxed() };
                let response = http::Response::builder().status(code).body(StreamBody::new(first.chain(rest)));
                async move { response }
            }),
            "n",
        ))
    }

    fn pod(name: &str) -> Value {
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "resourceVersion": "2" } })
    }

    fn list() -> Value {
        json!({ "apiVersion": "v1", "kind": "PodList", "metadata": { "resourceVersion": "1" }, "items": [pod("listed")] })
    }

    fn forbidden() -> Value {
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "message": "no", "code": 403 })
    }

    /// Names of what is listed and of what comes, until something comes.
    async fn seen(stream: BoxStream<'static, Followed>) -> Vec<String> {
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        let mut stream = stream;
        let mut names = Vec::new();
        // Of the clock that is stopped: whoever waits for ever fails at once.
        while let Ok(Some(seen)) = tokio::time::timeout(Duration::from_secs(3600), stream.next()).await {
            match seen {
                Followed::Listing => names.push("?".to_owned()),
                Followed::Listed(objects) => names.extend(objects.iter().map(name)),
                Followed::Changed(object) => {
                    names.push(name(&object));
                    return names;
                }
                Followed::Gone(_) => {}
            }
        }
        names
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_for_a_while_is_followed_again() {
        let stream = answered(|kind, count| match (kind, count) {
            ("list", 2..) => (200, list()),
            ("watch", 3..) => (200, json!({ "type": "ADDED", "object": pod("came") })),
            _ => (403, forbidden()),
        });
        assert_eq!(seen(stream).await, ["?", "?", "listed", "?", "listed", "?", "listed", "came"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_whose_connection_is_dead_begins_again() {
        let stream = answered(|kind, count| match (kind, count) {
            ("list", _) => (200, list()),
            (_, 1) => (200, Value::Null),
            _ => (200, json!({ "type": "ADDED", "object": pod("came") })),
        });
        assert_eq!(seen(stream).await, ["?", "listed", "came"]);
    }
}
