//! Follows a kind's objects in a namespace, by `kube_runtime`'s watcher: a list, then a watch from its resource version. A
//! watch that ends goes on where it was, so that nothing is missed: above all not the last state of a pod that has gone
//! since. Where watches are refused, a list once a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::Request;
use kube::Api;
use kube::api::DynamicObject;
use kube::client::Body;
use kube_runtime::watcher::{self, Event, watcher};
use serde_json::Value;
use snapready_checks::model::object::Kind;
use tokio::time::{Instant, sleep, sleep_until};
use tower::service_fn;

use super::client::resource;
use super::failure::Failure;
use super::limit::is_watch;
use super::objects::{Objects, into_value};
use super::retry::{Pause, Retry};

/// What was seen.
#[derive(Debug)]
pub(crate) enum Watched {
    /// A list is about to be read.
    Listing,
    /// All objects, as they were after [`Watched::Listing`].
    Listed(Vec<Value>),
    /// An object came or changed.
    Changed(Value),
    /// An object went, or its labels were changed.
    Gone(Value),
}

/// How often a list is read when watching is not allowed.
const POLL: Duration = Duration::from_secs(1);
/// So long a watch may be silent before nobody relies on it: a connection can be dead without anybody knowing.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// After so many seconds the API server ends a watch; `kube_runtime` takes one for dead that is silent for five more, which
/// makes [`SILENCE`]. Two seconds before it ends a watch, the API server sends a bookmark, so that the version from which the
/// next one goes on is never too old (`nextBookmarkTime` in `apiserver/pkg/storage/cacher/cache_watcher.go`).
const WATCH_SECONDS: u32 = 5;
/// Between the beginnings of two watches. The watcher itself begins one that has ended at once, over and over.
const BETWEEN: Duration = Duration::from_millis(250);

/// Follows objects for as long as the stream is read. `labels` select some of them.
pub(crate) fn watch_namespace(
    objects: Objects,
    kind: Kind,
    namespace: &str,
    labels: Option<String>,
) -> BoxStream<'static, Watched> {
    let api = Api::namespaced_with(spaced(&objects), namespace, &resource(&kind));
    let config = watcher::Config { label_selector: labels, ..watcher::Config::default().timeout(WATCH_SECONDS) };
    let request = format!("GET {}", api.resource_url());
    let watch =
        Watch { objects, kind, api, config, request, watcher: None, listed: Vec::new(), pause: Pause::default() };
    stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) }).boxed()
}

struct Watch {
    objects: Objects,
    kind: Kind,
    api: Api<DynamicObject>,
    config: watcher::Config,
    /// The list, in events.
    request: String,
    /// `None`: it begins with a list.
    watcher: Option<BoxStream<'static, watcher::Result<Event<DynamicObject>>>>,
    listed: Vec<Value>,
    pause: Pause,
}

impl Watch {
    async fn next(&mut self) -> Watched {
        loop {
            let begin = || watcher(self.api.clone(), self.config.clone()).boxed();
            match self.watcher.get_or_insert_with(begin).next().await {
                Some(Ok(Event::Init)) => {
                    self.listed.clear();
                    return Watched::Listing;
                }
                Some(Ok(Event::InitApply(object))) => self.listed.push(into_value(&self.kind, object)),
                Some(Ok(Event::InitDone)) => return Watched::Listed(std::mem::take(&mut self.listed)),
                Some(Ok(Event::Apply(object))) => {
                    self.pause = Pause::default();
                    return Watched::Changed(into_value(&self.kind, object));
                }
                Some(Ok(Event::Delete(object))) => return Watched::Gone(into_value(&self.kind, object)),
                Some(Err(error)) => self.recover(error).await,
                None => self.watcher = None,
            }
        }
    }

    /// Waits, and decides whether the watcher goes on. Even a refusal need not last: an API server that starts knows nobody's
    /// rights yet.
    async fn recover(&mut self, error: watcher::Error) {
        let limit = self.objects.client.limit();
        let failure = match &error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => Failure::of_kube(error, limit),
            watcher::Error::WatchError(status) => Failure::of_status(status),
            watcher::Error::NoResourceVersion => Failure::unreadable(error.to_string()),
        };
        if matches!(error, watcher::Error::InitialListFailed(_)) {
            if failure.is_transient() {
                self.objects.retrying(Retry { request: self.request.clone(), reason: failure.to_string() });
            }
        } else if failure.status != 0 {
            // The watcher asks for the same version again, whatever the answer was; it may be too old (410).
            self.watcher = None;
            if failure.is_final() && failure.status != 410 {
                return sleep(POLL).await;
            }
        }
        // kube drops the header Retry-After, with which an API server that is too busy asks for a second.
        let asked = failure.retry_after.or_else(|| (failure.status == 429).then_some(Duration::from_secs(1)));
        sleep(self.pause.next(asked)).await;
    }
}

