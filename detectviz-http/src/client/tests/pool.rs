//! How connections are used, limited and replaced.
use super::{
    support::{Upstream, text},
    told::Told,
};
use crate::client::{Body, Client, ClientBuilder, ClientConfig, PolicyConfig, TooManyPending};
use bytes::Bytes;
use detectviz_core::{
    balance::{BalanceConfig, EndpointLimits},
    discovery::Endpoint,
    error::cause_ref,
    resilience::retry::RetryConfig,
    task::Tasks,
};
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

fn client(config: ClientConfig) -> Client {
    ClientBuilder::new(config).build(&Tasks::new()).unwrap()
}

/// One attempt for each call, within these limits.
fn limited(limits: EndpointLimits) -> ClientConfig {
    let balance = BalanceConfig::default().limits(limits);
    let retry = RetryConfig::default().attempts(1);
    ClientConfig::default().policy(PolicyConfig::default().balance(balance).retry(retry))
}

/// An upstream that answers when the semaphore lets it, and how many requests it has.
async fn gated() -> (Upstream, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (gate, seen) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (open, count) = (gate.clone(), seen.clone());
    let upstream = Upstream::serve(move |_: Request<hyper::body::Incoming>| {
        let (open, count) = (open.clone(), count.clone());
        async move {
            count.fetch_add(1, SeqCst);
            open.acquire().await.unwrap().forget();
            Response::new(Full::new(Bytes::from_static(b"hello")))
        }
    })
    .await;
    (upstream, gate, seen)
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_call_after_the_other_uses_one_connection() {
    for h2 in [false, true] {
        let upstream = Upstream::echo().await;
        let client = client(ClientConfig::default().h2(h2));
        for _ in 0..20 {
            let answer = client.request(upstream.post(Body::from("hello"))).await;
            assert_eq!(text(answer.unwrap()).await, "hello");
        }
        assert_eq!(upstream.connections(), 1, "h2: {h2}");
    }
}

#[tokio::test]
async fn no_more_connections_than_allowed_and_the_rest_waits() {
    let (upstream, gate, seen) = gated().await;
    let client = client(limited(EndpointLimits::default().connections(3)));
    let calls: Vec<_> = (0..10)
        .map(|_| async { text(client.get(upstream.uri("/")).await.unwrap()).await })
        .collect();
    let all = join_all(calls);
    let open = async {
        until(|| seen.load(SeqCst) == 3).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!((seen.load(SeqCst), upstream.connections()), (3, 3));
        gate.add_permits(10);
    };
    let (answers, ()) = tokio::join!(all, open);
    assert_eq!(answers, ["hello"; 10]);
    assert_eq!(upstream.connections(), 3);
}

#[tokio::test]
async fn more_than_may_wait_are_refused_at_once() {
    let (upstream, gate, seen) = gated().await;
    let config = limited(EndpointLimits::default().connections(1).pending(2));
    let client = client(config);
    let calls: Vec<_> = (0..6).map(|_| client.get(upstream.uri("/"))).collect();
    let open = async {
        until(|| seen.load(SeqCst) == 1).await;
        gate.add_permits(6);
    };
    let read = join_all(calls.into_iter().map(|call| async {
        match call.await {
            Ok(answer) => {
                answer.into_body().collect().await.unwrap();
                true
            }
            Err(err) => {
                let refused = cause_ref::<TooManyPending>(&*err).unwrap();
                assert_eq!((refused.max_connections, refused.max_pending), (1, 2));
                assert!(err.to_string().contains("balance.limits"), "{err}");
                false
            }
        }
    }));
    let (answered, ()) = tokio::join!(read, open);
    let answered = answered.into_iter().filter(|answered| *answered).count();
    assert!((3..=4).contains(&answered), "{answered} of 6");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_has_carried_its_share_is_closed() {
    for h2 in [false, true] {
        let upstream = Upstream::echo().await;
        let client = client(limited(EndpointLimits::default().requests_per_connection(4)).h2(h2));
        for _ in 0..12 {
            let answer = client.request(upstream.post(Body::from("hello"))).await;
            assert_eq!(text(answer.unwrap()).await, "hello");
        }
        assert_eq!(upstream.connections(), 3, "h2: {h2}");
    }
}

#[tokio::test]
async fn a_call_that_gives_up_leaves_its_connection_to_the_next() {
    let upstream = Upstream::echo().await;
    let client = client(ClientConfig::default());
    let mut given_up = Box::pin(client.get(upstream.uri("/")));
    // Polled once: the connection is being made.
    assert!(futures_util::poll!(&mut given_up).is_pending());
    drop(given_up);
    text(client.get(upstream.uri("/")).await.unwrap()).await;
    text(client.get(upstream.uri("/")).await.unwrap()).await;
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_body_that_is_not_read_costs_its_connection() {
    let upstream = Upstream::echo().await;
    let client = client(ClientConfig::default());
    for _ in 0..3 {
        let large = Bytes::from(vec![b'x'; 1 << 20]);
        let answer = client.request(upstream.post(Body::from(large))).await;
        drop(answer.unwrap());
    }
    assert_eq!(upstream.connections(), 3);
}

#[tokio::test]
async fn connections_that_idle_are_closed() {
    let upstream = Upstream::echo().await;
    let client = client(ClientConfig::default().pool_idle_timeout(Duration::from_millis(40)));
    text(client.get(upstream.uri("/")).await.unwrap()).await;
    upstream.all_closed().await;
    text(client.get(upstream.uri("/")).await.unwrap()).await;
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn over_http2_a_discovered_service_keeps_its_name() {
    let upstream = Upstream::serve(|request: Request<hyper::body::Incoming>| async move {
        let authority = request.uri().authority().map(ToString::to_string);
        Response::new(Full::new(Bytes::from(authority.unwrap_or_default())))
    })
    .await;
    let told = Arc::new(Told::new());
    let endpoint = Endpoint::new("127.0.0.1", upstream.addr().port());
    told.tell("orders", vec![endpoint]);
    let client = ClientBuilder::new(ClientConfig::default().h2(true))
        .with_discovery(told)
        .build(&Tasks::new())
        .unwrap();
    let answer = client.get("http://orders/v1".parse().unwrap()).await;
    assert_eq!(text(answer.unwrap()).await, "orders");
}
