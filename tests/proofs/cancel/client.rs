//! Calls of the client, over sockets.
use super::{MOST, cancelled_after, sum};
use bytes::Bytes;
use detectviz_core::{
    balance::{BalanceConfig, EndpointLimits},
    discovery::{
        DiscoveryError, DiscoveryErrorKind, EndpointSet, EndpointWatch, ServiceDiscoveryProvider,
        ServiceInstance,
    },
    resilience::{
        breaker::{BreakerConfig, Mode, OpenConfig},
        bulkhead::BulkheadConfig,
        retry::{BackoffConfig, RetryConfig},
    },
    task::Tasks,
    telemetry::metrics::Registry,
};
use detectviz_http::client::{Body, Client, ClientBuilder, ClientConfig, PolicyConfig};
use detectviz_tests::upstream::{Deed, Upstream};
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::task::yield_now;

/// What the upstream does, by the hundreds of a request's id.
mod does {
    pub(super) const ANSWER: u64 = 0;
    pub(super) const STREAM: u64 = 1;
    /// The first time; then it answers, as do the next two.
    pub(super) const REFUSE: u64 = 2;
    pub(super) const CLOSE: u64 = 3;
    pub(super) const HANG: u64 = 4;
    pub(super) const FAIL: u64 = 5;
}

fn deed(_: &str, id: u64, times: u32) -> Deed {
    match (id / 100_000, times) {
        (does::STREAM, _) => Deed::Stream,
        (does::REFUSE, 1) => Deed::Answer(503),
        (does::CLOSE, 1) => Deed::Close,
        (does::HANG, 1) => Deed::Hang,
        (does::FAIL, _) => Deed::Answer(500),
        _ => Deed::Answer(200),
    }
}

/// A client whose every limit is one, so that whatever is lost is missed at once.
struct Subject {
    upstream: Upstream,
    client: Client,
    metrics: Registry,
    next: AtomicU64,
}

// === impl Subject ===

impl Subject {
    fn new(breaker: BreakerConfig, max_queue: u32) -> Self {
        let limits = EndpointLimits::default().connections(1).pending(1);
        let backoff = BackoffConfig::default().base(Duration::from_millis(1));
        let bulkhead = BulkheadConfig::default()
            .max_concurrent(1)
            .max_queue(max_queue);
        let policy = PolicyConfig::default()
            .attempt_timeout(Duration::from_millis(40))
            .retry(RetryConfig::default().backoff(backoff))
            .breaker(breaker)
            .bulkhead(bulkhead)
            .balance(BalanceConfig::default().limits(limits));
        let metrics = Registry::new();
        let config = ClientConfig::default().policy(policy);
        let client = ClientBuilder::new(config).with_metrics(&metrics);
        Self {
            upstream: Upstream::start(deed),
            client: client.build(&Tasks::new()).unwrap(),
            metrics,
            next: AtomicU64::new(0),
        }
    }

    /// Asks for that to be done, and reads the answer; 0 when there is none.
    async fn call(&self, what: u64, body: Body) -> u16 {
        let id = what * 100_000 + self.next.fetch_add(1, Relaxed);
        let request = Request::put(format!("http://{}/", self.upstream.addr()))
            .header("x-id", id)
            .body(body);
        let Ok(response) = self.client.request(request.unwrap()).await else {
            return 0;
        };
        let status = response.status();
        let read = response.into_body().collect().await;
        read.map_or(0, |_| status.as_u16())
    }

    fn none_is_left(&self, what: &str) {
        assert_eq!(self.client.in_flight(), 0, "{what}");
        for gauge in [
            "detectviz_bulkhead_in_flight",
            "detectviz_bulkhead_queued",
            "http.client.active_requests",
        ] {
            assert_eq!(sum(&self.metrics, gauge), 0.0, "{what}: {gauge}");
        }
    }
}

fn parts() -> Body {
    let parts = futures_util::stream::unfold(0, async |n| {
        yield_now().await;
        let frame = Frame::data(Bytes::from_static(b"part"));
        (n < 3).then(|| (Ok::<_, Infallible>(frame), n + 1))
    });
    Body::new(StreamBody::new(Box::pin(parts)))
}

