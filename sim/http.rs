//! HTTP on loopback, and the faults that happen between a client and the API.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Request as HttpRequest, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::api::{Reply, answer};
use super::faults::Effect;
use super::lock::lock;
use super::request::{ApiRequest, Target, decode, parse_query};
use super::requests::Request;
use super::status::ApiError;
use super::world::World;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// As large as etcd takes it.
const LARGEST_BODY: usize = 3 << 20;

/// Who asks when nobody is impersonated.
const USER: &str = "simulated-user";

/// Serves until it is dropped, and so are its connections.
pub(super) async fn serve(world: Arc<World>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _less_delay_only = stream.set_nodelay(true);
                let world = Arc::clone(&world);
                connections.spawn(async move {
                    let service = service_fn(|request| handle(Arc::clone(&world), request));
                    // A connection that breaks is the client's business.
                    let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// An error breaks the connection.
async fn handle(world: Arc<World>, request: HttpRequest<Incoming>) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let path_and_query = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let number = {
        let mut requests = lock(&world.requests);
        requests.push(Request {
            method: parts.method.to_string(),
            path: path_and_query,
            status: None,
            user_agent: text(&parts.headers, header::USER_AGENT.as_str()),
        });
        requests.len() - 1
    };
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| broken())?.to_bytes();
    let request = ApiRequest {
        method: parts.method.to_string(),
        path: decode(parts.uri.path()),
        query: parse_query(parts.uri.query().unwrap_or_default()),
        content_type: text(&parts.headers, header::CONTENT_TYPE.as_str()),
        accept: text(&parts.headers, header::ACCEPT.as_str()),
        user: Some(text(&parts.headers, "impersonate-user"))
            .filter(|user| !user.is_empty())
            .unwrap_or_else(|| USER.to_owned()),
        body,
    };
    let response = respond(&world, &request).await?;
    if let Some(entry) = lock(&world.requests).get_mut(number) {
        entry.status = Some(response.status().as_u16());
        #[cfg(feature = "hooks")]
        if entry.changes() {
            world.changes.send_modify(|count| *count += 1);
        }
    }
    Ok(response)
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was cut on purpose")
}

/// The answer, or what a fault makes of it.
async fn respond(world: &Arc<World>, request: &ApiRequest) -> io::Result<Response<Body>> {
    let target = request.target();
    let method = request.method.to_lowercase();
    let (verb, resource) = match &target {
        Some(target) => (target.verb, target.resource.plural),
        None => (method.as_str(), request.segments().last().copied().unwrap_or_default()),
    };
    let effect = world.faults.meet(verb, resource, request.is_dry_run());
    let Some(effect) = effect else { return reply(world, answer(world, request)) };
    match effect {
        Effect::Forbidden => reply(world, Err(forbidden(request, target.as_ref()))),
        Effect::Unauthorized => reply(world, Err(ApiError::unauthorized())),
        Effect::ExceededQuota(text) => reply(
            world,
            refuse(request, target.as_ref(), |name, target| {
                ApiError::forbidden(target.resource, name, &format!("exceeded quota: {text}"))
            }),
        ),
        Effect::Refused(code, reason, message) => reply(world, Err(ApiError::new(code, reason, message))),
        Effect::Denied(webhook, text) => reply(
            world,
            Err(ApiError::new(403, "Forbidden", format!("admission webhook \"{webhook}\" denied the request: {text}"))),
        ),
        Effect::TooManyRequests(seconds) => reply(world, Err(ApiError::too_many_requests(seconds))),
        Effect::Error(code) => reply(world, Err(ApiError::trouble(code))),
        Effect::ErrorAfterEffect(code) => {
            drop(answer(world, request));
            reply(world, Err(ApiError::trouble(code)))
        }
        Effect::Disconnect => Err(broken()),
        Effect::DisconnectAfterEffect => {
            drop(answer(world, request));
            Err(broken())
        }
        Effect::LateEffect(code, delay) => {
            let (later, request) = (Arc::clone(world), request.clone());
            world.spawn(async move {
                tokio::time::sleep(delay).await;
                drop(answer(&later, &request));
            });
            reply(world, Err(ApiError::trouble(code)))
        }
        Effect::Slow(delay) => {
            tokio::time::sleep(delay).await;
            reply(world, answer(world, request))
        }
        Effect::CutWatch(time) => {
            let mut answer = answer(world, request);
            if let Ok(Reply::Watch(watch)) = &mut answer {
                watch.cut_after(time);
            }
            reply(world, answer)
        }
    }
}

fn forbidden(request: &ApiRequest, target: Option<&Target>) -> ApiError {
    let Some(target) = target else {
        let (user, verb, path) = (&request.user, request.method.to_lowercase(), &request.path);
        return ApiError::new(403, "Forbidden", format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\""));
    };
    let scope = if target.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", target.namespace)
    };
    let why = format!(
        "User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
        request.user, target.verb, target.resource.plural, target.resource.group
    );
    ApiError::forbidden(target.resource, &target.name, &why)
}

/// A refusal that names the object.
fn refuse(
    request: &ApiRequest,
    target: Option<&Target>,
    error: impl FnOnce(&str, &Target) -> ApiError,
) -> Result<Reply, ApiError> {
    let Some(target) = target else { return Err(ApiError::trouble(500)) };
    let body = request.json()?;
    let name = body.pointer("/metadata/name").and_then(serde_json::Value::as_str).unwrap_or(&target.name);
    Err(error(name, target))
}

fn reply(world: &World, answer: Result<Reply, ApiError>) -> io::Result<Response<Body>> {
    let (code, retry_after, content_type, body) = match answer {
        Ok(Reply::Json(code, value)) => (code, None, "application/json", full(world.sent(value).to_string())),
        Ok(Reply::Text(code, text)) => (code, None, "text/plain; charset=utf-8", full(text)),
        Ok(Reply::Watch(watch)) => {
            let lines = stream::unfold(watch, async |mut watch| {
                let line = watch.next().await?;
                Some((line.map(Frame::data), watch))
            });
            (200, None, "application/json", StreamBody::new(lines).boxed_unsync())
        }
        Err(error) => (error.code, error.retry_after, "application/json", full(world.sent(error.body()).to_string())),
    };
    let mut response = Response::builder().status(code).header(header::CONTENT_TYPE, content_type);
    if let Some(seconds) = retry_after {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    response.body(body).map_err(io::Error::other)
}

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}
