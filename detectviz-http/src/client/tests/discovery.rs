//! Services are found by their names.
use super::{
    support::{Upstream, get, text},
    *,
};
use detectviz_core::{
    discovery::{Conditions, DiscoveryError, Endpoint, ServiceDiscoveryProvider},
    error::cause_ref,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::SeqCst},
};
use tokio::sync::Semaphore;

fn at(upstream: &Upstream) -> Endpoint {
    Endpoint::new("127.0.0.1", upstream.addr().port())
}

fn client_of(told: &Arc<Told>) -> Client {
    client_with(told, ClientConfig::default())
}

fn client_with(told: &Arc<Told>, config: ClientConfig) -> Client {
    let provider: Arc<dyn ServiceDiscoveryProvider> = Arc::clone(told) as _;
    let builder = ClientBuilder::new(config).with_discovery(provider);
    builder.build(&Tasks::new()).unwrap()
}

/// Three servers that say their number.
async fn three() -> [Upstream; 3] {
    let numbered = |n: &'static str| {
        Upstream::serve(move |request: Request<hyper::body::Incoming>| async move {
            let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
            let path = request.uri().path();
            http::Response::new(Full::new(Bytes::from(format!("{n} {host}{path}"))))
        })
    };
    [
        numbered("0").await,
        numbered("1").await,
        numbered("2").await,
    ]
}

#[tokio::test]
async fn a_service_found_by_name_is_called_at_each_endpoint_and_keeps_its_name() {
    let servers = three().await;
    let told = Arc::new(Told::new());
    told.tell("orders", servers.iter().map(at).collect());
    let client = client_of(&told);
    let mut seen = BTreeMap::<String, usize>::new();
    for _ in 0..60 {
        let answer = client.request(get("orders", "/v1/x")).await.unwrap();
        *seen.entry(text(answer).await).or_default() += 1;
    }
    let said: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(said, ["0 orders/v1/x", "1 orders/v1/x", "2 orders/v1/x"]);
    assert_eq!(told.asked.load(SeqCst), 1);
}

#[tokio::test]
async fn a_new_set_of_endpoints_is_used_by_the_next_call() {
    let [a, b, _] = three().await;
    let told = Arc::new(Told::new());
    told.tell("orders", vec![at(&a)]);
    let client = client_of(&told);
    let ask = async || text(client.request(get("ORDERS", "/")).await.unwrap()).await;
    assert_eq!(ask().await, "0 orders/");
    told.tell("orders", vec![at(&a).with_weight(0), at(&b)]);
    // The task that follows the set has its turn.
    tokio::task::yield_now().await;
    for _ in 0..3 {
        assert_eq!(ask().await, "1 orders/");
    }
    assert_eq!(told.asked.load(SeqCst), 1);
}

#[tokio::test]
async fn a_service_without_usable_endpoints_is_an_error_that_names_it() {
    let told = Arc::new(Told::new());
    let gone = Conditions {
        ready: false,
        serving: false,
        terminating: true,
    };
    let endpoint = Endpoint::new("127.0.0.1", 1).with_conditions(gone);
    told.tell("orders", vec![endpoint]);
    let err = client_of(&told)
        .request(get("orders", "/"))
        .await
        .unwrap_err();
    let refused = cause_ref::<NoEndpoints>(&*err).unwrap();
    assert_eq!((&*refused.service, refused.known), ("orders", 1));
    assert!(err.to_string().contains("start an instance"), "{err}");
    assert_eq!(
        crate::error::status_of(&*err),
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn a_host_that_discovery_does_not_know_goes_to_dns_until_it_is_known() {
    let [a, b, _] = three().await;
    let told = Arc::new(Told::new());
    let config = ClientConfig::default().unknown_ttl(Duration::ZERO);
    let client = client_with(&told, config);
    // A host with a port is not asked for; it is resolved by the system.
    let direct = format!("localhost:{}", a.addr().port());
    let answer = client.request(get(&direct, "/")).await.unwrap();
    assert_eq!(text(answer).await, format!("0 {direct}/"));
    assert_eq!(told.asked.load(SeqCst), 0);
    // Nobody is called `nowhere.invalid`: RFC 2606.
    let err = client
        .request(get("nowhere.invalid", "/"))
        .await
        .unwrap_err();
    assert!(cause_ref::<ConnectFailed>(&*err).is_some(), "{err:?}");
    assert_eq!(told.asked.load(SeqCst), 1);
    told.tell("nowhere.invalid", vec![at(&b)]);
    let answer = client.request(get("nowhere.invalid", "/")).await.unwrap();
    assert_eq!(text(answer).await, "1 nowhere.invalid/");
}

#[tokio::test]
async fn two_hundred_first_calls_ask_once() {
    let servers = three().await;
    let told = Arc::new(Told {
        may_answer: Semaphore::new(0),
        ..Told::new()
    });
    told.tell("orders", servers.iter().map(at).collect());
    let client = client_of(&told);
    let mut calls: Vec<_> = (0..200)
        .map(|_| Box::pin(client.request(get("orders", "/"))))
        .collect();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut cx).is_pending());
    }
    // The one who asked gives up: the next one asks in its place.
    drop(calls.remove(0));
    told.may_answer.add_permits(1);
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(told.asked.load(SeqCst), 2);
}

#[tokio::test]
async fn a_source_that_cannot_be_asked_fails_all_who_wait_at_once() {
    let told = Arc::new(Told {
        may_answer: Semaphore::new(0),
        broken: true,
        ..Told::new()
    });
    let client = client_of(&told);
    let mut calls: Vec<_> = (0..20)
        .map(|_| Box::pin(client.request(get("orders", "/"))))
        .collect();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut cx).is_pending());
    }
    told.may_answer.add_permits(1);
    for answer in futures_util::future::join_all(calls).await {
        let err = answer.unwrap_err();
        assert!(cause_ref::<LookupFailed>(&*err).is_some());
        assert!(cause_ref::<DiscoveryError>(&*err).is_some());
        assert!(err.to_string().contains("start the registry"), "{err}");
    }
    assert_eq!(told.asked.load(SeqCst), 1);
    // The failure is not remembered: the next call asks anew.
    told.may_answer.add_permits(1);
    assert!(client.request(get("orders", "/")).await.is_err());
    assert_eq!(told.asked.load(SeqCst), 2);
}

#[tokio::test]
async fn more_hosts_than_may_be_remembered_are_served_all_the_same() {
    let servers = three().await;
    let told = Arc::new(Told::new());
    let client = client_with(&told, ClientConfig::default().max_upstreams(2));
    for name in ["a", "b", "c", "a", "c"] {
        told.tell(name, servers.iter().map(at).collect());
        let answer = client.request(get(name, "/")).await.unwrap();
        assert!(text(answer).await.ends_with(&format!("{name}/")));
    }
    assert_eq!(
        told.asked.load(SeqCst),
        4,
        "`a` and `b` are remembered, `c` is asked for twice"
    );
}
