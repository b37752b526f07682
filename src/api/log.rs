//! The log of requests, as a layer of the client, so that none is forgotten. Never logged: headers, for they hold
//! credentials, bodies, and queries but for what tells a watch and a dry run.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use kube::client::Body;
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};
use tracing::debug;

use super::limit::is_watch;
use super::no_answer::NoAnswer;

/// Logs each request when its answer begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log;

impl<S> Layer<S> for Log {
    type Service = Logged<S>;

    fn layer(&self, inner: S) -> Logged<S> {
        Logged { inner }
    }
}

/// A service whose requests are logged.
#[derive(Debug, Clone)]
pub(super) struct Logged<S> {
    inner: S,
}

impl<S, B> Service<Request<Body>> for Logged<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let name = name(&request);
        let start = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let took = start.elapsed().as_millis();
            match &answer {
                Ok(response) => debug!("{name}: {} in {took} ms", response.status()),
                Err(error) => {
                    let reason = NoAnswer::of(error.as_ref()).reason();
                    debug!("{name}: {reason} after {took} ms");
                }
            }
            answer
        })
    }
}

/// A request in the log and in events. Of its query only what matters: the continue token of a list is long and says nothing.
pub(super) fn name<B>(request: &Request<B>) -> String {
    let query = request.uri().query().unwrap_or_default();
    let what = match query {
        query if is_watch(query) => " (watch)",
        query if query.contains("dryRun=All") => " (dry run)",
        _ => "",
    };
    format!("{} {}{what}", request.method(), request.uri().path())
}
