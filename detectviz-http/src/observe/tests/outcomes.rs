//! Whatever happens to requests, the metrics balance.
use super::*;
use crate::{
    admission::{AdmissionConfig, RouteAdmissionConfig},
    conn::ConnInfo,
    probe::{ProbeConfig, Probes},
};
use detectviz_core::{
    config::check,
    health::{Health, HealthConfig},
    resilience::{bulkhead::BulkheadConfig, rate_limit::RateLimitConfig},
    task::Tasks,
};
use http::{Method, Version};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    task::{Context, Waker},
};

type Answer = Result<Response<Sent>, io::Error>;
type Sent = http_body_util::combinators::UnsyncBoxBody<Bytes, io::Error>;

/// What happens to one request, by the path that makes it happen, and what comes of it.
const FATES: [(&str, &str); 16] = [
    ("/ok", "ok"),
    ("/404", "ok"),
    ("/429", "ok"),
    ("/500", "failed"),
    ("/503", "failed"),
    ("/error", "failed"),
    ("/panic", "failed"),
    ("/body", "failed"),
    ("/livez", "ok"),
    ("/gone", "cancelled"),
    ("/gone-in-body", "cancelled"),
    ("/queued", "cancelled"),
    ("/narrow", "shed"),
    ("/rare", "shed"),
    ("/late", "timed_out"),
    ("/slow", "timed_out"),
];

/// Refused because its connection is for probes alone.
const RESERVED: &str = "/reserved";

async fn handle(req: Request<Full<Bytes>>) -> Answer {
    let text = |text: &'static str| Full::new(Bytes::from_static(text.as_bytes()));
    let whole = || text("hello").map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(whole());
    match req.uri().path() {
        "/error" => return Err(io::ErrorKind::ConnectionRefused.into()),
        "/panic" => panic!("on purpose"),
        "/gone" | "/slow" | "/queued" | "/narrow" => return pending().await,
        "/body" => {
            let frames = [
                Ok(Frame::data(Bytes::from_static(b"x"))),
                Err(io::Error::other("on purpose")),
            ];
            let frames = StreamBody::new(futures_util::stream::iter(frames));
            *response.body_mut() = BodyExt::boxed_unsync(frames);
        }
        path => {
            if let Ok(status) = path[1..].parse() {
                *response.status_mut() = status;
            }
        }
    }
    Ok(response)
}

fn stack(metrics: &Registry) -> Stack {
    let mut admission = AdmissionConfig::default();
    let narrow = |queue| BulkheadConfig::default().max_concurrent(1).max_queue(queue);
    let mut rare = RouteAdmissionConfig::default();
    let rate = RateLimitConfig::default().rate("1/h".parse().unwrap());
    rare.rate_limits.insert("rare".to_owned(), rate);
    admission.routes = BTreeMap::from([
        (
            "/narrow".to_owned(),
            RouteAdmissionConfig::default().concurrency(narrow(0)),
        ),
        (
            "/queued".to_owned(),
            RouteAdmissionConfig::default().concurrency(narrow(1)),
        ),
        ("/rare".to_owned(), rare),
    ]);
    let config = StackConfig::default().admission(admission);
    check(&config).unwrap();
    let table = RouteTable::builder().route("/narrow").route("/queued");
    let table = table.route("/rare").route("/{other}").build().unwrap();
    let health = Health::new(&HealthConfig::default(), &Tasks::new(), metrics);
    let deps = StackDeps::default()
        .with_metrics(metrics.clone())
        .with_routes(table)
        .with_probes(Probes::new(&ProbeConfig::default(), health));
    Stack::new(&config, deps).unwrap()
}

fn read(metrics: &Registry, name: &str, labels: &[&str]) -> u64 {
    match metrics.snapshot().value(name, labels) {
        Some(Value::Counter(count)) => *count,
        other => panic!("{name}: {other:?}"),
    }
}

/// What the metrics say of each outcome.
fn ended(metrics: &Registry) -> BTreeMap<&'static str, u64> {
    let outcomes = ["ok", "failed", "shed", "timed_out", "cancelled"];
    let read = |outcome| read(metrics, names::SERVER_REQUESTS, &[outcome]);
    outcomes.map(|outcome| (outcome, read(outcome))).into()
}

fn started(metrics: &Registry) -> u64 {
    read(metrics, names::SERVER_REQUESTS_STARTED, &[])
}

fn ask(method: &Method, path: &str) -> Request<Full<Bytes>> {
    let mut request = request(method.as_str(), path);
    for (of, timeout) in [("/late", "0"), ("/slow", "5")] {
        if path == of {
            let value = timeout.parse().unwrap();
            request.headers_mut().insert("x-request-timeout-ms", value);
        }
    }
    request
}

fn begin<F: Future>(call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    call
}

