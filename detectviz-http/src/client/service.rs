//! The client itself.
use super::{
    Body, ClientConfig, ClientHandle, ResponseBody, ResponseFuture, call::Call, connect::Pools,
    executor::Executor, housekeeping::Housekeeping, in_flight::InFlight, recorder::Recorder,
    upstream::Upstream, upstreams::Upstreams,
};
use crate::{
    head_scan::Known,
    propagation::{Propagators, keep},
};
use async_trait::async_trait;
use bytes::Bytes;
use detectviz_core::{
    config::{Problems, check},
    error::BoxError,
    resilience::{deadline::TimeoutText, timer::Timer},
    task::Component,
    telemetry::{
        context::{Slot, TraceContext, current},
        hub,
        span::Spans,
    },
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header, uri::PathAndQuery};
use std::{
    borrow::Cow,
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tower_service::Service;

/// Sends requests; made by a [`ClientBuilder`](super::ClientBuilder).
///
/// As a [`Component`] it is drained when no call is under way, and closes its connections when it is stopped.
///
/// # Clone
/// Clones are the same client: connections, endpoints and counts.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// What clones share.
pub(super) struct Shared {
    pub(super) h2: bool,
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) pools: Pools,
    pub(super) upstreams: Upstreams,
    pub(super) timer: Timer,
    pub(super) executor: Executor,
    pub(super) in_flight: InFlight,
    pub(super) spans: Spans,
    pub(super) recorder: Recorder,
    pub(super) propagators: Propagators,
    pub(super) housekeeping: Housekeeping,
}

/// How long a closed connection may take to go away; it needs one turn of its task.
const LAST_WORDS: Duration = Duration::from_secs(1);

// === impl Client ===

impl Client {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Sends a `GET` without a body to `uri`.
    pub fn get(&self, uri: Uri) -> ResponseFuture {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri;
        self.request(request)
    }

    /// Sends `request`, whose URI is absolute: `http://orders/v1/items`. Nothing is sent, and
    /// no time counts, before the future is polled.
    ///
    /// # Errors
    /// See the [module](super).
    pub fn request<B>(&self, request: Request<B>) -> ResponseFuture
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        ResponseFuture::new(Call::new(&self.shared, request.map(Body::new)))
    }

    /// How many calls are under way: begun, and the body of the response not yet read, nor dropped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.len()
    }

    /// What operators see of it.
    #[must_use]
    pub fn handle(&self) -> ClientHandle {
        ClientHandle::new(Arc::clone(&self.shared))
    }

    /// Goes on with other settings, also for the calls under way. All counts stay: windows of breakers, budgets, permits,
    /// what is known of endpoints. `h2`, `tls`, `user_agent`, `pool_idle_timeout` and `pool_max_idle_per_host` stay as they
    /// were when the client was built.
    ///
    /// # Errors
    /// Everything that is wrong with `config`; then the client goes on with what it has.
    pub fn reconfigure(&self, config: &ClientConfig) -> Result<(), Problems> {
        check(config)?;
        self.shared.pools.reconfigure(config);
        self.shared.upstreams.hosts().reconfigure(config);
        Ok(())
    }
}

impl<B> Service<Request<B>> for Client
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        self.request(request)
    }
}

#[async_trait]
impl Component for Client {
    /// Waits until no call is under way. New ones are not refused: whoever makes them is drained first.
    async fn drain(&self) -> Result<(), BoxError> {
        self.shared.in_flight.none().await;
        Ok(())
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.shared.executor.close();
        self.shared.executor.tasks().join(LAST_WORDS).await?;
        Ok(())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("upstreams", &self.shared.upstreams)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// Passes the trace on and, where the caller set one, what is left of the deadline.
    pub(super) fn inject(
        &self,
        slot: &Slot,
        headers: &mut HeaderMap,
        deadline: Instant,
        now: Instant,
    ) {
        self.propagators.inject(slot, headers);
        if slot.deadline.is_none() {
            return;
        }
        let left = deadline.saturating_duration_since(now);
        let grpc = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        let (known, text) = if grpc {
            (Known::GrpcTimeout, TimeoutText::grpc(left))
        } else {
            (Known::XRequestTimeoutMs, TimeoutText::millis(left))
        };
        if let Ok(value) = HeaderValue::from_maybe_shared(keep(text.as_bytes())) {
            headers.insert(known.name(), value);
        }
    }

    /// Closes connections that were idle for too long, and compares endpoints.
    pub(super) fn reap(&self, now: Instant) {
        self.pools.reap(now);
        let hosts = self.upstreams.hosts();
        hosts.each(|upstream| upstream.tick(now));
    }

    /// How often that is looked for.
    pub(super) fn reap_interval(&self) -> Duration {
        let most = Duration::from_secs(1);
        let half = self.pools.idle_timeout() / 2;
        half.clamp(Duration::from_millis(10), most)
    }

    /// Says whom the request is for, which is `target`: over HTTP/1.1 in `Host`, over HTTP/2 in `:authority`, and the two must
    /// not differ (RFC 9113, 8.3.1).
    pub(super) fn address(&self, upstream: &Upstream, target: &Uri, request: &mut Request<Body>) {
        if !request.headers().contains_key(header::USER_AGENT)
            && let Some(name) = &self.user_agent
        {
            request
                .headers_mut()
                .insert(header::USER_AGENT, name.clone());
        }
        if !self.h2
            && !request.headers().contains_key(header::HOST)
            && let Some(host) = upstream.host_header()
        {
            request.headers_mut().insert(header::HOST, host);
        }
        *request.uri_mut() = self.target(request.method(), target);
    }

    /// What stands in the head of a request for `target`.
    pub(super) fn target(&self, method: &Method, target: &Uri) -> Uri {
        if self.h2 || *method == Method::CONNECT {
            target.clone()
        } else {
            path_of(target)
        }
    }

    /// Makes `slot` that of a new call: below the innermost span that the caller works in, its own or that of the request that
    /// is being served, or a trace of its own. When it begins is not known yet.
    pub(super) fn open(&self, slot: &mut Slot) {
        let around = hub::current_context();
        let notes = mem::take(&mut slot.notes);
        *slot = current(|caller| {
            let above = around.or(caller.map(|caller| caller.context));
            let context = above.map_or_else(|| self.root(), |above| above.child());
            let mut slot = Slot::started_at(context, slot.started);
            slot.parent = above.map(|above| above.span_id());
            if let Some(caller) = caller {
                slot.tracestate = caller.tracestate.clone();
                slot.baggage = caller.baggage.clone();
                slot.deadline = caller.deadline;
            }
            slot
        });
        slot.notes = notes;
    }

    fn root(&self) -> TraceContext {
        let context = TraceContext::root(false);
        let sampled = self.spans.sample_root(context.trace_id());
        context.with_sampled(sampled)
    }
}

/// A URI in the form of HTTP/1.1's requests: its path, and what is asked.
fn path_of(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).unwrap_or_default()
}

/// The host in lower case and the port, without user information.
pub(super) fn authority_of(uri: &Uri) -> Option<Cow<'_, str>> {
    let authority = uri.authority()?.as_str();
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if authority.is_empty() {
        return None;
    }
    if authority.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some(Cow::Owned(authority.to_ascii_lowercase()));
    }
    Some(Cow::Borrowed(authority))
}
