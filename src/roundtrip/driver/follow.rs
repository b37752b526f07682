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
    /// An object went.
    Gone(Value),
    /// The right is missing; nothing more will be seen.
    Forbidden,
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
    End,
}

/// How often a list is read when watching is not allowed.
const POLL: Duration = Duration::from_secs(1);

/// Follows objects for as long as the stream is read.
pub(crate) fn follow(server: Server, what: Following) -> BoxStream<'static, Followed> {
    let start = (server, what, Phase::Announce, Pause::default());
    stream::unfold(start, |(server, what, mut phase, mut pause)| async move {
        loop {
            let (seen, next) = turn(&server, &what, phase, &mut pause).await?;
            phase = next;
            if let Some(seen) = seen {
                return Some((seen, (server, what, phase, pause)));
            }
        }
    })
    .boxed()
}

async fn turn(server: &Server, what: &Following, phase: Phase, pause: &mut Pause) -> Option<(Option<Followed>, Phase)> {
    Some(match phase {
        Phase::End => return None,
        Phase::Announce => (Some(Followed::Listing), Phase::List),
        Phase::List => list(server, what).await,
        Phase::Poll => {
            tokio::time::sleep(POLL).await;
            let (seen, next) = list(server, what).await;
            (seen, if matches!(next, Phase::End) { next } else { Phase::Poll })
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
        Phase::Open(mut watch, version) => match watch.try_next().await {
            Ok(Some(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                *pause = Pause::default();
                let version = object.metadata.resource_version.clone().unwrap_or(version);
                (Some(Followed::Changed(into_value(object))), Phase::Open(watch, version))
            }
            Ok(Some(WatchEvent::Deleted(object))) => {
                let version = object.metadata.resource_version.clone().unwrap_or(version);
                (Some(Followed::Gone(into_value(object))), Phase::Open(watch, version))
            }
            Ok(Some(WatchEvent::Bookmark(bookmark))) => (None, Phase::Open(watch, bookmark.metadata.resource_version)),
            // The server ends watches now and then, and connections are lost; what was missed is still to be had from
            // there: above all the last state of a pod that has gone since.
            Ok(None) | Err(_) => rest(pause, Phase::Watch(version)).await,
            // 410 Gone.
            Ok(Some(WatchEvent::Error(_))) => rest(pause, Phase::Announce).await,
        },
    })
}

/// Goes on after a pause.
async fn rest(pause: &mut Pause, next: Phase) -> (Option<Followed>, Phase) {
    tokio::time::sleep(pause.next(None)).await;
    (None, next)
}

async fn list(server: &Server, what: &Following) -> (Option<Followed>, Phase) {
    let parameters = ListParams { label_selector: what.labels.clone(), ..ListParams::default() };
    match server.list(&what.resource, Some(&what.namespace), &parameters, u32::MAX).await {
        Ok(list) => {
            let version = list.metadata.resource_version.clone().unwrap_or_default();
            let objects = list.items.into_iter().map(|mut object| {
                // The items of a list do not say what they are; the list does.
                object.types.get_or_insert_with(|| TypeMeta {
                    api_version: what.resource.api_version.clone(),
                    kind: what.resource.kind.clone(),
                });
                into_value(object)
            });
            (Some(Followed::Listed(objects.collect())), Phase::Watch(version))
        }
        Err(_) => (Some(Followed::Forbidden), Phase::End),
    }
}