#[tokio::test]
async fn a_call_that_is_dropped_at_any_await_point_leaves_nothing() {
    let off = BreakerConfig::default().mode(Mode::Disabled);
    let subject = Subject::new(off, 1);
    for (what, name, expected) in [
        (does::ANSWER, "answered", 200),
        (does::STREAM, "answered in parts", 200),
        (does::REFUSE, "answered by the second attempt", 200),
        (does::CLOSE, "closed, then answered", 200),
        (does::HANG, "timed out, then answered", 200),
    ] {
        for body in [Body::empty as fn() -> Body, || Body::from("hello")] {
            let mut polls = 0;
            loop {
                let ended = cancelled_after(polls, subject.call(what, body())).await;
                let cut = format!("{name}, after {polls} polls");
                subject.none_is_left(&cut);
                assert_eq!(subject.call(does::ANSWER, body()).await, 200, "{cut}");
                if let Some(status) = ended {
                    assert_eq!(status, expected, "{cut}");
                    break;
                }
                polls += 1;
                assert!(polls < MOST, "{name} does not end");
            }
            println!("{name}: {polls} await points");
            assert!(polls >= 2, "{name}");
        }
    }
}

#[tokio::test]
async fn a_call_whose_body_is_sent_in_parts_leaves_nothing_either() {
    let subject = Subject::new(BreakerConfig::default().mode(Mode::Disabled), 1);
    for polls in 0..MOST {
        let ended = cancelled_after(polls, subject.call(does::ANSWER, parts())).await;
        subject.none_is_left(&format!("{polls} polls"));
        // A chunked body is not read by this upstream: what follows is no request of ours.
        if ended.is_some() {
            return;
        }
    }
    panic!("it does not end");
}

#[tokio::test]
async fn a_call_that_waits_for_its_turn_leaves_its_place() {
    let off = BreakerConfig::default().mode(Mode::Disabled);
    for max_queue in [1, 0] {
        let subject = Subject::new(off.clone(), max_queue);
        for polls in 0..MOST {
            let holder = subject.call(does::HANG, Body::empty());
            let waits = async {
                yield_now().await;
                cancelled_after(polls, subject.call(does::ANSWER, Body::empty())).await
            };
            let (held, ended) = tokio::join!(holder, waits);
            assert_eq!(held, 200, "it is answered after its timeout");
            subject.none_is_left(&format!("queue of {max_queue}, {polls} polls"));
            if let Some(status) = ended {
                assert_eq!(status, if max_queue == 0 { 0 } else { 200 });
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_probe_that_is_dropped_leaves_its_permit_to_the_next() {
    let breaker = BreakerConfig::default()
        .consecutive_failures(1)
        .half_open_calls(1)
        .open(OpenConfig::constant(Duration::from_millis(1)));
    let subject = Subject::new(breaker, 1);
    for polls in 0..MOST {
        assert_eq!(
            subject.call(does::FAIL, Body::empty()).await,
            500,
            "it opens"
        );
        tokio::time::sleep(Duration::from_millis(3)).await;
        let ended = cancelled_after(polls, subject.call(does::STREAM, Body::empty())).await;
        subject.none_is_left(&format!("{polls} polls"));
        // The next one probes, or finds the circuit closed.
        assert_eq!(
            subject.call(does::ANSWER, Body::empty()).await,
            200,
            "{polls} polls"
        );
        if ended.is_some() {
            assert!(polls >= 2);
            return;
        }
    }
    panic!("it does not end");
}

/// Knows nothing, after a while.
struct Ponders;

#[async_trait::async_trait]
impl ServiceDiscoveryProvider for Ponders {
    fn name(&self) -> &str {
        "ponders"
    }

    async fn register(&self, _: &ServiceInstance) -> Result<(), DiscoveryError> {
        Ok(())
    }

    async fn deregister(&self, _: &ServiceInstance) -> Result<(), DiscoveryError> {
        Ok(())
    }

    async fn instances(&self, service: &str) -> Result<Arc<EndpointSet>, DiscoveryError> {
        Ok(self.watch(service).await?.latest())
    }

    async fn watch(&self, service: &str) -> Result<EndpointWatch, DiscoveryError> {
        for _ in 0..5 {
            yield_now().await;
        }
        let remedy = "register it";
        let kind = DiscoveryErrorKind::UnknownService;
        Err(DiscoveryError::new(kind, service, remedy))
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_while_discovery_is_asked_leaves_the_question_to_the_next() {
    let metrics = Registry::new();
    let client = ClientBuilder::new(ClientConfig::default())
        .with_metrics(&metrics)
        .with_discovery(Arc::new(Ponders));
    let client = client.build(&Tasks::new()).unwrap();
    for polls in 0..MOST {
        let uri = format!("http://nowhere-{polls}.invalid/");
        let asked = client.get(uri.parse().unwrap());
        let other = client.get(uri.parse().unwrap());
        let first = cancelled_after(polls.min(4), asked);
        let (_, other) = tokio::join!(first, other);
        assert!(other.is_err(), "there is no such host");
        assert_eq!(client.in_flight(), 0);
        assert_eq!(sum(&metrics, "http.client.active_requests"), 0.0);
        if polls == 5 {
            return;
        }
    }
}
