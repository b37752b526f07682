//! Why a request failed, and what follows from it.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use kube::core::Status;
use snapready_checks::knowledge::refusals;

use super::no_answer::NoAnswer;

/// Why a request failed. `Display` says it in one line, which has no more than some 300 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// HTTP status; 0 if there was no answer, or none that can be read.
    pub status: u16,
    /// Kubernetes' reason in one word.
    pub reason: String,
    /// Text for people; what Kubernetes says, in full.
    pub message: String,
    /// How long the server asks to wait; never more than half a minute, whatever it asks for.
    pub retry_after: Option<Duration>,
    /// Why there was no answer, if that is why.
    pub(crate) no_answer: Option<NoAnswer>,
    /// Asking again would bring the same.
    hopeless: bool,
}

impl Failure {
    fn new(status: u16, reason: &str, message: String) -> Self {
        let (reason, retry_after, no_answer) = (reason.to_owned(), None, None);
        Self { status, reason, message, retry_after, no_answer, hopeless: false }
    }

    /// No answer: why. `limit` is how long the request could take.
    pub(super) fn without_answer(error: &kube::Error, limit: Option<Duration>) -> Self {
        let why = NoAnswer::of(error);
        let message = match (&why, limit) {
            (NoAnswer::TimedOut { connecting: false }, Some(limit)) => {
                format!("no answer within {}", humantime::format_duration(limit))
            }
            (why, _) => why.reason(),
        };
        Self { no_answer: Some(why), ..Self::new(0, "", message) }
    }

    /// What kube says of a request that it made itself, for a watch.
    pub(super) fn of_kube(error: &kube::Error, limit: Option<Duration>) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            error => Self::without_answer(error, limit),
        }
    }

    /// A `Status` alone.
    pub(super) fn of_status(status: &Status) -> Self {
        let details = status.details.as_ref();
        let told = details.map(|details| Duration::from_secs(details.retry_after_seconds.into()));
        Self { retry_after: wait(told), ..Self::new(status.code, &status.reason, status.message.clone()) }
    }

    /// An answer that is a success, but is not what was asked for.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(0, "", message.into())
    }

    /// An answer of more bytes than are read.
    pub(super) fn too_large(most: usize) -> Self {
        let message = format!("the answer is larger than {} MiB", most / (1024 * 1024));
        Self { hopeless: true, ..Self::new(0, "", message) }
    }

    /// A request that was not made, for it would be invalid.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message.into())
    }

    /// An answer that is no success. The API server says how long to wait in a header, in the `Status`, or in both; a
    /// proxy before it sends no `Status` at all.
    pub(super) fn answer(code: StatusCode, header: Option<Duration>, body: &[u8]) -> Self {
        let status = serde_json::from_slice::<Status>(body).ok();
        let details = status.as_ref().and_then(|status| status.details.as_ref());
        let told = details.map(|details| Duration::from_secs(details.retry_after_seconds.into()));
        let retry_after = wait(told.max(header));
        let (reason, told) = status.map(|status| (status.reason, status.message)).unwrap_or_default();
        let message = if told.is_empty() {
            let first = String::from_utf8_lossy(body).lines().next().map(shorten).unwrap_or_default();
            format!("{code} {first}").trim_end().to_owned()
        } else {
            told
        };
        Self { retry_after, ..Self::new(code.as_u16(), &reason, message) }
    }

    /// Whether the same request may well be answered later: there was no answer, or one of a server in trouble.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match (self.status, &self.no_answer) {
            (0, Some(why)) => why.is_transient(),
            (0, None) => !self.hopeless,
            (status, _) => matches!(status, 408 | 429 | 500..=599),
        }
    }

    /// Whether the server refused before anything was stored, and may accept the same request in a moment.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self.status, 400..=599) && refusals::may_pass(&self.message)
    }

    /// Whether the server refused for good: nothing was done, and nothing will be.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.status, 400..=499) && !matches!(self.status, 408 | 429) && !self.may_pass()
    }

    /// Whether the request was certainly never sent.
    #[must_use]
    pub fn was_not_sent(&self) -> bool {
        self.no_answer.as_ref().is_some_and(NoAnswer::was_not_sent)
    }

    /// Whether the server certainly did not process the request, and may do so later. If neither this holds nor
    /// [`Failure::is_final`], it may have taken effect, or may still.
    #[must_use]
    pub fn was_not_processed(&self) -> bool {
        self.was_not_sent() || self.status == 429 || self.may_pass()
    }
}

