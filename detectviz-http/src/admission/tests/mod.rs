//! What is taken on, what waits, and what is refused with which words.
mod callers;
mod reloading;

use super::*;
use crate::{
    conn::ConnInfo,
    names,
    probe::{ProbeConfig, Probes},
    route::RouteTable,
    stack::{Stack, StackConfig, StackDeps},
};
use bytes::Bytes;
use detectviz_core::{
    config::check,
    health::{Health, HealthConfig},
    resilience::{bulkhead::BulkheadConfig, contract, rate_limit::RateLimitConfig},
    task::Tasks,
    telemetry::metrics::{Registry, Value},
};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full};
use std::{
    convert::Infallible,
    future::{Future, pending},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tower::{Service, ServiceExt, service_fn};

type Req = Request<Empty<Bytes>>;

fn routes() -> RouteTable {
    let table = RouteTable::builder().route("/orders/{id}").route("/batch");
    table.build().unwrap()
}

fn stack(admission: AdmissionConfig, metrics: &Registry) -> Stack {
    let config = StackConfig::default().admission(admission);
    check(&config).unwrap();
    let health = Health::new(&HealthConfig::default(), &Tasks::new(), metrics);
    let deps = StackDeps::default()
        .with_metrics(metrics.clone())
        .with_routes(routes())
        .with_probes(Probes::new(&ProbeConfig::default(), health));
    Stack::new(&config, deps).unwrap()
}

fn limited(max_concurrent: u32, max_queue: u32) -> AdmissionConfig {
    let limit = BulkheadConfig::default()
        .max_concurrent(max_concurrent)
        .max_queue(max_queue);
    AdmissionConfig::default().concurrency(limit)
}

fn get(path: &str) -> Req {
    Request::get(path).body(Empty::new()).unwrap()
}

async fn hello(_: Req) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"hello"))))
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn count(metrics: &Registry, labels: &[&str; 6]) -> u64 {
    match metrics
        .snapshot()
        .value(names::SERVER_REQUEST_DURATION, labels)
    {
        Some(Value::Histogram(histogram)) => histogram.count,
        _ => 0,
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_some_wait_and_the_rest_is_refused_with_retry_after() {
    let metrics = Registry::new();
    let stack = stack(limited(2, 1), &metrics);
    let svc = stack.service(service_fn(|_: Req| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let call = || Box::pin(svc.clone().oneshot(get("/orders/1")));
    let (mut a, mut b, mut waits, mut refused) = (call(), call(), call(), call());
    for running in [&mut a, &mut b, &mut waits] {
        assert!(poll(running.as_mut()).is_pending());
    }
    let limit = stack.admission().concurrency();
    assert_eq!((limit.in_flight(), limit.queued()), (2, 1));
    let Poll::Ready(Ok(response)) = poll(refused.as_mut()) else {
        panic!("it is refused at once")
    };
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    response.into_body().collect().await.unwrap();
    let labels = ["GET", "http", "/orders/{id}", "503", "overloaded", "1.1"];
    assert_eq!(count(&metrics, &labels), 1);
    // One that gives up lets the one that waits in.
    drop(a);
    assert!(poll(waits.as_mut()).is_pending());
    assert_eq!((limit.in_flight(), limit.queued()), (2, 0));
    drop((b, waits));
    assert_eq!((limit.in_flight(), limit.queued()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_refused() {
    let metrics = Registry::new();
    let svc = stack(limited(1, 5), &metrics).service(service_fn(|_: Req| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let mut runs = pin!(svc.clone().oneshot(get("/orders/1")));
    assert!(poll(runs.as_mut()).is_pending());
    let start = tokio::time::Instant::now();
    let response = svc.oneshot(get("/orders/1")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let waited = start.elapsed();
    assert!((100..120).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_permit_comes_back_however_a_request_ends() {
    async fn handler(request: Req) -> Result<Response<Full<Bytes>>, std::io::Error> {
        match request.uri().path() {
            "/panic" => panic!("on purpose"),
            "/fails" => Err(std::io::Error::other("on purpose")),
            _ => Ok(Response::new(Full::new(Bytes::from_static(b"hello")))),
        }
    }
    let stack = stack(limited(3, 0), &Registry::new());
    let limit = stack.admission().concurrency().clone();
    let svc = stack.service(service_fn(handler));
    for path in ["/", "/panic", "/fails", "/"] {
        let response = svc.clone().oneshot(get(path)).await.unwrap();
        assert_eq!(limit.in_flight(), 0, "{path}: the handler has answered");
        drop(response);
    }
    let mut called = svc.clone();
    drop(called.ready().await.unwrap().call(get("/")));
    assert_eq!(limit.in_flight(), 0);
}

#[tokio::test]
async fn probes_are_answered_when_nothing_else_is() {
    let mut config = limited(1, 0);
    let rate = RateLimitConfig::default()
        .rate("1/m".parse().unwrap())
        .burst(1);
    config.rate_limits.insert("all".to_owned(), rate);
    let svc = stack(config, &Registry::new()).service(service_fn(|_: Req| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let mut runs = pin!(svc.clone().oneshot(get("/orders/1")));
    assert!(poll(runs.as_mut()).is_pending());
    for _ in 0..20 {
        let probe = svc.clone().oneshot(get("/livez")).await.unwrap();
        assert_eq!(probe.status(), StatusCode::OK);
        let other = svc.clone().oneshot(get("/orders/1")).await.unwrap();
        assert_eq!(other.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}

#[tokio::test]
async fn a_caller_beyond_its_rate_reads_when_to_come_back() {
    let mut config = AdmissionConfig::default();
    let rate = RateLimitConfig::default()
        .rate("2/m".parse().unwrap())
        .key("header:x-api-key".to_owned().try_into().unwrap());
    config.rate_limits.insert("api".to_owned(), rate);
    let metrics = Registry::new();
    let svc = stack(config, &metrics).service(service_fn(hello));
    for (key, expected) in [
        ("a", 200),
        ("a", 200),
        ("a", 429),
        ("b", 200),
        ("a", 429),
        ("b", 200),
        ("b", 429),
    ] {
        let mut request = get("/orders/7");
        request
            .headers_mut()
            .insert("x-api-key", key.parse().unwrap());
        let response = svc.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected, "{key}");
        if expected == 429 {
            let headers = response.headers();
            assert_eq!(headers["ratelimit-policy"], r#""api";q=2;w=60"#);
            let seconds: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=30).contains(&seconds), "{seconds}");
            assert_eq!(headers["ratelimit"], format!(r#""api";r=0;t={seconds}"#));
        }
        response.into_body().collect().await.unwrap();
    }
    let labels = ["GET", "http", "/orders/{id}", "429", "rate_limited", "1.1"];
    assert_eq!(count(&metrics, &labels), 3);
}

#[tokio::test]
async fn peers_are_told_apart_by_address_and_not_by_port() {
    let mut config = AdmissionConfig::default();
    let rate = RateLimitConfig::default()
        .rate("1/m".parse().unwrap())
        .key("peer".to_owned().try_into().unwrap());
    config.rate_limits.insert("peer".to_owned(), rate);
    let mut svc = stack(config, &Registry::new()).service(service_fn(hello));
    for (peer, expected) in [
        ("10.0.0.1:1", 200),
        ("10.0.0.1:2", 429),
        ("10.0.0.2:1", 200),
        ("[::ffff:10.0.0.2]:1", 429),
    ] {
        let mut conn = ConnInfo::new(Version::HTTP_11);
        conn.peer = Some(peer.parse().unwrap());
        let call = {
            let _entered = conn.enter();
            svc.ready().await.unwrap().call(get("/orders/7"))
        };
        assert_eq!(call.await.unwrap().status(), expected, "{peer}");
    }
}

#[tokio::test]
async fn a_route_has_limits_of_its_own_within_those_of_the_server() {
    let mut config = limited(3, 0);
    let batch = RouteAdmissionConfig::default()
        .concurrency(BulkheadConfig::default().max_concurrent(1).max_queue(0));
    config.routes.insert("/batch".to_owned(), batch);
    let stack = stack(config, &Registry::new());
    let svc = stack.service(service_fn(|_: Req| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let call = |path| Box::pin(svc.clone().oneshot(get(path)));
    let mut batch = call("/batch");
    assert!(poll(batch.as_mut()).is_pending());
    let second = call("/batch").await.unwrap();
    assert_eq!(second.status(), 503);
    let mut orders = [call("/orders/1"), call("/orders/2")];
    for order in &mut orders {
        assert!(poll(order.as_mut()).is_pending());
    }
    // The server's limit refuses what the route's would take.
    drop(batch);
    let mut third = call("/orders/3");
    assert!(poll(third.as_mut()).is_pending());
    assert_eq!(call("/batch").await.unwrap().status(), 503);
    drop(orders);
    let mut batch = call("/batch");
    assert!(
        poll(batch.as_mut()).is_pending(),
        "its own permit came back"
    );
}

#[tokio::test]
async fn limits_change_while_requests_run() {
    let stack = stack(limited(1, 0), &Registry::new());
    let svc = stack.service(service_fn(|_: Req| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let call = || Box::pin(svc.clone().oneshot(get("/orders/1")));
    let mut first = call();
    assert!(poll(first.as_mut()).is_pending());
    assert_eq!(call().await.unwrap().status(), 503);
    stack
        .admission()
        .reconfigure(&limited(2, 0), Instant::now());
    let mut second = call();
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(
        stack.admission().concurrency().in_flight(),
        2,
        "nothing is lost"
    );
    assert_eq!(call().await.unwrap().status(), 503);
}

#[tokio::test]
async fn the_service_contract_holds() {
    let stack = stack(AdmissionConfig::default(), &Registry::new());
    contract::check_with::<_, Req, Response<Full<Bytes>>>(&stack, || get("/orders/1")).await;
}

#[test]
fn a_route_that_the_service_does_not_have_is_named() {
    let mut config = StackConfig::default();
    let route = RouteAdmissionConfig::default().priority(Priority::Sheddable);
    config.admission.routes.insert("/nowhere".to_owned(), route);
    let deps = StackDeps::default().with_routes(routes());
    let err = Stack::new(&config, deps).unwrap_err().to_string();
    assert!(
        err.contains("/nowhere") && err.contains("/orders/{id}"),
        "{err}"
    );
    let mut config = AdmissionConfig::default();
    for name in ["a", "b", "c", "d", "e"] {
        let rate = RateLimitConfig::default();
        config.rate_limits.insert(name.to_owned(), rate);
    }
    let problems = check(&config).unwrap_err().to_string();
    assert!(
        problems.contains("at most") || problems.contains("more than 4"),
        "{problems}"
    );
}

#[test]
fn a_limit_says_how_long_to_wait_at_least_a_second() {
    let after = detectviz_core::resilience::rate_limit::HeaderText::retry_after(Duration::ZERO);
    assert_eq!(after.as_str(), "1");
}

#[tokio::test(start_paused = true)]
async fn a_request_is_given_up_when_its_time_is_up_and_refused_when_it_was_before() {
    let metrics = Registry::new();
    let stack = stack(AdmissionConfig::default(), &metrics);
    let limit = stack.admission().concurrency().clone();
    let svc = stack.service(service_fn(|_: Req| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    for (name, value, least, most) in [
        ("grpc-timeout", "300m", 300, 310),
        ("x-request-timeout-ms", "50", 50, 60),
        ("x-request-timeout-ms", "0", 0, 1),
        ("x-request-timeout-ms", "99999999", 60_000, 60_010),
    ] {
        let mut request = get("/orders/1");
        request.headers_mut().insert(name, value.parse().unwrap());
        let start = tokio::time::Instant::now();
        let response = svc.clone().oneshot(request).await.unwrap();
        let took = start.elapsed().as_millis();
        assert!((least..=most).contains(&took), "{name}: {value}: {took}");
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(limit.in_flight(), 0);
    }
    let labels = ["GET", "http", "/orders/{id}", "504", "timeout", "1.1"];
    assert_eq!(count(&metrics, &labels), 4);
}

#[tokio::test]
async fn strangers_ask_in_vain_for_a_deadline() {
    let mut config = AdmissionConfig::default();
    config.deadline.trust_remote = false;
    let svc = stack(config, &Registry::new()).service(service_fn(hello));
    let mut request = get("/orders/1");
    let value = "0".parse().unwrap();
    request.headers_mut().insert("x-request-timeout-ms", value);
    assert_eq!(svc.oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn load_is_shed_by_priority_and_probes_are_not() {
    use detectviz_core::resilience::shed::{Readings, ShedConfig};
    let mut config = AdmissionConfig::default().shed(ShedConfig::default());
    let batch = RouteAdmissionConfig::default().priority(Priority::Sheddable);
    config.routes.insert("/batch".to_owned(), batch);
    let stack = stack(config, &Registry::new());
    let shedder = stack.admission().shedder().unwrap().clone();
    let svc = stack.service(service_fn(hello));
    let start = Instant::now();
    for round in 0..50 {
        let mut readings = Readings::default();
        readings.cpu = Some(1.0);
        shedder.update(&readings, start + Duration::from_millis(100 * round));
    }
    assert!(shedder.is_shedding());
    let mut refused = 0;
    for _ in 0..50 {
        let response = svc.clone().oneshot(get("/batch")).await.unwrap();
        refused += u32::from(response.status() == StatusCode::SERVICE_UNAVAILABLE);
        let probe = svc.clone().oneshot(get("/livez")).await.unwrap();
        assert_eq!(probe.status(), StatusCode::OK);
    }
    assert!(refused > 40, "{refused} of 50 refused");
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_learns_from_how_long_handlers_take() {
    use detectviz_core::resilience::adaptive::AdaptiveConfig;
    let config = AdmissionConfig::default().adaptive(AdaptiveConfig::default());
    let stack = stack(config, &Registry::new());
    let limit = stack.admission().concurrency().clone();
    let svc = stack.service(service_fn(|request: Req| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        hello(request).await
    }));
    let before = limit.limit();
    for _ in 0..400 {
        let calls = (0..before).map(|_| svc.clone().oneshot(get("/orders/1")));
        for answer in futures_util::future::join_all(calls).await {
            answer.unwrap().into_body().collect().await.unwrap();
        }
    }
    assert_ne!(
        limit.limit(),
        before,
        "a full limit and steady times move it"
    );
    assert_eq!(limit.in_flight(), 0);
}