/// The client, which lets some time pass between the beginnings of two watches.
fn spaced(objects: &Objects) -> kube::Client {
    let client = objects.client.kube().clone();
    let namespace = client.default_namespace().to_owned();
    let earliest = Arc::new(Mutex::new(Instant::now()));
    let send = service_fn(move |request: Request<Body>| {
        let (client, earliest) = (client.clone(), Arc::clone(&earliest));
        async move {
            if request.uri().query().is_some_and(is_watch) {
                let begin = {
                    let mut next = earliest.lock().unwrap_or_else(PoisonError::into_inner);
                    let begin = (*next).max(Instant::now());
                    *next = begin + BETWEEN;
                    begin
                };
                sleep_until(begin).await;
            }
            client.send(request).await
        }
    });
    kube::Client::new(send, namespace)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use bytes::Bytes;
    use http_body_util::StreamBody;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::api::Client;

    fn pods(client: kube::Client) -> BoxStream<'static, Watched> {
        let events = mpsc::unbounded_channel().0;
        let objects = Objects::new(&Client::new(client, None), Duration::from_secs(30), events);
        watch_namespace(objects, Kind::POD, "n", None)
    }

    /// The body of a watch that ends at once; any other never ends by itself.
    const ENDS: &str = "ends";

    /// What is seen of an API server that answers lists and watches, each counted from 1, with a status and a body.
    fn answered(answer: impl Fn(&str, u32) -> (u16, Value) + Send + 'static) -> BoxStream<'static, Watched> {
        let [lists, watches] = [AtomicU32::new(1), AtomicU32::new(1)];
        pods(kube::Client::new(
            tower::service_fn(move |request: http::Request<Body>| {
                let watch = request.uri().query().unwrap_or_default().contains("watch=");
                let (kind, count) = if watch { ("watch", &watches) } else { ("list", &lists) };
                let (code, body) = answer(kind, count.fetch_add(1, Ordering::Relaxed));
                let ends = body == ENDS;
                let first = if body.is_null() || ends { Bytes::new() } else { Bytes::from(format!("{body}\n")) };
                let first = stream::iter([Ok::<_, std::io::Error>(hyper::body::Frame::data(first))]);
                let rest =
                    if watch && code == 200 && !ends { stream::pending().boxed() } else { stream::empty().boxed() };
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

    fn refused(code: u16) -> Value {
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "code": code })
    }

    /// Names of what is listed and of what comes, until something comes.
    async fn seen(stream: BoxStream<'static, Watched>) -> Vec<String> {
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        let mut stream = stream;
        let mut names = Vec::new();
        // Of the clock that is stopped: whoever waits for ever fails at once.
        while let Ok(Some(seen)) = tokio::time::timeout(Duration::from_secs(3600), stream.next()).await {
            match seen {
                Watched::Listing => names.push("?".to_owned()),
                Watched::Listed(objects) => names.extend(objects.iter().map(name)),
                Watched::Changed(object) => {
                    names.push(name(&object));
                    return names;
                }
                Watched::Gone(_) => {}
            }
        }
        names
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_for_a_while_is_followed_again() {
        for code in [403, 405] {
            let stream = answered(move |kind, count| match (kind, count) {
                ("list", 2..) => (200, list()),
                ("watch", 3..) => (200, json!({ "type": "ADDED", "object": pod("came") })),
                _ => (code, refused(code)),
            });
            assert_eq!(seen(stream).await, ["?", "?", "listed", "?", "listed", "?", "listed", "came"]);
        }
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

    #[tokio::test(start_paused = true)]
    async fn watches_that_end_at_once_go_on_where_they_were_but_not_over_and_over() {
        let start = Instant::now();
        let stream = answered(|kind, count| match (kind, count) {
            ("list", _) => (200, list()),
            (_, 1..=8) => (200, json!(ENDS)),
            _ => (200, json!({ "type": "ADDED", "object": pod("came") })),
        });
        assert_eq!(seen(stream).await, ["?", "listed", "came"]);
        assert_eq!(start.elapsed(), 8 * BETWEEN);
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_that_is_too_old_is_followed_by_a_list() {
        let gone =
            || json!({ "kind": "Status", "status": "Failure", "reason": "Expired", "message": "old", "code": 410 });
        for told in [json!({ "type": "ERROR", "object": gone() }), gone()] {
            let code = if told.get("type").is_some() { 200 } else { 410 };
            let stream = answered(move |kind, count| match (kind, count) {
                ("list", _) => (200, list()),
                (_, 1) => (code, told.clone()),
                _ => (200, json!({ "type": "ADDED", "object": pod("came") })),
            });
            assert_eq!(seen(stream).await, ["?", "listed", "?", "listed", "came"], "{code}");
        }
    }
}
