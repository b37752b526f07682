//! Why a request failed, and whether it may be made again.

use std::time::Duration;

use http::StatusCode;
use kube::core::Status;

use crate::cluster::request::message;

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
    pub(super) fn timeout(limit: Duration) -> Self {
        Self::silent(format!("no answer within {} s", limit.as_secs()), false)
    }

    pub(super) fn silent(message: String, unsent: bool) -> Self {
        Self { status: 0, reason: String::new(), message, retry_after: None, unsent }
    }

    /// No answer: why.
    pub(super) fn of(error: &kube::Error) -> Self {
        let unsent = match error {
            kube::Error::Service(cause) => connecting(cause.as_ref()),
            kube::Error::BuildRequest(_) => true,
            _ => false,
        };
        Self::silent(text(error), unsent)
    }

    /// An answer that is no success. The API server says how long to wait in a header, in the `Status`, or in both; a
    /// proxy before it sends no `Status` at all.
    pub(super) fn answer(code: StatusCode, header: Option<u32>, body: &[u8]) -> Self {
        let status = serde_json::from_slice::<Status>(body).ok();
        let details = status.as_ref().and_then(|status| status.details.as_ref());
        let wait = details.map(|details| details.retry_after_seconds).max(header).filter(|wait| *wait > 0);
        let (reason, told) = status.map(|status| (status.reason, status.message)).unwrap_or_default();
        let message = if told.is_empty() { format!("{code} {}", message(body)).trim_end().to_owned() } else { told };
        Self { status: code.as_u16(), reason, message, retry_after: wait, unsent: false }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(details: &serde_json::Value) -> Vec<u8> {
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 429,
            "reason": "TooManyRequests", "message": "later", "details": details})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn the_longer_of_two_waits_is_kept() {
        let wait =
            |header, details| Failure::answer(StatusCode::TOO_MANY_REQUESTS, header, &status(&details)).retry_after;
        assert_eq!(wait(None, json!({})), None);
        assert_eq!(wait(Some(0), json!({})), None);
        assert_eq!(wait(Some(3), json!({})), Some(3));
        assert_eq!(wait(None, json!({"retryAfterSeconds": 2})), Some(2));
        assert_eq!(wait(Some(3), json!({"retryAfterSeconds": 2})), Some(3));
    }

    #[test]
    fn what_a_proxy_says_is_understood() {
        let page = b"<html>\n<title>503</title>";
        let failure = Failure::answer(StatusCode::SERVICE_UNAVAILABLE, Some(7), page);
        assert_eq!((failure.status, failure.retry_after), (503, Some(7)));
        assert_eq!(failure.message, "503 Service Unavailable <html>");
        assert!(failure.transient() && !failure.definite());
    }
}
