//! Servers in this process that answer `hello`: ours within the whole stack, and hyper alone.
use bytes::Bytes;
use detectviz_core::{
    lifecycle::{Phase, PhaseControl},
    task::Tasks,
    telemetry::{logs::Logs, metrics::Registry, span::Spans},
};
use detectviz_http::{
    route::RouteTable,
    server::{Server, ServerConfig, ServerDeps},
    stack::{Stack, StackConfig, StackDeps},
};
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::{Ipv4Addr, SocketAddr},
    task::{Context, Poll},
};
use tokio::net::TcpListener;
use tower_service::Service;

/// Answers `hello` to everything.
#[derive(Clone, Copy, Debug)]
struct Hello;

impl<B> Service<Request<B>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, plain);
        ready(Ok(response))
    }
}

/// Our server and stack, on the current runtime.
pub(crate) fn ours(tasks: &Tasks, logs: Logs, spans: Spans) -> SocketAddr {
    let phase = PhaseControl::new();
    phase.advance(Phase::Serving);
    let metrics = Registry::new();
    let routes = RouteTable::builder().route("/").build().expect("routes");
    let deps = StackDeps::default()
        .with_metrics(metrics.clone())
        .with_logs(logs)
        .with_spans(spans)
        .with_routes(routes);
    let service = Stack::new(&StackConfig::default(), deps)
        .expect("a stack")
        .service(Hello);
    let deps = ServerDeps::new(tasks.clone(), phase.watch(), metrics);
    let mut config = ServerConfig::default();
    config.address = Ipv4Addr::LOCALHOST.into();
    config.port = 0;
    let bound = Server::new(config, "http", deps, service).bind();
    let serving = bound.and_then(|bound| bound.serve());
    serving.expect("the server serves").local_addr()
}

/// hyper alone, on the current runtime, for one connection.
pub(crate) async fn bare(tasks: &Tasks) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tasks.spawn("bare", async move {
        let (stream, _) = listener.accept().await.expect("a connection comes");
        let hello = service_fn(|request| Hello.call(request));
        let served = http1::Builder::new().serve_connection(TokioIo::new(stream), hello);
        served.await.expect("it is served");
    });
    address
}
