//! A slow attempt gets company.
use super::{
    support::{Upstream, get},
    told::Told,
    *,
};
use detectviz_core::{
    discovery::Endpoint,
    error::cause_ref,
    names::{HEDGE_DENIED, HEDGE_SENT, HEDGE_WON},
    resilience::{
        breaker::BreakerConfig,
        hedge::HedgeConfig,
        retry::{RetryConfig, budget::BudgetConfig},
        timeout::Elapsed,
    },
    telemetry::metrics::{Registry, Value},
};
use http::{Method, Response};
use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::sync::Notify;

/// What becomes of the first request; all others are answered.
#[derive(Clone, Copy, Debug)]
enum First {
    Hangs,
    /// It is refused when the second one is there, which is answered after that.
    Refused,
}

/// Two endpoints of one service, and which of them were asked.
struct Pair {
    _servers: Vec<Upstream>,
    told: Arc<Told>,
    asked: Arc<Mutex<Vec<usize>>>,
    metrics: Registry,
}

impl Pair {
    async fn new(first: First) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (came, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let mut servers = Vec::new();
        for number in 0..2 {
            let (asked, came, gone) = (asked.clone(), came.clone(), gone.clone());
            let answer = move |_| {
                let is_first = {
                    let mut asked = asked.lock().unwrap();
                    asked.push(number);
                    asked.len() == 1
                };
                let (came, gone) = (came.clone(), gone.clone());
                async move {
                    let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
                    match first {
                        First::Hangs if is_first => pending().await,
                        First::Hangs => {}
                        First::Refused if is_first => {
                            came.notified().await;
                            gone.notify_one();
                            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                        }
                        First::Refused => {
                            came.notify_one();
                            gone.notified().await;
                        }
                    }
                    response
                }
            };
            servers.push(Upstream::serve(answer).await);
        }
        let told = Arc::new(Told::new());
        let endpoints = servers.iter().map(|server| server.addr().port());
        let endpoints = endpoints.map(|port| Endpoint::new("127.0.0.1", port));
        told.tell("orders", endpoints.collect());
        Self {
            _servers: servers,
            told,
            asked,
            metrics: Registry::new(),
        }
    }

    fn client(&self, policy: PolicyConfig) -> Client {
        let config = ClientConfig::default().policy(policy);
        let builder = ClientBuilder::new(config)
            .with_discovery(self.told.clone())
            .with_metrics(&self.metrics);
        builder.build(&Tasks::new()).unwrap()
    }

