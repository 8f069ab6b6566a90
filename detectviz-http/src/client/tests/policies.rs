//! What protects calls: retries, the breaker, the bulkhead, deadlines.
use super::{
    support::{Upstream, get, text},
    told::Told,
    *,
};
use detectviz_core::{
    discovery::Endpoint,
    error::cause_ref,
    resilience::{
        breaker::{BreakerConfig, Mode, Open, WindowConfig},
        bulkhead::{BulkheadConfig, Overloaded},
        retry::{BackoffConfig, BudgetExhausted, RetryConfig},
        timeout::Elapsed,
    },
    telemetry::{
        context::{Slot, TraceContext},
        metrics::{Registry, Value},
    },
};
use http::{HeaderValue, Response};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Instant,
};

/// Retries without long waits.
fn quick() -> RetryConfig {
    let backoff = BackoffConfig::default().base(Duration::from_millis(1));
    RetryConfig::default().backoff(backoff)
}

fn client_with(policy: PolicyConfig) -> Client {
    let config = ClientConfig::default().policy(policy);
    ClientBuilder::new(config).build(&Tasks::new()).unwrap()
}

/// An upstream that answers with these statuses in turn, then with 200, and how many requests came.
async fn answering(statuses: &'static [u16]) -> (Upstream, Arc<AtomicUsize>) {
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    let upstream = Upstream::serve(move |request: Request<hyper::body::Incoming>| {
        let at = count.fetch_add(1, SeqCst);
        async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let mut response = Response::new(Full::new(body));
            let status = statuses.get(at).copied().unwrap_or(200);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        }
    })
    .await;
    (upstream, came)
}

#[tokio::test]
async fn what_fails_for_a_moment_is_asked_again_and_what_may_not_come_twice_is_not() {
    for (method, statuses, expected, calls) in [
        ("GET", &[503, 502][..], 200, 3),
        ("PUT", &[504], 200, 2),
        ("GET", &[503, 503, 503], 503, 3),
        ("GET", &[429], 200, 2),
        ("GET", &[500], 500, 1),
        ("GET", &[404], 404, 1),
        ("POST", &[503], 503, 1),
    ] {
        let (upstream, came) = answering(statuses).await;
        let client = client_with(PolicyConfig::default().retry(quick()));
        let mut request = upstream.post(Body::from("hello"));
        *request.method_mut() = method.parse().unwrap();
        let answer = client.request(request).await.unwrap();
        assert_eq!(answer.status(), expected, "{method} {statuses:?}");
        assert_eq!(text(answer).await, "hello", "the body came whole each time");
        assert_eq!(came.load(SeqCst), calls, "{method} {statuses:?}");
    }
}

#[tokio::test]
async fn an_idempotency_key_makes_a_post_safe() {
    let (upstream, came) = answering(&[503]).await;
    let client = client_with(PolicyConfig::default().retry(quick()));
    let mut request = upstream.post(Body::from("hello"));
    let key = HeaderValue::from_static("7");
    request.headers_mut().insert("idempotency-key", key);
    assert_eq!(client.request(request).await.unwrap().status(), 200);
    assert_eq!(came.load(SeqCst), 2);
}

#[tokio::test]
async fn r13_a_body_of_more_than_64_kib_is_sent_once() {
    for (length, calls) in [(65_536, 2), (65_537, 1)] {
        let (upstream, came) = answering(&[503]).await;
        let client = client_with(PolicyConfig::default().retry(quick()));
        let mut request = upstream.post(Body::from(Bytes::from(vec![b'x'; length])));
        *request.method_mut() = http::Method::PUT;
        let answer = client.request(request).await.unwrap();
        answer.into_body().collect().await.unwrap();
        assert_eq!(came.load(SeqCst), calls, "{length}");
    }
    for (pieces, calls) in [(64, 2), (65, 1)] {
        let (upstream, came) = answering(&[503]).await;
        let client = client_with(PolicyConfig::default().retry(quick()));
        let piece = || http_body::Frame::data(Bytes::from(vec![b'x'; 1024]));
        let frames = (0..pieces).map(move |_| Ok::<_, std::io::Error>(piece()));
        let mut request = upstream.post(StreamBody::new(futures_util::stream::iter(frames)));
        *request.method_mut() = http::Method::PUT;
        let answer = client.request(request).await.unwrap();
        assert_eq!(
            answer.status() == 200,
            calls == 2,
            "the first answer, or the second"
        );
        let whole = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(whole.len(), pieces * 1024, "it came whole");
        assert_eq!(came.load(SeqCst), calls, "{pieces} KiB in pieces");
    }
}

#[tokio::test]
async fn a_dead_endpoint_costs_an_attempt_and_no_call() {
    let (alive, came) = answering(&[]).await;
    // Bound and not listening: whoever connects is refused.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = dead.local_addr().unwrap().port();
    drop(dead);
    let told = Arc::new(Told::new());
    let endpoints = [alive.addr().port(), port].map(|port| Endpoint::new("127.0.0.1", port));
    told.tell("orders", endpoints.to_vec());
    let config = ClientConfig::default().policy(PolicyConfig::default().retry(quick()));
    let client = ClientBuilder::new(config).with_discovery(told);
    let client = client.build(&Tasks::new()).unwrap();
    for n in 0..30 {
        // A POST too: nothing was sent to the dead one.
        let mut request = get("orders", "/");
        if n % 2 == 0 {
            *request.method_mut() = http::Method::POST;
        }
        let answer = client.request(request).await.unwrap();
        answer.into_body().collect().await.unwrap();
    }
    assert_eq!(came.load(SeqCst), 30);
}

