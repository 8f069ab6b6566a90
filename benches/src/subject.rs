//! What is measured: a handler, alone and within the stack of a server.
use crate::request::{answer, request};
use bytes::Bytes;
use detectviz_core::{
    error::Error,
    task::Tasks,
    telemetry::{
        logs::{Logs, LogsConfig, Output},
        metrics::Registry,
        span::{Sampler, Spans},
    },
};
use detectviz_http::{
    conn::ConnInfo,
    route::{InvalidRoute, RouteTable},
    stack::{Stack, StackConfig, StackDeps, Stacked},
};
use http::{Request, Response, Version};
use http_body_util::{Empty, Full};
use std::{
    convert::Infallible,
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};
use tower_service::Service;

/// What a request goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The handler alone.
    Bare,
    /// The whole stack without an access log.
    Quiet,
    /// The whole stack, with a JSON line that goes to a sink.
    Logged,
    /// The same, and the trace is sampled: the span goes into the export ring.
    Sampled,
}

/// Answers `hello`, and lets itself be polled twice for it.
#[derive(Clone, Copy, Debug)]
pub struct Handler;

/// Future of [`Handler`].
#[derive(Debug)]
pub struct Answering {
    waited: bool,
}

/// A service of one variant and its request.
#[derive(Debug)]
pub struct Subject {
    service: Wrapped,
    request: Request<Empty<Bytes>>,
    conn: ConnInfo,
    spans: Spans,
    logs: Logs,
}

#[derive(Debug)]
enum Wrapped {
    Bare(Handler),
    Stacked(Box<Stacked<Handler>>),
}

// === impl Variant ===

impl Variant {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bare, Self::Quiet, Self::Logged, Self::Sampled];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Quiet => "quiet",
            Self::Logged => "logged",
            Self::Sampled => "sampled",
        }
    }
}

// === impl Handler ===

impl Service<Request<Empty<Bytes>>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Empty<Bytes>>) -> Answering {
        Answering { waited: false }
    }
}

impl Future for Answering {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waited {
            let body = Full::new(Bytes::from_static(b"hello"));
            return Poll::Ready(Ok(Response::new(body)));
        }
        self.waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

// === impl Subject ===

impl Subject {
    /// Builds the variant; its log is written by a thread of `tasks`.
    ///
    /// # Errors
    /// When the log cannot be started.
    pub fn new(variant: Variant, tasks: &Tasks) -> Result<Self, Error> {
        let logged = matches!(variant, Variant::Logged | Variant::Sampled);
        let logs = if logged {
            LogsConfig::default().build("shop", Output::new(std::io::sink()), tasks)?
        } else {
            Logs::disabled()
        };
        let spans = Spans::new(Sampler::always_on());
        let service = if variant == Variant::Bare {
            Wrapped::Bare(Handler)
        } else {
            let deps = StackDeps::default()
                .with_metrics(Registry::new())
                .with_logs(logs.clone())
                .with_spans(spans.clone())
                .with_routes(routes().expect("the routes are well-formed"));
            let stack = Stack::new(&StackConfig::default(), deps)?;
            Wrapped::Stacked(Box::new(stack.service(Handler)))
        };
        let mut conn = ConnInfo::new(Version::HTTP_11);
        conn.peer = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)));
        Ok(Self {
            service,
            request: request(variant == Variant::Sampled),
            conn,
            spans,
            logs,
        })
    }

    /// The next request.
    #[must_use]
    pub fn request(&self) -> Request<Empty<Bytes>> {
        self.request.clone()
    }

    /// Answers one request.
    pub fn answer(&mut self, request: Request<Empty<Bytes>>) -> u16 {
        let _entered = self.conn.enter();
        match &mut self.service {
            Wrapped::Bare(service) => answer(service, request),
            Wrapped::Stacked(service) => answer(&mut **service, request),
        }
    }

    /// Where its lines go.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Where its spans go.
    #[must_use]
    pub fn spans(&self) -> &Spans {
        &self.spans
    }
}

fn routes() -> Result<RouteTable, InvalidRoute> {
    let orders = RouteTable::builder().route("/orders").route("/orders/{id}");
    orders.route("/orders/{id}/lines").probe("/livez").build()
}
