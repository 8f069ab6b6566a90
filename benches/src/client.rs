//! What the HTTP client does to a call, of the same parts and in its order, over a service instead of connections.
use crate::{
    kept::{Kept, Saved},
    request::read,
};
use bytes::Bytes;
use detectviz_core::{
    balance::{self, BalanceConfig, Balancer, FailureKind, PickContext, Tried},
    discovery::{Endpoint, EndpointSet},
    error::{BoxError, Error},
    resilience::{
        breaker::{self, BreakerConfig, Circuit},
        bulkhead::{Bulkhead, BulkheadConfig, Priority},
        retry::{Decision, Outcome, Policy, Retry, RetryConfig},
        timer::Timer,
    },
    task::Tasks,
    telemetry::{
        context::{Slot, TraceContext, current},
        logs::{Caller, Key, LineTemplate, Logs, LogsConfig, MessageSuffix, Output, StaticFields},
        metrics::{DURATION_BUCKETS, Desc, Gauge, Histogram, Kind, Registry, Unit},
    },
};
use detectviz_http::propagation::Propagators;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use std::{
    convert::Infallible,
    fmt,
    future::Future,
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tower_service::Service;
use tracing::Level;

/// Total deadline, bulkhead, retry and budget, breaker, balance, attempt timeout, injection; metrics and a line in the log.
pub struct Stack<S> {
    inner: S,
    timer: Timer,
    bulkhead: Bulkhead,
    retry: Retry,
    circuit: Circuit,
    balancer: Balancer<u16>,
    propagators: Propagators,
    active: Arc<Gauge>,
    duration: Arc<Histogram>,
    logs: Logs,
    template: LineTemplate,
    suffix: MessageSuffix,
    outcome: StaticFields,
}

/// A call under way.
struct Active<'a>(&'a Gauge);

const NOTHING: &str = "a call without a request";
const ENDPOINTS: u16 = 100;
/// The client's own defaults.
const TOTAL: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(1);

static PATH: Key = Key::new("path");
static PORT: Key = Key::new("port");
static ATTEMPTS: Key = Key::new("attempts");
static MILLIS: Key = Key::new("duration_ms");

static DURATION: Desc = Desc {
    name: "http.client.request.duration",
    help: "How long calls took.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &[
        "http.request.method",
        "server.address",
        "http.response.status_code",
    ],
    buckets: DURATION_BUCKETS,
};

static ACTIVE: Desc = Desc {
    name: "http.client.active_requests",
    help: "How many calls are under way.",
    unit: Unit::Of("{request}"),
    kind: Kind::Gauge,
    labels: &["server.address"],
    buckets: &[],
};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

// === impl Stack ===