async fn all(limit: usize, fates: &[(usize, usize, usize)]) {
    let metrics = Registry::with_limit(limit);
    let svc = stack(&metrics).service(service_fn(handle));
    let call = |method: &Method, path: &str| svc.clone().oneshot(ask(method, path));
    let mut expected: BTreeMap<&str, u64> = ended(&metrics);
    assert_eq!(expected.values().sum::<u64>() + started(&metrics), 0);
    // Those who take the places, and the one that uses up the rate.
    let held = [
        begin(call(&Method::GET, "/narrow")),
        begin(call(&Method::GET, "/queued")),
    ];
    let first = call(&Method::GET, "/rare").await.unwrap();
    first.into_body().collect().await.unwrap();
    *expected.get_mut("ok").unwrap() += 1;
    let methods = [Method::GET, Method::POST, Method::PUT];
    for &(fate, method, under_way) in fates {
        let method = &methods[method];
        let (path, outcome) = match FATES.get(fate) {
            Some(("/livez", outcome)) if *method != Method::GET => ("/ok", *outcome),
            Some(fate) => *fate,
            None => (RESERVED, "shed"),
        };
        let others: Vec<_> = (0..under_way)
            .map(|_| begin(call(method, "/gone")))
            .collect();
        let mut conn = ConnInfo::new(Version::HTTP_11);
        conn.reserved = path == RESERVED;
        let called = {
            let _entered = conn.enter();
            svc.clone().call(ask(method, path))
        };
        let before = started(&metrics);
        let ended_before: u64 = ended(&metrics).values().sum();
        let in_flight = (held.len() + under_way) as u64;
        assert!(before <= ended_before + in_flight + 1);
        match path {
            "/gone" | "/queued" => drop(begin(called)),
            "/gone-in-body" => drop(called.await.unwrap()),
            _ => {
                let response = called.await.unwrap();
                let _failed = response.into_body().collect().await;
            }
        }
        *expected.get_mut(outcome).unwrap() += 1;
        let now: u64 = ended(&metrics).values().sum();
        assert_eq!(started(&metrics), now + in_flight, "after {path}");
        drop(others);
        *expected.get_mut("cancelled").unwrap() += under_way as u64;
        assert_eq!(ended(&metrics), expected, "after {method} {path}");
    }
    drop(held);
    *expected.get_mut("cancelled").unwrap() += 2;
    let ended = ended(&metrics);
    assert_eq!(ended, expected);
    assert_eq!(started(&metrics), ended.values().sum::<u64>());
}

fn run(limit: usize, fates: &[(usize, usize, usize)]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(all(limit, fates));
}

#[test]
fn each_fate_has_one_outcome() {
    let each: Vec<_> = (0..=FATES.len()).map(|fate| (fate, 0, 1)).collect();
    run(2000, &each);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_offered_is_the_sum_of_what_came_of_it(
        // Few series are told apart, or many.
        limit in prop_oneof![Just(2000), 1_usize..12],
        fates in proptest::collection::vec((0..=FATES.len(), 0_usize..3, 0_usize..3), 1..40),
    ) {
        run(limit, &fates);
    }
}

#[tokio::test]
async fn two_servers_of_one_registry_add_up() {
    let metrics = Registry::with_limit(3);
    let servers = [layer(&metrics), layer(&metrics)];
    for path in ["/orders/1", "/gone", "/nowhere", "/else"] {
        for server in &servers {
            let svc = server.layer(service_fn(answer));
            let response = svc.oneshot(request("GET", path)).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
    }
    for method in ["PUT", "POST"] {
        for server in &servers {
            let svc = server.layer(service_fn(answer));
            let mut req = request(method, "/orders/1");
            req.headers_mut().insert("answer", "503".parse().unwrap());
            drop(svc.oneshot(req).await.unwrap().into_body().collect().await);
        }
    }
    let ended = ended(&metrics);
    assert_eq!((ended["ok"], ended["failed"]), (8, 4), "{ended:?}");
    assert_eq!(started(&metrics), 12);
    drop(servers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn started_never_goes_back() {
    let metrics = Registry::new();
    let svc = layer(&metrics).layer(service_fn(answer));
    let tasks = Tasks::new();
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let svc = svc.clone();
            tasks.spawn("asks", async move {
                for _ in 0..500 {
                    let response = svc.clone().oneshot(request("GET", "/orders/1")).await;
                    response.unwrap().into_body().collect().await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let (mut last, mut rounds) = (0, 0);
    while rounds < 200 || !asked.iter().all(tokio::task::JoinHandle::is_finished) {
        let now = started(&metrics);
        assert!((last..=2000).contains(&now), "{now} after {last}");
        (last, rounds) = (now, rounds + 1);
        tokio::task::yield_now().await;
    }
    assert_eq!(started(&metrics), 2000);
    assert_eq!(ended(&metrics)["ok"], 2000);
}
