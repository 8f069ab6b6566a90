//! A call that succeeds allocates nothing in the layers of the client: as much as over a bare connection of hyper, which is
//! counted beside it.
use bytes::Bytes;
use detectviz_benches::allocations::so_far;
use detectviz_core::{
    resilience::{
        breaker::{BreakerConfig, Mode},
        retry::{BackoffConfig, RetryConfig, budget::BudgetConfig},
    },
    task::Tasks,
    telemetry::span::{Sampler, Spans},
};
use detectviz_http::client::{Body, Client, ClientBuilder, ClientConfig, PolicyConfig};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};

/// Calls that warm up the thread, and as many that are counted.
const ROUNDS: u64 = 1000;

/// Answers on a thread of its own, so that its allocations are not ours. Every second request to `/flaky` is refused.
fn server() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a socket");
    let serve = async move {
        let listener = TcpListener::from_std(listener).expect("a socket");
        let came = Arc::new(AtomicUsize::new(0));
        while let Ok((stream, _)) = listener.accept().await {
            let came = Arc::clone(&came);
            let service = service_fn(move |request: Request<Incoming>| {
                let refused = request.uri().path() == "/flaky"
                    && came.fetch_add(1, Relaxed).is_multiple_of(2);
                async move {
                    request.into_body().collect().await.expect("a body");
                    let text: &'static [u8] = if refused { b"" } else { b"hello" };
                    let mut response = Response::new(Full::new(Bytes::from_static(text)));
                    if refused {
                        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    }
                    Ok::<_, Infallible>(response)
                }
            });
            let io = TokioIo::new(stream);
            tokio::task::spawn_local(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(io, service).await;
            });
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the peer has no `Tasks`")]
    thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, serve);
    });
    addr
}

fn client(h2: bool, spans: &Spans, tasks: &Tasks) -> Client {
    let backoff = BackoffConfig::default().base(Duration::from_millis(1));
    let budget = BudgetConfig::default().ratio(1.0);
    let retry = RetryConfig::default().backoff(backoff).budget(budget);
    // Half of the calls fail.
    let breaker = BreakerConfig::default().mode(Mode::MetricsOnly);
    let policy = PolicyConfig::default().retry(retry).breaker(breaker);
    let builder = ClientBuilder::new(ClientConfig::default().h2(h2).policy(policy));
    let client = builder.with_spans(spans.clone()).build(tasks);
    client.expect("a client")
}

/// What a caller asks for, made before anything is counted.
fn request<B>(uri: &Uri, body: B) -> Request<B> {
    let request = Request::put(uri.clone());
    request.body(body).expect("a request")
}

async fn read(response: Response<impl http_body::Body<Error = impl std::fmt::Debug>>) {
    let mut body = pin!(response.into_body());
    while let Some(frame) = body.frame().await {
        frame.expect("a frame");
    }
}

/// The headers that the client adds.
fn add_headers(headers: &mut HeaderMap, host: Option<&HeaderValue>) {
    const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
    const VALUE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    headers.insert(header::USER_AGENT, HeaderValue::from_static("detectviz"));
    if let Some(host) = host {
        headers.insert(header::HOST, host.clone());
    }
    headers.insert(TRACEPARENT, HeaderValue::from_static(VALUE));
}

/// How many allocations 1,000 warm calls of a bare connection make, each of `tries` requests.
async fn bare<B>(addr: SocketAddr, path: &'static str, body: fn() -> B, tries: u64) -> u64
where
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let stream = TcpStream::connect(addr).await.expect("a connection");
    let io = TokioIo::new(stream);
    let (mut sender, connection) = http1::handshake(io).await.expect("a handshake");
    #[expect(clippy::disallowed_methods, reason = "the peer has no `Tasks`")]
    tokio::spawn(connection);
    let uri = Uri::from_static(path);
    let host = HeaderValue::from_str(&addr.to_string()).expect("a header");
    drop(host.clone());
    let mut counted = 0;
    for round in 0..2 * ROUNDS {
        for _ in 0..tries {
            let mut request = request(&uri, body());
            let before = so_far();
            add_headers(request.headers_mut(), Some(&host));
            sender.ready().await.expect("an open connection");
            read(sender.send_request(request).await.expect("an answer")).await;
            if round >= ROUNDS {
                counted += so_far() - before;
            }
        }
    }
    counted
}

