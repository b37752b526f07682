//! Requests to the API server: what is repeated, what is not, and what an error says about the object.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GetParams, ListParams, ObjectList, PostParams, Preconditions,
};
use kube::client::Body;
use kube::core::{Request, Resource};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;

use super::failure::Failure;
use crate::cluster::request::{read, retry_after};
use crate::model::{Happening, ObjectName};
use crate::roundtrip::machine::DeleteAnswer;
use crate::roundtrip::objects::Manifest;

/// Where an object lies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) resource: ApiResource,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn object(&self) -> ObjectName {
        ObjectName { kind: self.resource.kind.clone(), namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

/// The way to the API server. Its client must not retry by itself: a repeated create could create twice.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) client: Client,
    /// How long one request may take.
    pub(crate) request_timeout: Duration,
    pub(crate) events: mpsc::UnboundedSender<Happening>,
}

impl Server {
    pub(crate) fn api(&self, resource: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, resource),
            None => Api::all_with(self.client.clone(), resource),
        }
    }

    /// Makes a request, once.
    async fn once<T: DeserializeOwned>(&self, request: Built) -> Result<T, Failure> {
        let answer = async {
            let request = request.map_err(kube::Error::BuildRequest)?;
            let response = self.client.send(request.map(Body::from)).await?;
            let (status, wait) = (response.status(), retry_after(&response));
            Ok::<_, kube::Error>((status, wait, read(response.into_body()).await?))
        };
        let (status, wait, body) = match tokio::time::timeout(self.request_timeout, answer).await {
            Ok(answer) => answer.map_err(|error| Failure::of(&error))?,
            Err(_) => return Err(Failure::timeout(self.request_timeout)),
        };
        if !status.is_success() {
            let seconds = wait.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
            return Err(Failure::answer(status, seconds, &body));
        }
        serde_json::from_slice(&body)
            .map_err(|error| Failure::silent(format!("the answer cannot be understood: {error}"), false))
    }

    /// Makes a request again until it is answered, or refused for good; only for what does no harm twice. Ends when its
    /// caller stops waiting, or after `tries`.
    async fn again<T: DeserializeOwned>(
        &self,
        name: &str,
        tries: u32,
        request: impl Fn() -> Built,
    ) -> Result<T, Failure> {
        let mut pause = Pause::default();
        let mut left = tries;
        loop {
            match self.once(request()).await {
                Err(failure) if failure.transient() && left > 1 => {
                    left -= 1;
                    self.tell_retrying(name, &failure);
                    tokio::time::sleep(pause.next(failure.retry_after)).await;
                }
                answer => return answer,
            }
        }
    }

    fn tell_retrying(&self, name: &str, failure: &Failure) {
        let event = Happening::Retrying { request: name.to_owned(), reason: failure.message.clone() };
        // Nobody listens any more: then nobody needs to know.
        let _ = self.events.send(event);
    }

    /// Creates an object; once.
    pub(crate) async fn create(&self, manifest: &Manifest, dry_run: bool) -> Result<Value, Failure> {
        let parameters = PostParams { dry_run, field_manager: Some("snapready".to_owned()) };
        let body = manifest.body.to_string().into_bytes();
        self.once(at(&manifest.resource, manifest.namespace.as_deref()).create(&parameters, body)).await
    }

    /// Asks for an object as a dry run, again if the server could not answer.
    pub(crate) async fn dry_run(&self, manifest: &Manifest) -> Result<(), Failure> {
        let name = format!("create {} {} (dry run)", manifest.resource.plural, manifest.name);
        let mut pause = Pause::default();
        for _ in 0..DRY_RUNS {
            match self.create(manifest, true).await {
                Ok(_) => return Ok(()),
                Err(failure) if failure.status == 409 => return Ok(()),
                // A webhook that cannot be asked without consequences: the real create will tell.
                Err(failure) if failure.status == 400 && failure.message.contains("does not support dry run") => {
                    return Ok(());
                }
                // A namespace's default service account comes a moment after the namespace.
                Err(failure)
                    if failure.transient() || failure.message.contains("serviceaccount \"default\" not found") =>
                {
                    self.tell_retrying(&name, &failure);
                    tokio::time::sleep(pause.next(failure.retry_after)).await;
                }
                Err(failure) => return Err(failure),
            }
        }
        self.create(manifest, true).await.map(|_| ())
    }

    /// Reads an object; `None` if there is none.
    pub(crate) async fn get(&self, place: &Place) -> Result<Option<Value>, Failure> {
        let request = at(&place.resource, place.namespace.as_deref());
        let name = format!("get {} {}", place.resource.plural, place.name);
        match self.again(&name, u32::MAX, || request.get(&place.name, &GetParams::default())).await {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.status == 404 => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Lists objects.
    pub(crate) async fn list(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        parameters: &ListParams,
        tries: u32,
    ) -> Result<ObjectList<DynamicObject>, Failure> {
        let request = at(resource, namespace);
        self.again(&format!("list {}", resource.plural), tries, || request.list(parameters)).await
    }

    /// Deletes an object, if it has this UID; again if the server could not answer.
    pub(crate) async fn delete(&self, place: &Place, uid: &str) -> Result<DeleteAnswer, Failure> {
        let request = at(&place.resource, place.namespace.as_deref());
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
            ..DeleteParams::background()
        };
        let name = format!("delete {} {}", place.resource.plural, place.name);
        // What comes back is the object, or a `Status`.
        let answer: Result<Value, Failure> =
            self.again(&name, u32::MAX, || request.delete(&place.name, &parameters)).await;
        match answer {
            Ok(_) => Ok(DeleteAnswer::Accepted),
            Err(failure) if failure.status == 404 => Ok(DeleteAnswer::Absent),
            // A namespace that is going already answers 409 as well, but with another text.
            Err(failure) if failure.status == 409 && failure.message.contains("UID") => Ok(DeleteAnswer::OtherUid),
            Err(failure) if failure.status == 409 => Ok(DeleteAnswer::Accepted),
            Err(failure) => Err(failure),
        }
    }
}

