//! The API itself: what a request comes to. Nothing here waits and nothing goes wrong on purpose; that is for
//! [`super::http`].

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::admission::admit;
use super::controllers;
use super::discovery;
use super::object::Object;
use super::patch;
use super::request::{ApiRequest, Target};
use super::resources::NAMESPACES;
use super::selector::Selector;
use super::status::ApiError;
use super::store::{Deleted, Key, Place, Preconditions};
use super::view::View;
use super::watch::Watch;
use super::world::World;

/// An answer.
#[derive(Debug)]
pub(super) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    Watch(Box<Watch>),
}

/// Answers a request.
pub(super) fn answer(world: &Arc<World>, request: &ApiRequest) -> Result<Reply, ApiError> {
    let Some(target) = request.target() else { return other(world, request) };
    let served = discovery::served_versions(&world.store, target.resource);
    if !served.contains(&target.version) {
        return Ok(Reply::Text(404, NOT_FOUND));
    }
    if !target.subresource.is_empty() {
        return Err(ApiError::new(404, "NotFound", "the server could not find the requested resource"));
    }
    if target.resource.namespaced && target.namespace.is_empty() && !matches!(target.verb, "list" | "watch") {
        return Err(ApiError::method_not_allowed());
    }
    match target.verb {
        "get" => get(world, request, &target),
        "list" => list(world, request, &target),
        "watch" => watch(world, request, &target),
        "create" if target.name.is_empty() => create(world, request, &target),
        "patch" => patch_object(world, request, &target),
        "delete" => delete(world, request, &target),
        _ => Err(ApiError::method_not_allowed()),
    }
}

const NOT_FOUND: &str = "404 page not found\n";

/// Everything that is not about stored objects.
fn other(world: &World, request: &ApiRequest) -> Result<Reply, ApiError> {
    let segments = request.segments();
    if let ["apis", "authorization.k8s.io", "v1", review] = segments.as_slice() {
        return match (request.method.as_str(), *review) {
            ("POST", "selfsubjectaccessreviews") => {
                Ok(Reply::Json(201, access::access_review(&world.faults, request.json()?)))
            }
            (_, "selfsubjectaccessreviews") => Err(ApiError::method_not_allowed()),
            _ => Ok(Reply::Text(404, NOT_FOUND)),
        };
    }
    if request.method != "GET" {
        return Ok(Reply::Text(404, NOT_FOUND));
    }
    let found = match segments.as_slice() {
        ["healthz" | "livez" | "readyz"] => return Ok(Reply::Text(200, "ok")),
        ["version"] => Some(discovery::version()),
        ["api"] => Some(discovery::core_versions()),
        ["apis"] => Some(discovery::groups(&world.store)),
        ["apis", group] => discovery::group(&world.store, group),
        ["api", version] => discovery::resources(&world.store, "", version),
        ["apis", group, version] => discovery::resources(&world.store, group, version),
        _ => None,
    };
    Ok(found.map_or(Reply::Text(404, NOT_FOUND), |body| Reply::Json(200, body)))
}

fn key(target: &Target) -> Key {
    Key::new(target.resource, &target.namespace, &target.name)
}

fn get(world: &World, request: &ApiRequest, target: &Target) -> Result<Reply, ApiError> {
    let object = world.store.get(&key(target))?;
    Ok(Reply::Json(200, View::new(request, target).show(&object)))
}

fn selector(request: &ApiRequest, target: &Target) -> Result<Selector, ApiError> {
    Selector::parse(target.resource, request.parameter("labelSelector"), request.parameter("fieldSelector"))
}

fn version_parameter(request: &ApiRequest) -> Result<u64, ApiError> {
    match request.parameter("resourceVersion") {
        "" => Ok(0),
        text => text
            .parse()
            .map_err(|_| ApiError::bad_request(format!("resourceVersion: Invalid value: \"{text}\": unable to parse"))),
    }
}

fn list(world: &World, request: &ApiRequest, target: &Target) -> Result<Reply, ApiError> {
    let selector = selector(request, target)?;
    let asked = version_parameter(request)?;
    let current = world.store.version();
    if asked > current {
        return Err(ApiError::too_large_version(asked, current));
    }
    let limit: usize = match request.parameter("limit") {
        "" => 0,
        text => text
            .parse()
            .map_err(|_| ApiError::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax")))?,
    };
    let start = match request.parameter("continue") {
        "" => None,
        token => Some(read_token(token).ok_or_else(|| ApiError::bad_request("continue key is not valid"))?),
    };
    let at = match &start {
        Some((version, _)) => Some(*version),
        None if request.parameter("resourceVersionMatch") == "Exact" => Some(asked),
        None => None,
    };
    let (version, objects) = world
        .store
        .list(target.resource, at)
        .map_err(|error| if start.is_some() { ApiError::continue_expired() } else { error })?;
    let mut found = objects
        .iter()
        .filter(|((namespace, _), _)| target.namespace.is_empty() || *namespace == target.namespace)
        .filter(|(place, _)| start.as_ref().is_none_or(|(_, last)| *place > last))
        .filter(|(_, object)| selector.matches(object));
    let view = View::new(request, target);
    let mut items = Vec::new();
    let mut last = None;
    while limit == 0 || items.len() < limit {
        let Some((place, object)) = found.next() else { break };
        items.push(view.show(object));
        last = Some(place);
    }
    let remaining = found.count();
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if let (Some(place), true) = (last, remaining > 0) {
        metadata.set(&["continue"], json!(write_token(version, place)));
        if selector.is_everything() {
            metadata.set(&["remainingItemCount"], json!(remaining));
        }
    }
    Ok(Reply::Json(200, view.list(&items, &metadata)))
}

/// A continue token: the version that the list began with and the last place, in hexadecimal digits.
fn write_token(version: u64, (namespace, name): &Place) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    format!("{version}/{namespace}/{name}")
        .bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .flatten()
        .collect()
}