    fn counted(&self, name: &str) -> u64 {
        match self.metrics.snapshot().value(name, &["orders"]) {
            Some(Value::Counter(count)) => *count,
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn quickly() -> PolicyConfig {
    let hedge = HedgeConfig::default().delay(Duration::from_millis(20));
    // One failure opens it: a loser that counted would.
    let breaker = BreakerConfig::default().consecutive_failures(1);
    PolicyConfig::default().hedge(hedge).breaker(breaker)
}

/// The same, with one attempt and those beside it, of 100 ms.
fn once(retry: RetryConfig) -> PolicyConfig {
    let policy = quickly().attempt_timeout(Duration::from_millis(100));
    policy.retry(retry.attempts(1))
}

fn is_elapsed(err: &(dyn std::error::Error + 'static)) -> bool {
    cause_ref::<Elapsed>(err).is_some()
}

#[tokio::test]
async fn the_second_endpoint_answers_for_a_slow_one_which_counts_for_nothing() {
    let pair = Pair::new(First::Hangs).await;
    let client = pair.client(quickly());
    let answer = client.request(get("orders", "/")).await.unwrap();
    assert_eq!(text(answer).await, "hello");
    let asked = pair.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0], asked[1], "another endpoint");
    assert_eq!((pair.counted(HEDGE_SENT), pair.counted(HEDGE_WON)), (1, 1));
    for _ in 0..10 {
        let answer = client.request(get("orders", "/")).await.unwrap();
        assert_eq!(text(answer).await, "hello");
    }
    assert_eq!(pair.asked.lock().unwrap().len(), 12, "none was slow");
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test]
async fn a_route_may_do_without() {
    for (path, hedges) in [("/orders", 1), ("/reports/7", 0)] {
        let pair = Pair::new(First::Hangs).await;
        let reports = RouteMatchConfig::default().path("/reports/{id}");
        let route = RoutePolicyConfig::new(reports).hedge(false);
        let policy = quickly().breaker(BreakerConfig::default()).routes([route]);
        let client = pair.client(policy.attempt_timeout(Duration::from_millis(300)));
        // A retry follows where there is no hedge.
        let answer = client.request(get("orders", path)).await.unwrap();
        assert_eq!(text(answer).await, "hello");
        assert_eq!(pair.counted(HEDGE_SENT), hedges, "{path}");
    }
}

#[tokio::test]
async fn hedges_begin_and_end_while_the_client_runs_and_their_counts_stay() {
    let hedged = once(RetryConfig::default()).attempt_timeout(Duration::from_millis(500));
    let mut plain = hedged.clone();
    plain.hedge = None;
    for (before, after, hedges) in [(&plain, &hedged, 1), (&hedged, &plain, 0)] {
        let pair = Pair::new(First::Hangs).await;
        let client = pair.client(before.clone());
        let change = |policy: &PolicyConfig| {
            let config = ClientConfig::default().policy(policy.clone());
            client.reconfigure(&config).unwrap();
        };
        let sent = || match pair.metrics.snapshot().value(HEDGE_SENT, &["orders"]) {
            Some(Value::Counter(count)) => *count,
            _ => 0,
        };
        // The upstream is known, and the next request is the first.
        pair.asked.lock().unwrap().push(0);
        let answer = client.request(get("orders", "/")).await.unwrap();
        assert_eq!(text(answer).await, "hello");
        pair.asked.lock().unwrap().clear();
        let known = sent();
        change(after);
        let answer = client.request(get("orders", "/")).await;
        assert_eq!(answer.is_ok(), hedges == 1, "{after:?}");
        change(before);
        assert_eq!(sent(), known + hedges, "{after:?}");
    }
}

#[tokio::test]
async fn a_failure_waits_for_the_attempt_beside_it() {
    let pair = Pair::new(First::Refused).await;
    let breaker = BreakerConfig::default();
    let policy = quickly()
        .breaker(breaker)
        .retry(RetryConfig::default().attempts(1));
    let client = pair.client(policy);
    let answer = client.request(get("orders", "/")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(pair.counted(HEDGE_SENT), 1);
}

#[tokio::test]
async fn what_must_not_come_twice_is_not_hedged() {
    let frames = || {
        let frame = http_body::Frame::data(Bytes::from_static(b"part"));
        StreamBody::new(futures_util::stream::iter([Ok::<_, std::io::Error>(frame)]))
    };
    for (method, streams) in [(Method::POST, false), (Method::PUT, true)] {
        let pair = Pair::new(First::Hangs).await;
        let client = pair.client(once(RetryConfig::default()));
        let mut request = get("orders", "/");
        *request.method_mut() = method.clone();
        let sent = if streams {
            client.request(request.map(|_| frames())).await
        } else {
            client.request(request).await
        };
        assert!(is_elapsed(&*sent.unwrap_err()));
        assert_eq!(pair.asked.lock().unwrap().len(), 1, "{method}");
    }
}

#[tokio::test]
async fn a_hedge_costs_a_token_of_the_retries() {
    let pair = Pair::new(First::Hangs).await;
    let none = BudgetConfig::default().ratio(0.0).min_per_second(0);
    let client = pair.client(once(RetryConfig::default().budget(none)));
    let err = client.request(get("orders", "/")).await.unwrap_err();
    assert!(is_elapsed(&*err), "{err}");
    assert_eq!(pair.asked.lock().unwrap().len(), 1);
    assert_eq!(pair.counted(HEDGE_DENIED), 1);
}

#[tokio::test]
async fn a_race_that_nobody_wins_ends_with_its_attempts() {
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    let upstream = Upstream::serve(move |_| {
        count.fetch_add(1, SeqCst);
        pending::<Response<Full<Bytes>>>()
    })
    .await;
    let config = ClientConfig::default().policy(once(RetryConfig::default()));
    let client = ClientBuilder::new(config).build(&Tasks::new()).unwrap();
    let err = client.get(upstream.uri("/")).await.unwrap_err();
    assert!(is_elapsed(&*err), "{err}");
    assert_eq!(came.load(SeqCst), 2);
    assert_eq!(client.in_flight(), 0);
    upstream.all_closed().await;
}
