//! The requests of a look at a cluster. Only those that change nothing go through here: GET, and access reviews.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};

use crate::api::{Client, Failure, JSON, Policy, Retry};

/// How often a request is sent at most.
const TRIES: u32 = 5;
/// How many are under way at a time.
const AT_ONCE: usize = 8;

/// Sends requests.
pub(super) struct Requests<'a> {
    client: Client,
    /// How long a request may take with all its retries.
    within: Option<Duration>,
    on_retry: &'a (dyn Fn(Retry) + Send + Sync),
}

impl<'a> Requests<'a> {
    pub(super) fn new(client: &Client, on_retry: &'a (dyn Fn(Retry) + Send + Sync)) -> Self {
        Self { within: client.limit(), client: client.clone().at_once(AT_ONCE), on_retry }
    }

    /// GET. `accept` is the form that is asked for.
    pub(super) async fn get(&self, path: &str, accept: &'static str) -> Result<Bytes, Failure> {
        self.ask(Method::GET, path, accept, Bytes::new()).await
    }

    /// POST of something that the API server answers and forgets.
    pub(super) async fn review(&self, path: &str, body: Bytes) -> Result<Bytes, Failure> {
        self.ask(Method::POST, path, JSON, body).await
    }

    async fn ask(&self, method: Method, path: &str, accept: &'static str, body: Bytes) -> Result<Bytes, Failure> {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        let request =
            request.body(body).map_err(|error| Failure::invalid(format!("no such request can be made: {error}")))?;
        self.client
            .ask(request, &Policy::tries(TRIES, self.on_retry).within(self.within), |answer| Ok(answer.clone()))
            .await
    }
}
