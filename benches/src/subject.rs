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
    sampled: bool,
    conn: ConnInfo,
    spans: Spans,
    logs: Logs,
    stack: Option<(Stack, StackDeps)>,
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
        let stack = if variant == Variant::Bare {
            None
        } else {
            let deps = StackDeps::default()
                .with_metrics(Registry::new())
                .with_logs(logs.clone())
                .with_spans(spans.clone())
                .with_routes(routes().expect("the routes are well-formed"));
            Some((Stack::new(&StackConfig::default(), deps.clone())?, deps))
        };
        let mut conn = ConnInfo::new(Version::HTTP_11);
        conn.peer = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)));
        Ok(Self {
            service: Wrapped::new(stack.as_ref().map(|(stack, _)| stack)),
            request: request(variant == Variant::Sampled),
            sampled: variant == Variant::Sampled,
            conn,
            spans,
            logs,
            stack,
        })
    }

    /// The same for another thread: its metrics, log and spans are those of this one, and its limits too, unless they are to
    /// be its own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn twin(&self, own_limits: bool) -> Result<Self, Error> {
        let stack = match &self.stack {
            Some((_, deps)) if own_limits => {
                let stack = Stack::new(&StackConfig::default(), deps.clone())?;
                Some((stack, deps.clone()))
            }
            stack => stack.clone(),
        };
        Ok(Self {
            service: Wrapped::new(stack.as_ref().map(|(stack, _)| stack)),
            // Clones of a header's value would share a count.
            request: request(self.sampled),
            sampled: self.sampled,
            conn: self.conn,
            spans: self.spans.clone(),
            logs: self.logs.clone(),
            stack,
        })
    }

    /// The stack, unless the handler stands alone.
    #[must_use]
    pub fn stack(&self) -> Option<&Stack> {
        self.stack.as_ref().map(|(stack, _)| stack)
    }

    /// The connection that its requests come over.
    #[must_use]
    pub fn conn(&self) -> &ConnInfo {
        &self.conn
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

// === impl Wrapped ===

impl Wrapped {
    fn new(stack: Option<&Stack>) -> Self {
        let stacked = |stack: &Stack| Self::Stacked(Box::new(stack.service(Handler)));
        stack.map_or(Self::Bare(Handler), stacked)
    }
}

fn routes() -> Result<RouteTable, InvalidRoute> {
    let orders = RouteTable::builder().route("/orders").route("/orders/{id}");
    orders.route("/orders/{id}/lines").probe("/livez").build()
}