impl<S> Stack<S>
where
    S: Service<Request<Empty<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    /// Around `inner`; its log is written by a thread of `tasks`.
    ///
    /// # Errors
    /// When the log cannot be started.
    pub fn new(inner: S, tasks: &Tasks) -> Result<Self, Error> {
        let now = Instant::now();
        let metrics = Registry::new();
        let logs = LogsConfig::default().build("shop", Output::new(io::sink()), tasks)?;
        let template = logs.template(
            Level::INFO,
            "http.client",
            Caller::here(),
            "GET orders",
            |fields| {
                fields.str("method", "GET");
                fields.str("upstream", "orders");
            },
        );
        let outcome = logs.static_fields(|fields| {
            fields.u64("status", 200);
            fields.str("outcome", "ok");
        });
        let balancer = Balancer::new("orders", &BalanceConfig::default(), now, |e| Some(e.port));
        let endpoint = |n| Endpoint::new("10.0.0.1", 8000 + n);
        let set = EndpointSet::new("orders", (0..ENDPOINTS).map(endpoint).collect());
        balancer.update(&set, now);
        Ok(Self {
            inner,
            timer: Timer::new(),
            bulkhead: Bulkhead::new(&BulkheadConfig::default()),
            retry: Retry::with_metrics(&RetryConfig::default(), "orders", &metrics),
            circuit: Circuit::new("orders", &BreakerConfig::default(), &metrics),
            balancer,
            propagators: Propagators::default(),
            active: metrics.gauge(&ACTIVE).with(&["orders"]),
            duration: metrics.histogram(&DURATION).with(&["GET", "orders", "200"]),
            suffix: logs.message_suffix(" 200"),
            template,
            outcome,
            logs,
        })
    }

    /// Where its lines go.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Sends a request and reads its answer to the end; returns the status.
    ///
    /// # Panics
    /// When there is none.
    pub fn answer(&mut self, request: Request<Empty<Bytes>>) -> u16 {
        let mut cx = Context::from_waker(Waker::noop());
        let mut request = Some(request);
        let mut call = pin!(self.call(&mut request));
        loop {
            if let Poll::Ready(answered) = call.as_mut().poll(&mut cx) {
                return read(answered.expect("the service answers"));
            }
        }
    }

    /// `request` is taken where it is sent, so that it is not moved with each step before.
    async fn call(
        &mut self,
        request: &mut Option<Request<Empty<Bytes>>>,
    ) -> Result<Response<Full<Bytes>>, BoxError> {
        let started = Instant::now();
        let slot = current(|slot| slot.map(|slot| slot.child_at(started)));
        let slot = slot.unwrap_or_else(|| Slot::started_at(TraceContext::root(false), started));
        let deadline = started + TOTAL;
        let _active = Active::of(&self.active);
        // Owned, as the client's own are: a call there is a future that borrows nothing.
        let permit = self.bulkhead.acquire(Priority::Normal, started).await?;
        let Some(first) = request else {
            return Err(NOTHING.into());
        };
        let uri = first.uri().clone();
        let mut call = self.retry.begin(started);
        let saved = match call.repeats() {
            true => keep(first),
            false => None,
        };
        let (mut tried, mut now) = (Tried::new(), started);
        let (response, port) = loop {
            let leave = self.circuit.try_acquire_owned(now)?;
            let context = PickContext::new(now, fastrand::u64(..)).exclude(&tried);
            let picked = self.balancer.pick(&context)?;
            tried.push(picked.id());
            let port = *picked.transport();
            if let Some(sent) = request {
                self.propagators.inject(&slot, sent.headers_mut());
            }
            let Some(inner) = request.take().map(|sent| self.inner.call(sent)) else {
                return Err(NOTHING.into());
            };
            let bounded = self.timer.timeout_at(deadline.min(now + ATTEMPT), inner);
            let answer = bounded.await;
            now = Instant::now();
            let (outcome, ended) = match answer {
                Ok(answer) => {
                    let outcome = judge(saved.as_ref(), &answer);
                    let (of_upstream, of_endpoint) = match outcome {
                        Outcome::Success => (breaker::Outcome::Success, balance::Outcome::Success),
                        _ => (
                            breaker::Outcome::Failure,
                            balance::Outcome::Failure(FailureKind::Answer),
                        ),
                    };
                    leave.record(of_upstream, now);
                    picked.finish(of_endpoint, now);
                    (outcome, answer)
                }
                Err(passed) => return Err(passed.into()),
            };
            if outcome == Outcome::Success {
                break (ended.map_err(BoxError::from)?, port);
            }
            let left = deadline.saturating_duration_since(now);
            match (call.after(outcome, Some(left), now), &saved) {
                (Decision::Wait(wait), Some(saved)) => {
                    let pause = std::future::pending::<()>();
                    let _ = self.timer.timeout_at(now + wait, pause).await;
                    call.again();
                    *request = Some(restore(saved, call.attempt()));
                }
                _ => break (ended.map_err(BoxError::from)?, port),
            }
        };
        permit.release(now);
        let took = now.saturating_duration_since(started);
        self.duration.observe(took);
        self.logs
            .entry(&self.template)
            .suffix(&self.suffix)
            .trace(Some(&slot.context))
            .write(now, |values| {
                values.str(&PATH, uri.path());
                values.fields(&self.outcome);
                values.u64(&ATTEMPTS, u64::from(call.attempt()));
                values.u64(&PORT, u64::from(port));
                values.millis(&MILLIS, took);
            });
        Ok(response)
    }
}

impl<S> fmt::Debug for Stack<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").finish_non_exhaustive()
    }
}

// === impl Active ===

impl<'a> Active<'a> {
    fn of(gauge: &'a Gauge) -> Self {
        gauge.add(1);
        Self(gauge)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

fn keep(request: &Request<Empty<Bytes>>) -> Option<Saved> {
    Policy::<_, Response<Full<Bytes>>, Infallible>::save(&Kept, request)
}

fn restore(saved: &Saved, attempt: u32) -> Request<Empty<Bytes>> {
    Policy::<_, Response<Full<Bytes>>, Infallible>::restore(&Kept, saved, attempt)
}

fn judge(saved: Option<&Saved>, answer: &Answer) -> Outcome {
    Policy::<Request<Empty<Bytes>>, _, _>::classify(&Kept, saved, answer)
}
