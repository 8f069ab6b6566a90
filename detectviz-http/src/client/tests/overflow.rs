//! More hosts than may be remembered.
use super::{
    support::{Upstream, get},
    told::Told,
    *,
};
use crate::client::{
    hosts::Hosts,
    upstream::{Direct, Route},
};
use detectviz_core::{
    discovery::Endpoint,
    error::cause_ref,
    resilience::{
        breaker::{BreakerConfig, Open, WindowConfig},
        bulkhead::{BulkheadConfig, Overloaded},
        retry::RetryConfig,
    },
    telemetry::metrics::{Registry, Value},
};
use http::Response;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Instant,
};

fn once() -> PolicyConfig {
    PolicyConfig::default().retry(RetryConfig::default().attempts(1))
}

fn overflow(metrics: &Registry) -> u64 {
    let name = crate::names::CLIENT_UPSTREAM_OVERFLOW;
    match metrics.snapshot().value(name, &[]) {
        Some(Value::Counter(count)) => *count,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn hosts_that_are_not_remembered_share_one_breaker() {
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    let upstream = Upstream::serve(move |_: Request<hyper::body::Incoming>| {
        count.fetch_add(1, SeqCst);
        async {
            let mut response = Response::new(Full::new(Bytes::new()));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    })
    .await;
    let breaker = BreakerConfig::default()
        .window(WindowConfig::Calls(10))
        .minimum_calls(10);
    let metrics = Registry::new();
    let told = Arc::new(Told::new());
    let config = ClientConfig::default()
        .max_upstreams(1)
        .policy(once().breaker(breaker));
    let builder = ClientBuilder::new(config).with_metrics(&metrics);
    let tasks = Tasks::new();
    let client = builder.with_discovery(told.clone()).build(&tasks).unwrap();
    let endpoint = Endpoint::new("127.0.0.1", upstream.addr().port());
    let mut refused = 0;
    for n in 0..41 {
        let name = format!("tenant-{n}");
        told.tell(&name, vec![endpoint.clone()]);
        match client.request(get(&name, "/")).await {
            Ok(answer) => assert_eq!(answer.status(), 500),
            Err(err) => {
                assert!(cause_ref::<Open>(&*err).is_some(), "{err}");
                refused += 1;
            }
        }
    }
    // The first is remembered, with a breaker of its own.
    assert_eq!((came.load(SeqCst), refused), (11, 30));
    assert_eq!(overflow(&metrics), 40);
    let handle = client.handle();
    let names = handle.upstreams();
    let names: Vec<_> = names.iter().map(UpstreamHandle::name).collect();
    assert_eq!(names, ["_other", "tenant-0"]);
}

#[tokio::test]
async fn their_permits_are_of_one_bulkhead_and_settings_reach_them() {
    let (first, second) = (Upstream::echo().await, Upstream::echo().await);
    let limit = |most| once().bulkhead(BulkheadConfig::default().max_concurrent(most).max_queue(0));
    let config = |most| ClientConfig::default().max_upstreams(1).policy(limit(most));
    let client = ClientBuilder::new(config(1)).build(&Tasks::new()).unwrap();
    let call = |upstream: &Upstream| client.request(upstream.post(Body::from("hello")));
    call(&first).await.unwrap();
    let _held = call(&second).await.unwrap();
    let third = Upstream::echo().await;
    let err = call(&third).await.unwrap_err();
    assert!(cause_ref::<Overloaded>(&*err).is_some(), "{err}");
    client.reconfigure(&config(2)).unwrap();
    assert!(call(&third).await.is_ok());
}

#[tokio::test]
async fn a_host_that_the_settings_name_is_always_remembered() {
    let (first, second) = (Upstream::echo().await, Upstream::echo().await);
    let config = ClientConfig::default()
        .max_upstreams(1)
        .upstream(second.authority(), once());
    let client = ClientBuilder::new(config).build(&Tasks::new()).unwrap();
    for upstream in [&first, &second] {
        client.get(upstream.uri("/")).await.unwrap();
    }
    assert_eq!(client.handle().upstreams().len(), 2);
    assert!(client.handle().upstream("_other").is_none());
}

#[test]
fn who_was_not_called_for_a_minute_makes_way_and_who_was_keeps_its_counts() {
    let metrics = Registry::new();
    let hosts = Hosts::new(ClientConfig::default().max_upstreams(2), &metrics);
    let start = Instant::now();
    let call = |name: &str, seconds: u64| {
        let now = start + Duration::from_secs(seconds);
        hosts.keep(name, now, |_| Route::Direct(Direct::new(name, None)))
    };
    let is_known = |name: &str| hosts.find(name, start).is_some();
    let (a, b) = (call("a", 0), call("b", 0));
    call("c", 1);
    assert!(!is_known("c"), "a and b have just been called");
    assert_eq!(overflow(&metrics), 1);
    call("a", 30);
    call("c", 40);
    assert!(!is_known("c"), "it is looked once a minute");
    call("a", 61);
    // Only those that were called since second 1 stay; asking is a call, so b is not asked for.
    call("c", 61);
    assert!(is_known("c"));
    assert!(Arc::ptr_eq(&call("a", 62), &a));
    let again = call("b", 62);
    assert!(!Arc::ptr_eq(again.policies(), b.policies()));
}

#[test]
fn a_host_that_is_asked_for_anew_keeps_its_counts_and_connections() {
    let hosts = Hosts::new(ClientConfig::default(), &Registry::new());
    let start = Instant::now();
    let until = start + Duration::from_secs(30);
    let first = hosts.keep("a", start, |_| Route::Direct(Direct::new("a", Some(until))));
    assert!(hosts.find("a", until).is_none(), "discovery is asked again");
    let second = hosts.keep("a", until, |place| {
        assert!(place.before.is_some());
        Route::Direct(Direct::new("a", None))
    });
    assert!(Arc::ptr_eq(first.policies(), second.policies()));
}
