//! Errors in Kubernetes' own form and words.

use serde_json::{Value, json};

use super::resources::Definition;

/// An error as the API server answers it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApiError {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
    details: Value,
    /// Seconds to wait, for the header and the details.
    pub(super) retry_after: Option<u32>,
}

impl ApiError {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: json!({}), retry_after: None }
    }

    fn about(mut self, resource: &Definition, name: &str) -> Self {
        let mut details = json!({ "kind": resource.plural });
        if let Some(map) = details.as_object_mut() {
            if !name.is_empty() {
                map.insert("name".to_owned(), json!(name));
            }
            if !resource.group.is_empty() {
                map.insert("group".to_owned(), json!(resource.group));
            }
        }
        self.details = details;
        self
    }

    fn caused_by(mut self, reason: &str, message: &str) -> Self {
        if let Some(map) = self.details.as_object_mut() {
            map.insert("causes".to_owned(), json!([{ "reason": reason, "message": message }]));
        }
        self
    }

    pub(super) fn not_found(resource: &Definition, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{resource} \"{name}\" not found")).about(resource, name)
    }

    pub(super) fn already_exists(resource: &Definition, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{resource} \"{name}\" already exists")).about(resource, name)
    }

    pub(super) fn conflict(resource: &Definition, name: &str, why: &str) -> Self {
        Self::new(409, "Conflict", format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}"))
            .about(resource, name)
    }

    pub(super) fn modified(resource: &Definition, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    pub(super) fn forbidden(resource: &Definition, name: &str, why: &str) -> Self {
        let subject = if name.is_empty() { resource.to_string() } else { format!("{resource} \"{name}\"") };
        Self::new(403, "Forbidden", format!("{subject} is forbidden: {why}")).about(resource, name)
    }

    pub(super) fn terminating(resource: &Definition, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        Self::forbidden(resource, name, &why)
            .caused_by("NamespaceTerminating", &format!("namespace {namespace} is being terminated"))
    }

    pub(super) fn invalid(resource: &Definition, name: &str, field: &str, why: &str) -> Self {
        let message = format!("{}{} \"{name}\" is invalid: {field}: {why}", resource.kind, dotted(resource.group));
        Self::new(422, "Invalid", message).about(resource, name)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// Of a list whose continue token is too old.
    pub(super) fn continue_expired() -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
             a new list without the continue parameter, or use the continue token in this response to retrieve the \
             remainder of the results. Continuing with the provided token results in an inconsistent list - objects \
             that were created, modified, or deleted between the time the first chunk was returned and now may show \
             up in the list.";
        Self::new(410, "Expired", message)
    }

    /// Of a watch or a list whose resource version is too old.
    pub(super) fn expired(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    pub(super) fn too_large_version(asked: u64, current: u64) -> Self {
        let mut error = Self::new(504, "Timeout", format!("Too large resource version: {asked}, current: {current}"))
            .caused_by("ResourceVersionTooLarge", "Too large resource version");
        error.retry_after = Some(1);
        error
    }

    pub(super) fn too_many_requests(seconds: u32) -> Self {
        let message = "the server has received too many requests and has asked us to try again later";
        let mut error = Self::new(429, "TooManyRequests", message);
        error.retry_after = Some(seconds);
        error
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// What an API server, or a proxy before it, answers when it is in trouble.
    pub(super) fn trouble(code: u16) -> Self {
        match code {
            503 => Self::new(503, "ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => Self::new(
                504,
                "Timeout",
                "Timeout: request did not complete within requested timeout - context deadline exceeded",
            ),
            _ => Self::new(code, "InternalError", "Internal error occurred: etcdserver: leader changed"),
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// The `Status` object.
    pub(super) fn body(&self) -> Value {
        let mut details = self.details.clone();
        if let (Some(seconds), Some(map)) = (self.retry_after, details.as_object_mut()) {
            map.insert("retryAfterSeconds".to_owned(), json!(seconds));
        }
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "details": details, "code": self.code,
        })
    }
}

fn dotted(group: &str) -> String {
    if group.is_empty() { String::new() } else { format!(".{group}") }
}
