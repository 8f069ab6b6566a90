//! Finding the route of an outgoing call allocates nothing.
use detectviz_benches::allocations::so_far;
use detectviz_core::{resilience::bulkhead::Priority, task::Tasks};
use detectviz_http::client::{
    Body, Client, ClientBuilder, ClientConfig, PolicyConfig, RouteMatchConfig, RoutePolicyConfig,
};
use http::Request;
use http_body_util::BodyExt;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// Calls that warm up the thread and the connection, and as many that are counted.
const ROUNDS: u64 = 500;

/// Answers every request of one connection, whose heads are shorter than its buffer, until it is closed.
fn answer(mut stream: TcpStream) {
    let mut head = [0; 4096];
    let mut length = 0;
    while let Ok(read) = stream.read(&mut head[length..]) {
        length += read;
        if read == 0 {
            return;
        }
        if head[..length].ends_with(b"\r\n\r\n") {
            length = 0;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}

/// A server on threads of its own, whose allocations are not counted.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    #[expect(clippy::disallowed_methods, reason = "it ends with the process")]
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            #[expect(clippy::disallowed_methods, reason = "it ends with the process")]
            thread::spawn(move || answer(stream));
        }
    });
    addr
}

fn client(routes: Vec<RoutePolicyConfig>) -> Client {
    let config = ClientConfig::default().policy(PolicyConfig::default().routes(routes));
    let client = ClientBuilder::new(config).build(&Tasks::new());
    client.expect("the settings are good")
}

/// The allocations of one call, all that a client and hyper make.
async fn allocations(client: &Client, addr: SocketAddr) -> u64 {
    let mut before = 0;
    for round in 0..2 * ROUNDS {
        if round == ROUNDS {
            before = so_far();
        }
        let uri = format!("http://{addr}/v1/orders/7/items");
        let request = Request::get(uri).body(Body::empty()).expect("a request");
        let answer = client.request(request).await.expect("it answers");
        answer.into_body().collect().await.expect("it is whole");
    }
    (so_far() - before) / ROUNDS
}

#[tokio::test]
async fn a_call_allocates_no_more_with_routes_than_without() {
    let addr = server();
    let any = RouteMatchConfig::default;
    let miss = (0..20).map(|n| any().method("GET").path(format!("/v1/other{n}/{{id}}")));
    let hit = any().method("GET").path("/v1/orders/{id}/{*rest}");
    let routes = miss.chain([hit]).map(RoutePolicyConfig::new);
    let routes = routes
        .map(|route| route.priority(Priority::Normal))
        .collect();
    let without = allocations(&client(Vec::new()), addr).await;
    let with = allocations(&client(routes), addr).await;
    assert_eq!(with, without);
}
