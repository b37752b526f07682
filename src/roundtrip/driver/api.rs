//! Requests to the API server: what is repeated, what is not, and what an error says about the object.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, ObjectList, PostParams, Preconditions};
use kube::core::Status;
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::report::document::ObjectName;
use crate::report::events::Happening;
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

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// HTTP status; 0 if there was no answer.
    pub status: u16,
    /// Kubernetes' reason in one word.
    pub reason: String,
    /// Text for people.
    pub message: String,
    /// How long the server asks to wait, in seconds.
    pub retry_after: Option<u32>,
    /// The request was certainly never sent.
    pub unsent: bool,
}

impl Failure {
    fn timeout(limit: Duration) -> Self {
        Self::silent(format!("no answer within {} s", limit.as_secs()), false)
    }

    fn silent(message: String, unsent: bool) -> Self {
        Self { status: 0, reason: String::new(), message, retry_after: None, unsent }
    }

    fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::status(status),
            kube::Error::Service(cause) => Self::silent(text(error), connecting(cause.as_ref())),
            _ => Self::silent(text(error), false),
        }
    }

    fn status(status: &Status) -> Self {
        let wait = status.details.as_ref().map(|details| details.retry_after_seconds).filter(|wait| *wait > 0);
        Self {
            status: status.code,
            reason: status.reason.clone(),
            message: status.message.clone(),
            retry_after: wait,
            unsent: false,
        }
    }

    /// Whether asking again may help.
    pub(crate) fn transient(&self) -> bool {
        matches!(self.status, 0 | 408 | 429 | 500..=599)
    }

    /// Whether the server refused, so that nothing was done and nothing will be.
    pub(crate) fn definite(&self) -> bool {
        matches!(self.status, 400..=499) && self.status != 408
    }

    /// Whether the server certainly did not process the request, and may do so later.
    pub(crate) fn unprocessed(&self) -> bool {
        self.unsent || self.status == 429
    }
}

/// The error with all its causes, on one line.
fn text(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

fn connecting(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
        {
            return true;
        }
        cause = error.source();
    }
    false
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

    async fn once<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.request_timeout, request).await {
            Ok(answer) => answer.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure::timeout(self.request_timeout)),
        }
    }

    /// Makes a request again until it is answered, or refused for good; only for what does no harm twice. Ends when its
    /// caller stops waiting, or after `tries`.
    async fn again<T, F: Future<Output = kube::Result<T>>>(
        &self,
        name: &str,
        tries: u32,
        request: impl Fn() -> F,
    ) -> Result<T, Failure> {
        let mut pause = Pause::default();
        let mut left = tries;
        loop {
            match self.once(request()).await {
                Err(failure) if failure.transient() && left > 1 => {
                    left -= 1;
                    let event = Happening::Retrying { request: name.to_owned(), reason: failure.message.clone() };
                    // Nobody listens any more: then nobody needs to know.
                    let _ = self.events.send(event);
                    tokio::time::sleep(pause.next(failure.retry_after)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Creates an object; once.
    pub(crate) async fn create(&self, manifest: &Manifest, dry_run: bool) -> Result<Value, Failure> {
        let api = self.api(&manifest.resource, manifest.namespace.as_deref());
        let body: DynamicObject = serde_json::from_value(manifest.body.clone())
            .map_err(|error| Failure::silent(format!("not an object: {error}"), true))?;
        let parameters = PostParams { dry_run, field_manager: Some("snapready".to_owned()) };
        self.once(api.create(&parameters, &body)).await.map(into_value)
    }

    /// Asks for an object as a dry run, again if the server could not answer.
    pub(crate) async fn dry_run(&self, manifest: &Manifest) -> Result<(), Failure> {
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
                    tokio::time::sleep(pause.next(failure.retry_after)).await;
                }
                Err(failure) => return Err(failure),
            }
        }
        self.create(manifest, true).await.map(|_| ())
    }

    /// Reads an object; `None` if there is none.
    pub(crate) async fn get(&self, place: &Place) -> Result<Option<Value>, Failure> {
        let api = self.api(&place.resource, place.namespace.as_deref());
        let name = format!("get {} {}", place.resource.plural, place.name);
        match self.again(&name, u32::MAX, || api.get(&place.name)).await {
            Ok(object) => Ok(Some(into_value(object))),
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
        let api = self.api(resource, namespace);
        self.again(&format!("list {}", resource.plural), tries, || api.list(parameters)).await
    }

    /// Deletes an object, if it has this UID; again if the server could not answer.
    pub(crate) async fn delete(&self, place: &Place, uid: &str) -> Result<DeleteAnswer, Failure> {
        let api = self.api(&place.resource, place.namespace.as_deref());
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
            ..DeleteParams::background()
        };
        let name = format!("delete {} {}", place.resource.plural, place.name);
        match self.again(&name, u32::MAX, || api.delete(&place.name, &parameters)).await {
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

pub(crate) fn into_value(object: DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or(Value::Null)
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
        asked.map_or(pause, |seconds| Duration::from_secs(u64::from(seconds.min(30))).max(pause))
    }
}