#[tokio::test]
async fn an_upstream_that_only_fails_is_left_alone() {
    let (upstream, came) = answering(&[500; 1000]).await;
    let breaker = BreakerConfig::default()
        .window(WindowConfig::Calls(10))
        .minimum_calls(10);
    let metrics = Registry::new();
    let config = ClientConfig::default().policy(PolicyConfig::default().breaker(breaker));
    let builder = ClientBuilder::new(config).with_metrics(&metrics);
    let client = builder.build(&Tasks::new()).unwrap();
    let mut refused = 0;
    for _ in 0..100 {
        match client.get(upstream.uri("/")).await {
            Ok(answer) => assert_eq!(answer.status(), 500),
            Err(err) => {
                assert!(cause_ref::<Open>(&*err).is_some(), "{err}");
                assert_eq!(
                    crate::error::status_of(&*err),
                    StatusCode::SERVICE_UNAVAILABLE
                );
                refused += 1;
            }
        }
    }
    assert_eq!((came.load(SeqCst), refused), (10, 90));
    let labels = [
        "GET",
        "127.0.0.1",
        &upstream.addr().port().to_string(),
        "",
        "breaker_open",
    ];
    let snapshot = metrics.snapshot();
    let counted = snapshot.value(crate::names::CLIENT_REQUEST_DURATION, &labels);
    let Some(Value::Histogram(counted)) = counted else {
        panic!("{snapshot:?}")
    };
    assert_eq!(counted.count, 90);
}

#[tokio::test]
async fn retries_are_bounded_over_all_calls() {
    let (upstream, came) = answering(&[503; 10_000]).await;
    // The breaker would end it earlier.
    let policy = PolicyConfig::default()
        .retry(quick())
        .breaker(BreakerConfig::default().mode(Mode::Disabled));
    let client = client_with(policy);
    for _ in 0..1000 {
        let answer = client.get(upstream.uri("/")).await.unwrap();
        answer.into_body().collect().await.unwrap();
    }
    let came = came.load(SeqCst);
    assert!(
        (1100..=1320).contains(&came),
        "{came} attempts of 1000 calls"
    );
    let gone = upstream.uri("/");
    drop(upstream);
    let mut denied = 0;
    for _ in 0..50 {
        let err = client.get(gone.clone()).await.unwrap_err();
        denied += usize::from(cause_ref::<BudgetExhausted>(&*err).is_some());
    }
    assert!(denied > 0, "a denied retry says so");
}

#[tokio::test]
async fn calls_beyond_the_bulkhead_are_refused_and_its_permits_come_back() {
    let bulkhead = BulkheadConfig::default().max_concurrent(2).max_queue(0);
    let client = client_with(PolicyConfig::default().bulkhead(bulkhead));
    let (upstream, _) = answering(&[]).await;
    for _ in 0..5 {
        let call = || client.request(upstream.post(Body::from("hello")));
        let (first, second) = (call().await.unwrap(), call().await.unwrap());
        let err = call().await.unwrap_err();
        assert!(cause_ref::<Overloaded>(&*err).is_some(), "{err}");
        first.into_body().collect().await.unwrap();
        drop(second);
    }
}

#[tokio::test]
async fn t2_what_is_left_of_a_deadline_goes_along() {
    let upstream = Upstream::serve(|request: Request<hyper::body::Incoming>| async move {
        let headers = request.headers();
        let said = ["x-request-timeout-ms", "grpc-timeout"].map(|name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or("-").to_owned()
        });
        Response::new(Full::new(Bytes::from(said.join(" "))))
    })
    .await;
    let client = client_with(PolicyConfig::default());
    let ask = async |deadline: Option<Duration>, grpc: bool| {
        let mut slot = Slot::new(TraceContext::root(false));
        slot.deadline = deadline.map(|left| Instant::now() + left);
        let mut request = upstream.post(Body::empty());
        if grpc {
            let kind = HeaderValue::from_static("application/grpc");
            request.headers_mut().insert("content-type", kind);
        }
        slot.scope(async { text(client.request(request).await.unwrap()).await })
            .await
    };
    assert_eq!(ask(None, false).await, "- -");
    let said = ask(Some(Duration::from_millis(500)), false).await;
    let left: u64 = said.split(' ').next().unwrap().parse().unwrap();
    assert!((400..=500).contains(&left), "{said}");
    let said = ask(Some(Duration::from_millis(500)), true).await;
    let left = said.split(' ').nth(1).unwrap();
    assert!(left.ends_with(['m', 'u', 'n']), "{said}");
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_is_not_sent() {
    let (upstream, came) = answering(&[]).await;
    let client = client_with(PolicyConfig::default());
    let mut slot = Slot::new(TraceContext::root(false));
    slot.deadline = Some(slot.started);
    let sent = slot.scope(async { client.get(upstream.uri("/")).await });
    let err = sent.await.unwrap_err();
    assert!(cause_ref::<Elapsed>(&*err).is_some(), "{err}");
    assert_eq!((came.load(SeqCst), client.in_flight()), (0, 0));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let window = BreakerConfig::default().window(WindowConfig::Time(Duration::from_secs(1)));
    let slow = PolicyConfig::default().attempt_timeout(Duration::from_secs(3));
    for (config, key) in [
        (
            ClientConfig::default().policy(slow.clone()),
            "policy.attempt_timeout",
        ),
        (
            ClientConfig::default().upstream("orders", slow),
            "upstreams.orders.attempt_timeout",
        ),
        (
            ClientConfig::default().policy(PolicyConfig::default().breaker(window)),
            "policy.breaker.window",
        ),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(problems.contains(key), "{key}: {problems}");
    }
}