/// The same over HTTP/2, of requests without a body.
async fn bare_h2(addr: SocketAddr) -> u64 {
    let stream = TcpStream::connect(addr).await.expect("a connection");
    let mut builder = http2::Builder::new(TokioExecutor::new());
    // As ours has it: hyper allocates for each stream that it watches.
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(5));
    let handshake = builder.handshake::<_, Full<Bytes>>(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.expect("a handshake");
    #[expect(clippy::disallowed_methods, reason = "the peer has no `Tasks`")]
    tokio::spawn(connection);
    let uri: Uri = format!("http://{addr}/").parse().expect("a URI");
    let mut counted = 0;
    for round in 0..2 * ROUNDS {
        let mut request = request(&uri, Full::default());
        let before = so_far();
        add_headers(request.headers_mut(), None);
        sender.ready().await.expect("an open connection");
        read(sender.send_request(request).await.expect("an answer")).await;
        if round >= ROUNDS {
            counted += so_far() - before;
        }
    }
    counted
}

/// How many allocations 1,000 warm calls of ours make.
async fn ours(
    (addr, path, h2): (SocketAddr, &str, bool),
    body: fn() -> Body,
    spans: &Spans,
) -> u64 {
    let tasks = Tasks::new();
    let client = client(h2, spans, &tasks);
    let uri: Uri = format!("http://{addr}{path}").parse().expect("a URI");
    let mut counted = 0;
    for round in 0..2 * ROUNDS {
        let request = request(&uri, body());
        let before = so_far();
        let answer = client.request(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        read(answer).await;
        if round >= ROUNDS {
            counted += so_far() - before;
        }
        if let Some(batch) = spans.take(100) {
            batch.exported(0);
        }
    }
    tasks.cancel();
    counted
}

#[tokio::test]
async fn a_warm_call_allocates_no_more_than_a_bare_connection() {
    let addr = server();
    let before = so_far();
    drop(std::hint::black_box(vec![0_u8; 100]));
    assert_eq!(so_far() - before, 1, "the counter counts");
    let shared = || Full::new(Bytes::from_static(b"hello"));
    let no_bytes = || Full::new(Bytes::new());
    let bare = [
        bare(addr, "/", no_bytes, 1).await,
        bare(addr, "/", shared, 1).await,
    ];
    let bodies: [fn() -> Body; 2] = [Body::empty, || Body::from("hello")];
    for (body, bare) in bodies.into_iter().zip(bare) {
        for sampler in [Sampler::always_off(), Sampler::always_on()] {
            let spans = Spans::new(sampler);
            let ours = ours((addr, "/", false), body, &spans).await;
            println!("{ours} allocations of 1,000 calls, bare {bare}");
            // The growth of what is used again, such as queues.
            assert!(ours <= bare + ROUNDS / 100, "{ours}, bare {bare}");
        }
    }
}

#[tokio::test]
async fn over_http2_too() {
    let addr = server();
    let bare = bare_h2(addr).await;
    for sampler in [Sampler::always_off(), Sampler::always_on()] {
        let ours = ours((addr, "/", true), Body::empty, &Spans::new(sampler)).await;
        println!("{ours} allocations of 1,000 calls over HTTP/2, bare {bare}");
        // Without optimisation tokio boxes tasks above 2 KiB, and those on a stream that may be TLS are.
        let boxed = if cfg!(debug_assertions) { ROUNDS } else { 0 };
        assert!(ours <= bare + boxed + ROUNDS / 100, "{ours}, bare {bare}");
    }
}

#[tokio::test]
async fn a_retry_without_a_body_allocates_no_more_than_two_bare_requests() {
    let addr = server();
    let bare = bare(addr, "/flaky", Full::<Bytes>::default, 2).await;
    let spans = Spans::new(Sampler::always_off());
    let ours = ours((addr, "/flaky", false), Body::empty, &spans).await;
    println!("{ours} allocations of 1,000 calls that are repeated, bare {bare}");
    assert!(ours <= bare + ROUNDS / 100, "{ours}, bare {bare}");
}
