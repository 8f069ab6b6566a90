//! The stack that people put together today: tower-http's layers, `metrics`, and tracing-subscriber's JSON.
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use std::{
    fmt::Display,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tower::{BoxError, ServiceBuilder, limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer};
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::{DefaultOnRequest, DefaultOnResponse, TraceLayer},
};
use tower_service::Service;
use tracing::{Dispatch, Level, Span, field::Empty};
use tracing_subscriber::fmt::MakeWriter;

/// Counts and times requests with the macros of `metrics`, as its documentation shows it.
#[derive(Clone, Debug)]
pub struct Measured<S>(S);

pin_project! {
    /// Future of [`Measured`].
    #[derive(Debug)]
    pub struct Measuring<F> {
        #[pin]
        inner: F,
        labels: [(&'static str, String); 2],
        started: Instant,
    }
}

/// A subscriber that writes JSON lines to `writer`, or none at all.
pub fn dispatch<W>(logged: bool, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    if !logged {
        return Dispatch::none();
    }
    let subscriber = tracing_subscriber::fmt().json().with_writer(writer);
    Dispatch::new(subscriber.finish())
}

/// The layers around a handler.
pub fn stack<S, ReqBody, ResBody>(
    handler: S,
) -> impl Service<
    Request<ReqBody>,
    Response = Response<impl Body<Data = Bytes, Error = BoxError>>,
    Error = BoxError,
    Future: Send,
> + Clone
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error: Into<BoxError> + 'static>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    ReqBody: Body + Send + 'static,
    ResBody:
        Body<Data = Bytes, Error: Into<BoxError> + Display + 'static> + Default + Send + 'static,
{
    let span = |request: &Request<ReqBody>| {
        let id = request.headers().get("x-request-id");
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
        tracing::info_span!(
            "request",
            method = %request.method(),
            uri = %request.uri().path(),
            version = ?request.version(),
            request_id = id,
            trace_id = Empty,
        )
    };
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_request(DefaultOnRequest::new().level(Level::DEBUG))
        .on_response(DefaultOnResponse::new().level(Level::INFO))
        .on_body_chunk(|_: &Bytes, _: Duration, _: &Span| {})
        .on_eos(());
    ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(trace)
        .layer_fn(Measured)
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1024))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(10),
        ))
        .service(handler)
}

// === impl Measured ===

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Measured<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Measuring<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let labels = [
            ("method", request.method().to_string()),
            ("path", request.uri().path().to_owned()),
        ];
        metrics::gauge!("http_requests_in_flight").increment(1.0);
        Measuring {
            inner: self.0.call(request),
            labels,
            started: Instant::now(),
        }
    }
}

impl<F, B, E> Future for Measuring<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let status = result.as_ref().map_or("error".to_owned(), |response| {
            response.status().as_u16().to_string()
        });
        let [method, path] = this.labels.clone();
        let labels = [method, path, ("status", status)];
        let took = this.started.elapsed().as_secs_f64();
        metrics::counter!("http_requests_total", &labels).increment(1);
        metrics::histogram!("http_requests_duration_seconds", &labels).record(took);
        metrics::gauge!("http_requests_in_flight").decrement(1.0);
        Poll::Ready(result)
    }
}
