//! The one loop that sends a request again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::time::{Instant, sleep};

use super::failure::Failure;
use super::log::name;
use crate::model::Happening;

/// A request that failed and is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Method and path.
    pub request: String,
    /// What came back.
    pub reason: String,
}

impl From<Retry> for Happening {
    fn from(retry: Retry) -> Self {
        Self::Retrying { request: retry.request, reason: retry.reason }
    }
}

/// How often, and for how long, a request is sent again.
#[derive(Clone, Copy)]
pub(crate) struct Policy<'a> {
    tries: u32,
    within: Option<Duration>,
    answered: bool,
    endless: bool,
    on_retry: &'a (dyn Fn(Retry) + Send + Sync),
}

impl<'a> Policy<'a> {
    /// So often at most; `on_retry` is told each time.
    pub(crate) fn tries(tries: u32, on_retry: &'a (dyn Fn(Retry) + Send + Sync)) -> Self {
        Self { tries, within: None, answered: false, endless: false, on_retry }
    }

    /// Until nobody waits for the answer any more, whatever keeps it away: for objects that must not be left behind.
    pub(crate) fn endless(on_retry: &'a (dyn Fn(Retry) + Send + Sync)) -> Self {
        Self { endless: true, ..Self::tries(u32::MAX, on_retry) }
    }

    /// With all tries and pauses no longer than this.
    pub(crate) fn within(self, limit: Option<Duration>) -> Self {
        Self { within: limit, ..self }
    }

    /// Only if there was an answer: who cannot be reached is reported at once.
    pub(crate) fn if_answered(self) -> Self {
        Self { answered: true, ..self }
    }
}

/// The tries of one request.
pub(super) struct Retries<'a> {
    policy: &'a Policy<'a>,
    request: String,
    deadline: Option<Instant>,
    left: u32,
    pause: Pause,
}

impl<'a> Retries<'a> {
    pub(super) fn new(policy: &'a Policy<'a>, request: &Request<Bytes>) -> Self {
        // A limit that the clock cannot express is none.
        let deadline = policy.within.and_then(|within| Instant::now().checked_add(within));
        Self { policy, request: name(request), deadline, left: policy.tries.saturating_sub(1), pause: Pause::default() }
    }

    /// Waits before the next try; gives the failure back if there is to be none.
    pub(super) async fn wait_after(&mut self, failure: Failure) -> Result<(), Failure> {
        let may_help = failure.is_transient() || failure.may_pass() || (self.policy.endless && failure.status == 0);
        if !may_help || self.left == 0 || (self.policy.answered && failure.status == 0) {
            return Err(failure);
        }
        let wait = self.pause.next(failure.retry_after);
        if self.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) {
            return Err(failure);
        }
        self.left -= 1;
        (self.policy.on_retry)(Retry { request: self.request.clone(), reason: failure.to_string() });
        sleep(wait).await;
        Ok(())
    }
}

/// Pauses that grow, with jitter, so that many clients do not come back at once.
#[derive(Debug, Default)]
pub(crate) struct Pause(u32);

impl Pause {
    /// The next pause; not shorter than the server asks for.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let base = 100_u64.saturating_mul(1 << self.0.min(6)).min(5_000);
        self.0 = self.0.saturating_add(1);
        let jitter = RandomState::new().build_hasher().finish() % (base / 2 + 1);
        let pause = Duration::from_millis(base + jitter);
        asked.map_or(pause, |asked| asked.max(pause))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use http::Response;
    use kube::client::Body;
    use tower::BoxError;

    use super::*;
    use crate::api::Client;

    /// A policy that tells this of its retries.
    type Of = for<'a> fn(&'a (dyn Fn(Retry) + Send + Sync)) -> Policy<'a>;

    /// How often a request is sent to a server that gives this answer, or breaks the connection, within an hour; and whether
    /// each retry is told.
    async fn sent(policy: Of, answer: Option<(u16, &'static str)>) -> u32 {
        let (count, told) = (Arc::new(AtomicU32::new(0)), AtomicU32::new(0));
        let counted = Arc::clone(&count);
        let service = tower::service_fn(move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move {
                let (code, body) =
                    answer.ok_or_else(|| BoxError::from(io::Error::from(io::ErrorKind::ConnectionReset)))?;
                Ok::<_, BoxError>(Response::builder().status(code).body(Body::from(body.as_bytes().to_vec()))?)
            }
        });
        let client = Client::new(kube::Client::new(service, "n"), None);
        let on_retry = |_| {
            told.fetch_add(1, Ordering::Relaxed);
        };
        let policy = policy(&on_retry);
        let request = Request::get("/version").body(Bytes::new()).unwrap();
        let hour = Duration::from_secs(3600);
        let answer = tokio::time::timeout(hour, client.ask(request, &policy, |answer| Ok(answer.clone()))).await;
        let sent = count.load(Ordering::Relaxed);
        // A request that was still being sent again has told of its next try.
        assert_eq!(told.load(Ordering::Relaxed), if answer.is_ok() { sent - 1 } else { sent });
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_help_is_sent_again_as_often_as_the_policy_says() {
        const CONFLICT: &str = r#"{"kind":"Status","reason":"Conflict","message":"the object has been modified"}"#;
        for (answer, expected) in [
            (Some((503, "no leader")), 3),
            (Some((429, "")), 3),
            (Some((409, CONFLICT)), 3),
            (None, 3),
            (Some((409, "{}")), 1),
            (Some((403, "")), 1),
            (Some((404, "")), 1),
            (Some((302, "")), 1),
            (Some((200, "")), 1),
        ] {
            assert_eq!(sent(|told| Policy::tries(3, told), answer).await, expected, "{answer:?}");
        }
        let if_answered: Of = |told| Policy::tries(3, told).if_answered();
        assert_eq!(sent(if_answered, None).await, 1);
        assert_eq!(sent(if_answered, Some((503, ""))).await, 3);
        assert_eq!(
            sent(|told| Policy::tries(9, told).within(Some(Duration::from_millis(200))), Some((503, ""))).await,
            2
        );
        assert!(sent(|told| Policy::endless(told), None).await > 100);
    }
}
