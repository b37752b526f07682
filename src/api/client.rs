//! The client: sends a request, once or again, and says of one that failed why.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::Api;
use kube::api::{ApiResource, DynamicObject};
use kube::client::Body;
use snapready_checks::model::object::Kind;
use tokio::sync::Semaphore;
use tower::{Layer, service_fn};
use tracing::debug;

use super::failure::Failure;
use super::limit::Limit;
use super::log::{Log, name};
use super::retry::{Policy, Retries};

/// The largest answer that is read. 500 objects of the largest size that etcd takes by default would be 750 MiB; real pages
/// are below 10 MiB.
const LARGEST: usize = 256 * 1024 * 1024;

/// Plain JSON.
pub(crate) const JSON: &str = "application/json";

/// Sends requests to an API server. Each is logged, has a time limit, and is sent once; what is to be sent again says so
/// with a policy.
#[derive(Clone)]
pub struct Client {
    /// Without log and limit.
    plain: kube::Client,
    kube: kube::Client,
    limit: Option<Duration>,
    under_way: Option<Arc<Semaphore>>,
}

impl Client {
    /// A client over one of kube's, which must not retry by itself (`Config::default_retry`): a create that is sent twice
    /// could create twice. `limit` is how long a request may take, and a watch until it begins.
    #[must_use]
    pub fn new(plain: kube::Client, limit: Option<Duration>) -> Self {
        let namespace = plain.default_namespace().to_owned();
        let inner = plain.clone();
        let send = service_fn(move |request: Request<Body>| {
            let inner = inner.clone();
            async move { inner.send(request).await }
        });
        let kube = kube::Client::new(Log.layer(Limit(limit).layer(send)), namespace);
        Self { plain, kube, limit, under_way: None }
    }

    /// The same with another time limit.
    #[must_use]
    pub fn with_limit(&self, limit: Duration) -> Self {
        Self { under_way: self.under_way.clone(), ..Self::new(self.plain.clone(), Some(limit)) }
    }

    /// The same with at most so many requests under way; watches do not count. HTTP/1.1 takes a connection for each, and
    /// each takes a TLS handshake.
    #[must_use]
    pub(crate) fn at_once(self, requests: usize) -> Self {
        Self { under_way: Some(Arc::new(Semaphore::new(requests))), ..self }
    }

    /// How long a request may take.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// kube's own client, with log and limit, for watches.
    pub(super) fn kube(&self) -> &kube::Client {
        &self.kube
    }

    /// kube's own view of a kind's objects, for watches.
    pub(super) fn api(&self, kind: &Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(self.kube.clone(), namespace, &resource(kind)),
            None => Api::all_with(self.kube.clone(), &resource(kind)),
        }
    }

    /// Sends a request, once, and reads the answer.
    pub(crate) async fn once(&self, request: Request<Bytes>) -> Result<Bytes, Failure> {
        let _permit = match &self.under_way {
            Some(under_way) => under_way.acquire().await.ok(),
            None => None,
        };
        let name = name(&request);
        let unanswered = |error: &kube::Error| Failure::without_answer(error, self.limit);
        let response = self.kube.send(request.map(Body::from)).await.map_err(|error| unanswered(&error))?;
        let (status, after) = (response.status(), retry_after(&response));
        let body = match Limited::new(response.into_body(), LARGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(Failure::too_large(LARGEST));
            }
            Err(error) => {
                let failure = unanswered(&kube::Error::Service(error));
                debug!("{name}: {failure}, while its answer was read");
                return Err(failure);
            }
        };
        if status.is_success() { Ok(body) } else { Err(Failure::answer(status, after, &body)) }
    }

    /// Sends a request again until it is answered and `read` can read the answer, as often as the policy says; only what
    /// does no harm twice.
    pub(crate) async fn ask<T>(
        &self,
        request: Request<Bytes>,
        policy: &Policy<'_>,
        read: impl Fn(&Bytes) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut retries = Retries::new(policy, &request);
        loop {
            match self.once(request.clone()).await.and_then(|answer| read(&answer)) {
                Ok(answer) => return Ok(answer),
                Err(failure) => retries.wait_after(failure).await?,
            }
        }
    }
}

/// `Retry-After` in seconds; the API server sends no dates.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A kind as kube names it.
pub(super) fn resource(kind: &Kind) -> ApiResource {
    ApiResource {
        group: kind.group.to_owned(),
        version: kind.version.to_owned(),
        api_version: kind.api_version(),
        kind: kind.name.to_owned(),
        plural: kind.plural.to_owned(),
    }
}

/// A value in a query.
pub(crate) fn escape(value: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            byte => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}
