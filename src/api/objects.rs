//! Objects by name: what is repeated, what is not, and what an error says about the object.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use kube::api::{
    DeleteParams, DynamicObject, GetParams, ListParams, ObjectList, Patch, PatchParams, PostParams, Preconditions,
};
use kube::core::request::Error as Unbuildable;
use serde::de::DeserializeOwned;
use serde_json::Value;
use snapready_checks::model::object::{Kind, ObjectName};
use tokio::sync::mpsc;

use super::client::{Client, resource};
use super::failure::Failure;
use super::retry::{Policy, Retry};
use crate::model::Happening;

/// Where an object lies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn object(&self) -> ObjectName {
        ObjectName { kind: self.kind.name.to_owned(), namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

/// What came of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// The object is to be deleted, or already was to be.
    Accepted,
    /// There is none.
    Absent,
    /// An object of this name has another UID.
    OtherUid,
}

/// Reads, creates and deletes objects. Each request has a time limit.
#[derive(Clone)]
pub(crate) struct Objects {
    pub(crate) client: Client,
    /// Is told of each request that is sent again.
    pub(crate) events: mpsc::UnboundedSender<Happening>,
    /// How long one request may take.
    pub(crate) request_timeout: Duration,
}

impl Objects {
    pub(crate) fn new(client: &Client, request_timeout: Duration, events: mpsc::UnboundedSender<Happening>) -> Self {
        Self { client: client.with_limit(request_timeout), events, request_timeout }
    }

    pub(super) fn retrying(&self, retry: Retry) {
        // Nobody listens any more: then nobody needs to know.
        let _ = self.events.send(retry.into());
    }

    /// Creates an object; once, for a second request could create a second time.
    pub(crate) async fn create(&self, place: &Place, body: &Value) -> Result<Value, Failure> {
        json(&self.client.once(create(place, body, false)?).await?)
    }

    /// Asks for an object as a dry run, again if the server could not answer or refused what may pass. What would be
    /// stored; `None` if that cannot be told before the real create.
    pub(crate) async fn dry_run(&self, place: &Place, body: &Value) -> Result<Option<Value>, Failure> {
        let on_retry = |retry| self.retrying(retry);
        let policy = Policy::tries(DRY_RUNS, &on_retry);
        match self.client.ask(create(place, body, true)?, &policy, json::<Value>).await {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.status == 409 && failure.is_final() => Ok(None),
            // A webhook that cannot be asked without consequences: the real create will tell.
            Err(failure) if failure.status == 400 && failure.message.contains("does not support dry run") => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Reads an object; `None` if there is none. Ends when its caller stops waiting, or is refused.
    pub(crate) async fn get(&self, place: &Place) -> Result<Option<Value>, Failure> {
        let request = sendable(at(&place.kind, place.namespace.as_deref()).get(&place.name, &GetParams::default()))?;
        let on_retry = |retry| self.retrying(retry);
        match self.client.ask(request, &Policy::endless(&on_retry), json).await {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.status == 404 => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Lists objects.
    pub(crate) async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        parameters: &ListParams,
        tries: u32,
    ) -> Result<Vec<Value>, Failure> {
        let request = sendable(at(kind, namespace).list(parameters))?;
        let on_retry = |retry| self.retrying(retry);
        let list: ObjectList<DynamicObject> = self.client.ask(request, &Policy::tries(tries, &on_retry), json).await?;
        Ok(list.items.into_iter().map(|object| into_value(kind, object)).collect())
    }

    /// Changes fields of an object; again if the server could not answer.
    pub(crate) async fn merge(&self, place: &Place, change: &Value) -> Result<(), Failure> {
        let parameters = PatchParams { field_manager: Some("snapready".to_owned()), ..PatchParams::default() };
        let to = at(&place.kind, place.namespace.as_deref());
        let request = sendable(to.patch(&place.name, &parameters, &Patch::Merge(change)))?;
        let on_retry = |retry| self.retrying(retry);
        self.client.ask(request, &Policy::endless(&on_retry), json::<Value>).await.map(|_| ())
    }

    /// Deletes an object, if it has this UID; again if the server could not answer.
    pub(crate) async fn delete(&self, place: &Place, uid: &str) -> Result<Deleted, Failure> {
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
            ..DeleteParams::background()
        };
        let request = sendable(at(&place.kind, place.namespace.as_deref()).delete(&place.name, &parameters))?;
        let on_retry = |retry| self.retrying(retry);
        // What comes back is the object, or a `Status`.
        match self.client.ask(request, &Policy::endless(&on_retry), json::<Value>).await {
            Ok(_) => Ok(Deleted::Accepted),
            Err(failure) if failure.status == 404 => Ok(Deleted::Absent),
            // A namespace that is going already answers 409 as well, but with another text.
            Err(failure) if failure.status == 409 && failure.message.contains("UID") => Ok(Deleted::OtherUid),
            Err(failure) if failure.status == 409 => Ok(Deleted::Accepted),
            Err(failure) => Err(failure),
        }
    }
}

/// How often a dry run is asked for at most.
const DRY_RUNS: u32 = 6;

fn at(kind: &Kind, namespace: Option<&str>) -> kube::core::Request {
    kube::core::Request::new(<DynamicObject as kube::Resource>::url_path(&resource(kind), namespace))
}

fn create(place: &Place, body: &Value, dry_run: bool) -> Result<Request<Bytes>, Failure> {
    let parameters = PostParams { dry_run, field_manager: Some("snapready".to_owned()) };
    let body = body.to_string().into_bytes();
    sendable(at(&place.kind, place.namespace.as_deref()).create(&parameters, body))
}

fn sendable(request: Result<Request<Vec<u8>>, Unbuildable>) -> Result<Request<Bytes>, Failure> {
    request
        .map(|request| request.map(Bytes::from))
        .map_err(|error| Failure::invalid(format!("no such request can be made: {error}")))
}

fn json<T: DeserializeOwned>(answer: &Bytes) -> Result<T, Failure> {
    serde_json::from_slice(answer)
        .map_err(|error| Failure::unreadable(format!("the answer cannot be understood: {error}")))
}

/// An object as JSON. The items of a list do not say what they are; the list does.
pub(super) fn into_value(kind: &Kind, mut object: DynamicObject) -> Value {
    object
        .types
        .get_or_insert_with(|| kube::api::TypeMeta { api_version: kind.api_version(), kind: kind.name.to_owned() });
    serde_json::to_value(object).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::client::Body;
    use serde_json::json;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_waits_as_long_as_it_is_asked_to_and_says_so() {
        let calls = AtomicU32::new(0);
        let service = tower::service_fn(move |_: http::Request<Body>| {
            let mut response = http::Response::new(Body::from(b"{}".to_vec()));
            if calls.fetch_add(1, Ordering::Relaxed) == 0 {
                *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
                response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"));
            }
            async move { Ok::<_, std::convert::Infallible>(response) }
        });
        let (events, mut told) = mpsc::unbounded_channel();
        let client = Client::new(kube::Client::new(service, "n"), None);
        let objects = Objects::new(&client, Duration::from_secs(30), events);
        let place = Place { kind: Kind::NAMESPACE, namespace: None, name: "n".to_owned() };
        let start = Instant::now();
        objects.dry_run(&place, &json!({})).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 7);
        let Some(Happening::Retrying { request, reason }) = told.recv().await else { panic!("nothing was told") };
        assert_eq!(request, "POST /api/v1/namespaces (dry run)");
        assert!(reason.starts_with("503"), "{reason}");
    }
}
