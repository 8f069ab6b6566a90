//! What is special about the calls of a route.
use super::{support::Upstream, *};
use detectviz_core::{
    error::cause_ref,
    resilience::{
        breaker::{BreakerConfig, Mode},
        bulkhead::{BulkheadConfig, Overloaded, Priority},
        retry::{BackoffConfig, RetryConfig},
        timeout::Elapsed,
    },
};
use http::{Method, Response};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

fn built(policy: PolicyConfig) -> Client {
    let config = ClientConfig::default().policy(policy);
    ClientBuilder::new(config).build(&Tasks::new()).unwrap()
}

fn prefix(path: &str) -> RoutePolicyConfig {
    RoutePolicyConfig::new(RouteMatchConfig::default().path_prefix(path))
}

/// Answers 503 below `/fail`, nothing below `/hang`, and else 200; and how often it was asked.
async fn upstream() -> (Upstream, Arc<AtomicUsize>) {
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    let upstream = Upstream::serve(move |request: Request<hyper::body::Incoming>| {
        count.fetch_add(1, SeqCst);
        async move {
            let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
            let path = request.uri().path();
            if path.starts_with("/fail") {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            } else if path.starts_with("/hang") {
                std::future::pending().await
            }
            response
        }
    })
    .await;
    (upstream, came)
}

#[tokio::test]
async fn a_route_says_how_often_its_calls_are_tried_and_whether_they_are_safe() {
    let (upstream, came) = upstream().await;
    let backoff = BackoffConfig::default().base(Duration::from_millis(1));
    let policy = PolicyConfig::default()
        .retry(RetryConfig::default().attempts(2).backoff(backoff))
        .breaker(BreakerConfig::default().mode(Mode::Disabled))
        .routes([
            prefix("/fail/never").attempts(1),
            prefix("/fail/often").attempts(4),
            prefix("/fail/safe").safe(true),
            prefix("/fail/unsafe").safe(false),
        ]);
    let client = built(policy);
    for (method, path, calls) in [
        (Method::GET, "/fail", 2),
        (Method::GET, "/fail/never", 1),
        (Method::GET, "/fail/often?x=1", 4),
        (Method::POST, "/fail/often", 1),
        (Method::POST, "/fail/safe", 2),
        (Method::GET, "/fail/unsafe", 1),
    ] {
        came.store(0, SeqCst);
        let mut request = upstream.post(Body::from("hello"));
        *request.uri_mut() = upstream.uri(path);
        *request.method_mut() = method.clone();
        let answer = client.request(request).await.unwrap();
        assert_eq!(answer.status(), 503);
        answer.into_body().collect().await.unwrap();
        assert_eq!(came.load(SeqCst), calls, "{method} {path}");
    }
}

#[tokio::test]
async fn a_route_says_how_long_its_calls_and_attempts_may_take() {
    let (upstream, _) = upstream().await;
    let millis = Duration::from_millis;
    let policy = PolicyConfig::default()
        .attempt_timeout(millis(40))
        .total_timeout(millis(90))
        .retry(RetryConfig::default().attempts(1))
        .routes([
            prefix("/hang/attempt").attempt_timeout(millis(20)),
            prefix("/hang/total")
                .total_timeout(millis(30))
                .attempt_timeout(millis(29)),
        ]);
    let client = built(policy);
    for (path, limits) in [
        ("/hang", [40, 40]),
        ("/hang/attempt", [20, 20]),
        ("/hang/total", [29, 30]),
    ] {
        let err = client.get(upstream.uri(path)).await.unwrap_err();
        let limit = cause_ref::<Elapsed>(&*err).unwrap().limit();
        assert!(limits.map(millis).contains(&limit), "{path}: {err}");
    }
}

#[tokio::test]
async fn a_route_that_is_critical_is_never_refused() {
    let (upstream, _) = upstream().await;
    let bulkhead = BulkheadConfig::default().max_concurrent(1).max_queue(0);
    let policy = PolicyConfig::default()
        .bulkhead(bulkhead)
        .routes([prefix("/login").priority(Priority::Critical)]);
    let client = built(policy);
    let _held = client.get(upstream.uri("/")).await.unwrap();
    let err = client.get(upstream.uri("/")).await.unwrap_err();
    assert!(cause_ref::<Overloaded>(&*err).is_some(), "{err}");
    assert!(client.get(upstream.uri("/login")).await.is_ok());
}

#[test]
fn times_of_a_route_that_cannot_work_are_refused() {
    let seconds = Duration::from_secs;
    let of = |route: RoutePolicyConfig| PolicyConfig::default().routes([route]);
    for (policy, good) in [
        (of(prefix("/a").attempt_timeout(seconds(2))), true),
        (of(prefix("/a").attempt_timeout(seconds(3))), false),
        (of(prefix("/a").total_timeout(seconds(1))), false),
        (
            of(prefix("/a")
                .total_timeout(seconds(9))
                .attempt_timeout(seconds(4))),
            true,
        ),
        (PolicyConfig::default().total_timeout(seconds(1)), false),
        (PolicyConfig::default().total_timeout(seconds(2)), true),
    ] {
        let config = ClientConfig::default().upstream("orders", policy);
        let found = check(&config);
        assert_eq!(found.is_ok(), good, "{config:?}");
        if let Err(problems) = found {
            let problems = problems.to_string();
            assert!(problems.contains("upstreams.orders."), "{problems}");
            assert!(problems.contains("attempt_timeout"), "{problems}");
        }
    }
}