/// The longest wait that a server can ask for.
const LONGEST: Duration = Duration::from_secs(30);

fn wait(asked: Option<Duration>) -> Option<Duration> {
    asked.filter(|wait| !wait.is_zero()).map(|wait| wait.min(LONGEST))
}

impl fmt::Display for Failure {
    /// `503 Service Unavailable etcd has no leader`, or why there was no answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = shorten(&self.message);
        match StatusCode::from_u16(self.status) {
            Ok(code) if !message.starts_with(code.as_str()) => write!(f, "{code} {message}"),
            Ok(_) | Err(_) => f.write_str(&message),
        }
    }
}

/// At most 300 characters: what comes from a server has no length that could be trusted.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::api::NotRenewed;

    fn status(details: &serde_json::Value) -> Vec<u8> {
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 429,
            "reason": "TooManyRequests", "message": "later", "details": details})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn the_longer_of_two_waits_is_kept() {
        let wait = |header: Option<u64>, details| {
            let header = header.map(Duration::from_secs);
            let failure = Failure::answer(StatusCode::TOO_MANY_REQUESTS, header, &status(&details));
            failure.retry_after.map(|wait| wait.as_secs())
        };
        assert_eq!(wait(None, json!({})), None);
        assert_eq!(wait(Some(0), json!({})), None);
        assert_eq!(wait(Some(3), json!({})), Some(3));
        assert_eq!(wait(None, json!({"retryAfterSeconds": 2})), Some(2));
        assert_eq!(wait(Some(3), json!({"retryAfterSeconds": 2})), Some(3));
    }

    #[test]
    fn what_a_proxy_says_is_understood() {
        let page = b"<html>\n<title>503</title>";
        let failure = Failure::answer(StatusCode::SERVICE_UNAVAILABLE, Some(Duration::from_secs(7)), page);
        assert_eq!((failure.status, failure.retry_after), (503, Some(Duration::from_secs(7))));
        assert_eq!(failure.message, "503 Service Unavailable <html>");
        assert_eq!(failure.to_string(), failure.message);
        assert!(failure.is_transient() && !failure.is_final());
    }

    fn refused(code: StatusCode, reason: &str, message: &str) -> Failure {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code.as_u16(),
            "reason": reason, "message": message});
        Failure::answer(code, None, status.to_string().as_bytes())
    }

    #[test]
    fn a_request_is_only_called_not_processed_if_that_is_certain() {
        let conflict = "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified";
        let quota = "pods \"p\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1";
        let late = "Internal error occurred: resource quota evaluation timed out";
        for (failure, not_processed, last_word) in [
            (refused(StatusCode::CONFLICT, "Conflict", conflict), true, false),
            (refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", late), true, false),
            (refused(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "later"), true, false),
            (refused(StatusCode::FORBIDDEN, "Forbidden", quota), false, true),
            (refused(StatusCode::CONFLICT, "AlreadyExists", "pods \"p\" already exists"), false, true),
            (refused(StatusCode::REQUEST_TIMEOUT, "Timeout", ""), false, false),
            (refused(StatusCode::GATEWAY_TIMEOUT, "Timeout", "timed out"), false, false),
            (refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "etcdserver: leader changed"), false, false),
            (Failure::without_answer(&kube::Error::Service(Box::new(NotRenewed)), None), true, false),
            (Failure::unreadable("no JSON"), false, false),
        ] {
            assert_eq!((failure.was_not_processed(), failure.is_final()), (not_processed, last_word), "{failure:?}");
        }
    }
}
