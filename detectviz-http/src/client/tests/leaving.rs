//! Endpoints that leave while calls are on them.
use super::{
    support::{Upstream, get},
    told::Told,
    *,
};
use detectviz_core::discovery::Endpoint;
use http::Response;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// An upstream whose heads and bodies each wait for a permit.
async fn gated() -> (Upstream, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let open = Arc::clone(&gate);
    let upstream = Upstream::serve(move |_: Request<hyper::body::Incoming>| {
        let open = Arc::clone(&open);
        async move {
            open.acquire().await.unwrap().forget();
            let body = futures_util::stream::once(async move {
                open.acquire().await.unwrap().forget();
                let frame = http_body::Frame::data(Bytes::from_static(b"hello"));
                Ok::<_, std::io::Error>(frame)
            });
            Response::new(StreamBody::new(body))
        }
    })
    .await;
    (upstream, gate)
}

fn at(upstream: &Upstream) -> Endpoint {
    Endpoint::new("127.0.0.1", upstream.addr().port())
}

#[tokio::test]
async fn a_call_on_an_endpoint_that_leaves_goes_on_and_then_its_connections_close() {
    for h2 in [false, true] {
        let (old, gate) = gated().await;
        let new = Upstream::echo().await;
        let told = Arc::new(Told::new());
        told.tell("orders", vec![at(&old)]);
        let builder = ClientBuilder::new(ClientConfig::default().h2(h2));
        let client = builder.with_discovery(told.clone());
        let client = client.build(&Tasks::new()).unwrap();
        let call = || client.request(get("orders", "/"));

        // One connection idles over HTTP/1.1, one call reads its body, and one waits for its head.
        gate.add_permits(4);
        let (first, second) = tokio::join!(call(), call());
        let bodies = [first.unwrap(), second.unwrap()].map(Response::into_body);
        for body in bodies {
            body.collect().await.unwrap();
        }
        gate.add_permits(1);
        let reading = call().await.unwrap();
        let mut waiting = Box::pin(call());
        assert!(futures_util::poll!(&mut waiting).is_pending());

        told.tell("orders", vec![at(&new)]);
        tokio::task::yield_now().await;
        assert_eq!(text(call().await.unwrap()).await, "", "h2: {h2}");
        gate.add_permits(3);
        let waited = waiting.await.unwrap();
        let (read, waited) = tokio::join!(text(reading), text(waited));
        assert_eq!((&*read, &*waited), ("hello", "hello"), "h2: {h2}");
        old.all_closed().await;
        assert_eq!(client.in_flight(), 0);
    }
}

#[tokio::test]
async fn an_idle_connection_of_an_endpoint_that_leaves_is_closed() {
    for h2 in [false, true] {
        let (old, new) = (Upstream::echo().await, Upstream::echo().await);
        let told = Arc::new(Told::new());
        told.tell("orders", vec![at(&old)]);
        let builder = ClientBuilder::new(ClientConfig::default().h2(h2));
        let client = builder.with_discovery(told.clone());
        let client = client.build(&Tasks::new()).unwrap();
        text(client.request(get("orders", "/")).await.unwrap()).await;
        told.tell("orders", vec![at(&new)]);
        old.all_closed().await;
    }
}