fn read_token(token: &str) -> Option<(u64, Place)> {
    let digits: Vec<char> = token.chars().collect();
    let bytes: Option<Vec<u8>> =
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let mut parts = text.splitn(3, '/');
    let version = parts.next()?.parse().ok()?;
    Some((version, (parts.next()?.to_owned(), parts.next()?.to_owned())))
}

fn watch(world: &Arc<World>, request: &ApiRequest, target: &Target) -> Result<Reply, ApiError> {
    let selector = selector(request, target)?;
    let from = version_parameter(request)?;
    let initial = request.flag("sendInitialEvents");
    let bookmarks = request.flag("allowWatchBookmarks");
    let seconds = request.parameter("timeoutSeconds").parse().ok();
    let view = View::new(request, target);
    let watch = Watch::new(world, target, selector, view, from, initial, bookmarks, seconds);
    Ok(Reply::Watch(Box::new(watch)))
}

fn create(world: &World, request: &ApiRequest, target: &Target) -> Result<Reply, ApiError> {
    let object = admit(&world.store, target.resource, &target.namespace, request.json()?)?;
    let created = world.store.create(target.resource, object, request.is_dry_run())?;
    if target.resource == &NAMESPACES && !request.is_dry_run() && world.scenario.service_account_delay.is_zero() {
        controllers::furnish(world, created.name());
    }
    Ok(Reply::Json(201, View::new(request, target).show(&created)))
}

fn patch_object(world: &World, request: &ApiRequest, target: &Target) -> Result<Reply, ApiError> {
    let content_type = request.content_type.split(';').next().unwrap_or_default().trim();
    if content_type != "application/merge-patch+json" {
        let message = format!("the body of the request was in an unknown format - {content_type}");
        return Err(ApiError::new(415, "UnsupportedMediaType", message));
    }
    let sent = serde_json::from_slice(&request.body)
        .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))?;
    let changed = world.store.update(&key(target), request.is_dry_run(), |object| {
        let mut wanted = object.clone();
        patch::merge(&mut wanted, &sent);
        let version = wanted.text("/metadata/resourceVersion");
        if !version.is_empty() && version != object.text("/metadata/resourceVersion") {
            return Err(ApiError::modified(target.resource, &target.name));
        }
        let uid = wanted.uid();
        if !uid.is_empty() && uid != object.uid() {
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", object.uid());
            return Err(ApiError::conflict(target.resource, &target.name, &why));
        }
        // Where there is the subresource `status`, only that changes it.
        if target.resource.status {
            match object.get("status") {
                Some(status) => wanted.set(&["status"], status.clone()),
                None => wanted.unset(&["status"]),
            }
        }
        *object = wanted;
        object.set(&["apiVersion"], json!(target.resource.api_version(target.resource.version)));
        object.set(&["kind"], json!(target.resource.kind));
        Ok(())
    })?;
    Ok(Reply::Json(200, View::new(request, target).show(&changed)))
}

/// `DeleteOptions`, from the body or from the query.
fn options(request: &ApiRequest) -> Result<(Preconditions, bool), ApiError> {
    let body = request.json()?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let preconditions = Preconditions {
        uid: text("/preconditions/uid"),
        resource_version: text("/preconditions/resourceVersion"),
        grace_seconds: body
            .get("gracePeriodSeconds")
            .and_then(Value::as_i64)
            .or_else(|| request.parameter("gracePeriodSeconds").parse().ok()),
    };
    Ok((preconditions, request.is_dry_run() || body.list("/dryRun").contains(&json!("All"))))
}

fn delete(world: &World, request: &ApiRequest, target: &Target) -> Result<Reply, ApiError> {
    let (preconditions, dry_run) = options(request)?;
    match world.store.delete(&key(target), &preconditions, dry_run)? {
        Deleted::Pending(object) => Ok(Reply::Json(200, View::new(request, target).show(&object))),
        Deleted::Gone(object) => {
            let mut details = json!({ "name": target.name, "kind": target.resource.plural, "uid": object.uid() });
            if !target.resource.group.is_empty() {
                details.set(&["group"], json!(target.resource.group));
            }
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
            });
            Ok(Reply::Json(200, status))
        }
    }
}
