//! Lists, page by page. Each page is read straight into the slim types and cut down before the next one is asked for.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use snapready_checks::model::interest::Interest;
use snapready_checks::model::listed::Listed;
use snapready_checks::model::need::Rule;
use snapready_checks::model::nulls;
use snapready_checks::model::object::Kind;
use snapready_checks::model::probe::Probe;

use crate::api::{Failure, JSON, escape, shorten};
use crate::facts::live::request::Requests;

/// The path of a kind's objects in all namespaces, or in the cluster.
pub(super) fn path(kind: &Kind) -> String {
    let Kind { group, version, plural, .. } = kind;
    if group.is_empty() { format!("/api/{version}/{plural}") } else { format!("/apis/{group}/{version}/{plural}") }
}

/// Objects of a page, as kubectl and the API server's own caches ask for.
const PAGE: u32 = 500;

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    /// Tells a list from any other JSON.
    kind: String,
    metadata: Option<PageMetadata>,
    items: Option<Vec<T>>,
}

#[derive(Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue")]
    token: Option<String>,
}

/// All objects of a kind in all namespaces, as far as these interests keep them; or why they were not seen.
pub(super) async fn list<T: Listed>(
    requests: &Requests<'_>,
    kind: &Kind,
    interests: &[Interest],
) -> Result<Vec<T>, Probe<Vec<T>>> {
    let keep = |mut object: T| {
        object.set_kind(kind);
        object.keep(interests).then_some(object)
    };
    list_with(requests, kind, keep).await
}

/// All objects of a kind in all namespaces, as far as something is kept of them; or why they were not seen.
pub(super) async fn list_with<T: DeserializeOwned, U>(
    requests: &Requests<'_>,
    kind: &Kind,
    keep: impl Fn(T) -> Option<U>,
) -> Result<Vec<U>, Probe<Vec<U>>> {
    let mut restarted = false;
    loop {
        match pages(requests, kind, &keep).await {
            Ok(objects) => return Ok(objects),
            // etcd has compacted away what the first page was of. Once is bad luck, twice is a server that cannot page.
            Err(failure) if failure.status == 410 && !restarted => restarted = true,
            Err(failure) => {
                return Err(match failure.status {
                    410 => Probe::Failed { reason: "the list expired twice while it was read (410)".to_owned() },
                    403 => Probe::Forbidden { rule: Rule::new(kind.group, kind.plural, &["list"]) },
                    404 => Probe::NotServed,
                    _ => Probe::Failed { reason: format!("GET {}: {failure}", path(kind)) },
                });
            }
        }
    }
}

async fn pages<T: DeserializeOwned, U>(
    requests: &Requests<'_>,
    kind: &Kind,
    keep: &impl Fn(T) -> Option<U>,
) -> Result<Vec<U>, Failure> {
    let mut objects = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut path = format!("{}?limit={PAGE}", self::path(kind));
        if let Some(token) = &token {
            path.push_str("&continue=");
            path.push_str(&escape(token));
        }
        let answer = requests.get(&path, JSON).await?;
        let page: Page<T> = page(&answer).map_err(Failure::unreadable)?;
        drop(answer);
        if page.kind.strip_suffix("List") != Some(kind.name) {
            return Err(Failure::unreadable(format!("the answer is no {}List", kind.name)));
        }
        objects.extend(page.items.unwrap_or_default().into_iter().filter_map(keep));
        let next = page.metadata.and_then(|metadata| metadata.token).filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(objects);
        }
        if next == token {
            return Err(Failure::unreadable("the API server gives the same page again and again".to_owned()));
        }
        token = next;
    }
}

/// Reads a page; object by object if it cannot be read at once, for nulls and to name the one that is wrong.
fn page<T: DeserializeOwned>(answer: &[u8]) -> Result<Page<T>, String> {
    if let Ok(page) = serde_json::from_slice(answer) {
        return Ok(page);
    }
    let page: Page<Value> = nulls::from_slice(answer)
        .map_err(|error| format!("the answer is not a list in JSON: {}", shorten(&error.to_string())))?;
    let mut objects = Vec::new();
    for object in page.items.unwrap_or_default() {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).map(shorten).unwrap_or_default();
        // One object that cannot be read fails the list: leaving it out would say that it is not there.
        objects.push(
            nulls::from_value(object)
                .map_err(|error| format!("object {name:?} cannot be read: {}", shorten(&error.to_string())))?,
        );
    }
    Ok(Page { kind: page.kind, metadata: page.metadata, items: Some(objects) })
}
