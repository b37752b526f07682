//! One request after the other, with a few retries. Only requests that change nothing go through here: GET, and access
//! reviews.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::cluster::trouble::Trouble;

/// A request that failed and is made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Method and path.
    pub request: String,
    /// What came back.
    pub reason: String,
}

/// How often a request is made at most.
const ATTEMPTS: u32 = 5;
/// What is waited for before the second attempt; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// HTTP/1.1 takes a connection for each request under way, and each takes a TLS handshake.
const AT_ONCE: usize = 8;
/// The largest answer that is read. 500 objects of the largest size that etcd takes by default would be 750 MiB; real pages
/// are below 10 MiB.
const LARGEST: usize = 256 * 1024 * 1024;

/// What a request ended with, if not with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// 403.
    Forbidden(String),
    /// 404.
    NotFound,
    /// 410: the list's snapshot of etcd is gone.
    Gone,
    /// Everything else, for people.
    Other(String),
}

/// Makes requests.
pub(super) struct Requests<'a> {
    client: &'a Client,
    /// How long a request may take with all its retries.
    within: Option<Duration>,
    on_retry: &'a (dyn Fn(Retry) + Send + Sync),
    under_way: Semaphore,
}

impl<'a> Requests<'a> {
    pub(super) fn new(
        client: &'a Client,
        within: Option<Duration>,
        on_retry: &'a (dyn Fn(Retry) + Send + Sync),
    ) -> Self {
        Self { client, within, on_retry, under_way: Semaphore::new(AT_ONCE) }
    }

    /// GET. `accept` is the form that is asked for.
    pub(super) async fn get(&self, path: &str, accept: &'static str) -> Result<Bytes, Failure> {
        self.ask(&Method::GET, path, accept, &Bytes::new()).await
    }

    /// POST of something that the API server answers and forgets.
    pub(super) async fn review(&self, path: &str, body: Bytes) -> Result<Bytes, Failure> {
        self.ask(&Method::POST, path, JSON, &body).await
    }

    async fn ask(&self, method: &Method, path: &str, accept: &'static str, body: &Bytes) -> Result<Bytes, Failure> {
        let deadline = self.within.and_then(|within| Instant::now().checked_add(within));
        let mut attempt = 1;
        loop {
            let (after, reason) = match self.once(method, path, accept, body).await {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Failure(failure) => return Err(failure),
                Outcome::Passing { after, reason } => (after, reason),
            };
            let wait = after.unwrap_or(FIRST_WAIT * 2_u32.pow(attempt - 1));
            let too_late = deadline.is_some_and(|deadline| Instant::now() + wait >= deadline);
            if attempt == ATTEMPTS || too_late {
                return Err(Failure::Other(reason));
            }
            // The continue token in a path is long and says nothing.
            let request = format!("{method} {}", path.split('?').next().unwrap_or(path));
            (self.on_retry)(Retry { request, reason });
            sleep(wait).await;
            attempt += 1;
        }
    }

    async fn once(&self, method: &Method, path: &str, accept: &'static str, body: &Bytes) -> Outcome {
        let Ok(_permit) = self.under_way.acquire().await else {
            return Outcome::Failure(Failure::Other("the run has ended".to_owned()));
        };
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        let request = match request.body(Body::from(body.clone())) {
            Ok(request) => request,
            Err(error) => return Outcome::Failure(Failure::Other(format!("no such request can be made: {error}"))),
        };
        let answer = async {
            let response = self.client.send(request).await?;
            let (status, after) = (response.status(), retry_after(&response));
            Ok::<_, kube::Error>((status, after, read(response.into_body()).await?))
        };
        let (status, after, body) = match answer.await {
            Ok(answer) => answer,
            Err(error) => {
                let trouble = Trouble::of(&error);
                let reason = shorten(&trouble.reason());
                return if trouble.is_passing() {
                    Outcome::Passing { after: None, reason }
                } else {
                    Outcome::Failure(Failure::Other(reason))
                };
            }
        };
        let told = || format!("{status} {}", message(&body)).trim_end().to_owned();
        match status {
            status if status.is_success() => Outcome::Answer(body),
            StatusCode::FORBIDDEN => Outcome::Failure(Failure::Forbidden(message(&body))),
            StatusCode::NOT_FOUND => Outcome::Failure(Failure::NotFound),
            StatusCode::GONE => Outcome::Failure(Failure::Gone),
            StatusCode::TOO_MANY_REQUESTS => Outcome::Passing { after, reason: told() },
            status if status.is_server_error() => Outcome::Passing { after, reason: told() },
            _ => Outcome::Failure(Failure::Other(told())),
        }
    }
}

/// Plain JSON.
pub(super) const JSON: &str = "application/json";

enum Outcome {
    Answer(Bytes),
    Failure(Failure),
    /// May be over soon; `after` is when the server says so.
    Passing {
        after: Option<Duration>,
        reason: String,
    },
}

/// `Retry-After` in seconds; the API server sends no dates.
pub(crate) fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Reads an answer, up to a limit.
pub(crate) async fn read(body: Body) -> Result<Bytes, kube::Error> {
    Ok(Limited::new(body, LARGEST).collect().await.map_err(kube::Error::Service)?.to_bytes())
}

/// What an answer that is no success says: the message of a `Status`, or its first line.
pub(crate) fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    match serde_json::from_slice::<Status>(body) {
        Ok(status) => shorten(&status.message),
        Err(_) => shorten(String::from_utf8_lossy(body).lines().next().unwrap_or_default()),
    }
}

/// At most 300 characters: what comes from a server has no length that could be trusted.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value in a query.
pub(super) fn escape(value: &str) -> String {
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
