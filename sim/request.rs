//! What a request asks for: its path, verb and parameters.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::resources::{Resource, find};
use super::status::ApiError;

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct ApiRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) content_type: String,
    pub(super) accept: String,
    /// Who asks, with regard to impersonation.
    pub(super) user: String,
    pub(super) body: Bytes,
}

/// Objects that a request is about.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) resource: Resource,
    pub(super) version: String,
    /// Empty for all namespaces and for kinds without.
    pub(super) namespace: String,
    /// Empty for a collection.
    pub(super) name: String,
    pub(super) subresource: String,
    /// As in RBAC.
    pub(super) verb: &'static str,
}

impl ApiRequest {
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1")
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.parameter("dryRun") == "All"
    }

    /// The body as JSON; empty means null.
    pub(super) fn json(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        if self.content_type.contains("protobuf") || self.content_type.contains("cbor") {
            let message = format!("the body of the request was in an unknown format - {}", self.content_type);
            return Err(ApiError::new(415, "UnsupportedMediaType", message));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| ApiError::bad_request(format!("couldn't get version/kind; json parse error: {error}")))
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// The objects meant; `None` if the path is not one of objects.
    pub(super) fn target(&self) -> Option<Target> {
        let segments = self.segments();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, plural, rest) = match rest {
            ["namespaces", namespace, plural, rest @ ..] => (*namespace, *plural, rest),
            [plural, rest @ ..] => ("", *plural, rest),
            [] => return None,
        };
        let (name, subresource) = match rest {
            [] => ("", ""),
            [name] => (*name, ""),
            [name, subresource] => (*name, *subresource),
            _ => return None,
        };
        let resource = find(group, plural)?;
        if !resource.namespaced && !namespace.is_empty() {
            return None;
        }
        let verb = match (self.method.as_str(), name.is_empty()) {
            ("GET" | "HEAD", true) if self.flag("watch") => "watch",
            ("GET" | "HEAD", true) => "list",
            ("GET" | "HEAD", false) => "get",
            ("POST", _) => "create",
            ("PATCH", false) => "patch",
            ("DELETE", false) => "delete",
            _ => "",
        };
        Some(Target {
            resource,
            version: version.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
            verb,
        })
    }
}

/// Reads a query string.
pub(super) fn parse_query(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// Undoes percent encoding; what is no encoding stays.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is meant, in words: verb, resource, namespace, name, subresource.
    fn target(method: &str, path: &str) -> Option<String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: parse_query(query),
            content_type: String::new(),
            accept: String::new(),
            user: String::new(),
            body: Bytes::new(),
        };
        let target = request.target()?;
        Some(format!("{} {} {}|{}|{}", target.verb, target.resource, target.namespace, target.name, target.subresource))
    }

    #[test]
    fn paths_and_methods_say_what_is_meant() {
        for (method, path, meant) in [
            ("GET", "/api/v1/pods?watch=true", "watch pods ||"),
            ("GET", "/api/v1/namespaces/n/pods/p", "get pods n|p|"),
            ("PATCH", "/api/v1/namespaces/n/pods/p/status", "patch pods n|p|status"),
            ("DELETE", "/api/v1/namespaces/n", "delete namespaces |n|"),
            (
                "POST",
                "/apis/snapshot.storage.k8s.io/v1/namespaces/n/volumesnapshots",
                "create volumesnapshots.snapshot.storage.k8s.io n||",
            ),
        ] {
            assert_eq!(target(method, path).as_deref(), Some(meant));
        }
        for path in ["/apis/storage.k8s.io/v1/namespaces/n/csinodes", "/apis/apps/v1", "/api/v1/what", "/version", "/"]
        {
            assert_eq!(target("GET", path), None);
        }
    }

    #[test]
    fn queries_are_decoded() {
        let query = parse_query("labelSelector=a%2Fb%3Dc&limit=5&watch&x=1+2%zz");
        assert_eq!(query.get("labelSelector").map(String::as_str), Some("a/b=c"));
        assert_eq!(query.get("x").map(String::as_str), Some("1 2%zz"));
        assert_eq!(query.get("watch").map(String::as_str), Some(""));
    }
}