const DRY_RUNS: u32 = 5;

/// A request, unless there can be none like this.
type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

fn at(resource: &ApiResource, namespace: Option<&str>) -> Request {
    Request::new(DynamicObject::url_path(resource, namespace))
}

pub(crate) fn into_value(object: DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or(Value::Null)
}

/// How long to wait when a server asks for so many seconds: not forever, whatever it asks for.
pub(super) fn asked_for(seconds: u32) -> Duration {
    Duration::from_secs(seconds.min(30).into())
}

/// Pauses that grow, with jitter, so that many clients do not come back at once.
#[derive(Default)]
pub(crate) struct Pause(u32);

impl Pause {
    pub(crate) fn next(&mut self, asked: Option<u32>) -> Duration {
        let base = 100_u64.saturating_mul(1 << self.0.min(6)).min(5_000);
        self.0 = self.0.saturating_add(1);
        let jitter = RandomState::new().build_hasher().finish() % (base / 2 + 1);
        let pause = Duration::from_millis(base + jitter);
        asked.map_or(pause, |seconds| asked_for(seconds).max(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::Instant;

    use crate::roundtrip::kinds::namespaces;

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
        let server = Server { client: Client::new(service, "n"), request_timeout: Duration::from_secs(30), events };
        let manifest = Manifest { resource: namespaces(), namespace: None, name: "n".to_owned(), body: json!({}) };
        let start = Instant::now();
        server.dry_run(&manifest).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 7);
        let Some(Happening::Retrying { request, reason }) = told.recv().await else { panic!("nothing was told") };
        assert_eq!(request, "create namespaces n (dry run)");
        assert!(reason.starts_with("503"), "{reason}");
    }
}
