//! The time limit of single requests, as a layer of the client, so that nobody can forget it. A watch has to begin in time
//! but may then be silent for as long as nothing happens: the read time-out of kube's own client would end it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use kube::client::Body;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tower::{BoxError, Layer, Service};

/// The request was not answered in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time")]
pub(super) struct Elapsed;

/// Puts the limit around a client's service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub(super) Option<Duration>);

impl<S> Layer<S> for Limit {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited { inner, limit: self.0 }
    }
}

/// A service whose requests have a limit.
#[derive(Debug, Clone)]
pub(super) struct Limited<S> {
    inner: S,
    limit: Option<Duration>,
}

impl<S, B> Service<Request<Body>> for Limited<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<LimitedBody<B>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let is_watch = request.uri().query().is_some_and(is_watch);
        // A limit that the clock cannot express is none.
        let deadline = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = match deadline {
                Some(deadline) => timeout_at(deadline, answer).await.map_err(|_| Elapsed)?.map_err(Into::into)?,
                None => answer.await.map_err(Into::into)?,
            };
            let rest = deadline.filter(|_| !is_watch).map(|deadline| Box::pin(sleep_until(deadline)));
            Ok(response.map(|inner| LimitedBody { inner: Box::pin(inner), rest }))
        })
    }
}

/// Whether a query asks for a watch.
pub(super) fn is_watch(query: &str) -> bool {
    query.split('&').any(|part| matches!(part, "watch=true" | "watch=1"))
}

/// The body of an answer, which ends with [`Elapsed`] when the request's time is over.
pub(super) struct LimitedBody<B> {
    inner: Pin<Box<B>>,
    rest: Option<Pin<Box<Sleep>>>,
}

impl<B> HttpBody for LimitedBody<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = self.inner.as_mut().poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match self.rest.as_mut() {
            Some(rest) => {
                ready!(rest.as_mut().poll(context));
                Poll::Ready(Some(Err(Elapsed.into())))
            }
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};
    use std::convert::Infallible;
    use tower::{ServiceExt, service_fn};

    /// Answers at once with one line, then nothing more, for ever.
    async fn ask(uri: &str, limit: Option<Duration>) -> Result<Bytes, BoxError> {
        let server = service_fn(|_: Request<Body>| async {
            let line = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"line\n")))]);
            Ok::<_, BoxError>(Response::new(StreamBody::new(line.chain(stream::pending()))))
        });
        let request = Request::get(uri).body(Body::empty())?;
        let answer = Limit(limit).layer(server).oneshot(request).await?;
        Ok(answer.into_body().collect().await?.to_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_end_is_ended() {
        let begin = Instant::now();
        let error = ask("/api/v1/pods?limit=500", Some(Duration::from_secs(3))).await.unwrap_err();
        assert!(error.is::<Elapsed>(), "{error}");
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_may_be_silent() {
        let watch = ask("/api/v1/pods?limit=500&watch=true", Some(Duration::from_secs(3)));
        assert!(tokio::time::timeout(Duration::from_secs(3600), watch).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_has_to_begin_in_time() {
        let server = service_fn(|_: Request<Body>| futures::future::pending::<Result<Response<Body>, BoxError>>());
        let request = Request::get("/api/v1/pods?watch=true").body(Body::empty()).unwrap();
        let error = Limit(Some(Duration::from_secs(3))).layer(server).oneshot(request).await.err().unwrap();
        assert!(error.is::<Elapsed>(), "{error}");
    }
}
