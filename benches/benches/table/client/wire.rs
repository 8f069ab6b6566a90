//! The client itself over a connection, beside hyper-util's client within the usual layers.
use super::theirs;
use crate::{
    contestant::Contestant,
    harness::{Row, Table},
    services::runtime,
};
use bytes::Bytes;
use detectviz_benches::usual;
use detectviz_core::{task::Tasks, telemetry::metrics::Registry};
use detectviz_http::client::{ClientBuilder, ClientConfig};
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full};
use hyper::{body::Incoming, client::conn, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    hint::black_box,
    io,
    net::{Ipv4Addr, SocketAddr},
};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;
use tracing::dispatcher::with_default;

pub(super) const NAME: &str = "client over a loopback connection";
/// Calls between two pauses.
const CALLS: u32 = 64;

pub(super) fn row(table: &mut Table) {
    let (runtime, tasks) = (runtime(), Tasks::new());
    let address = serve(&tasks).expect("it listens");
    let uri: Uri = format!("http://{address}/").parse().expect("a URI");
    let request = || {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = uri.clone();
        request
    };
    let config = ClientConfig::default();
    let builder = ClientBuilder::new(config).with_metrics(&Registry::new());
    let ours = {
        let _entered = runtime.enter();
        builder.build(&tasks).expect("the defaults are valid")
    };
    let contestant = Contestant::batches("detectviz's client, no line", |calls| {
        runtime.block_on(times(calls, || ours.request(request())));
    });
    let mut bare = runtime.block_on(connect(&tasks, address));
    let base = Contestant::batches("hyper's connection", |calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                bare.ready().await.expect("the connection lives");
                let mut request = Request::new(Empty::<Bytes>::new());
                request
                    .headers_mut()
                    .insert("host", "h".parse().expect("a value"));
                read(bare.send_request(request)).await;
            }
        });
    });
    let pool = || {
        let connector = HttpConnector::new();
        Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector)
    };
    let plain = pool();
    let plain = Contestant::batches("hyper-util's client", |calls| {
        runtime.block_on(times(calls, || plain.request(request())));
    });
    let dispatch = usual::dispatch(true, io::sink);
    let mut stack = theirs::with_log(pool());
    let stacked = Contestant::batches("the same, tower's stack with JSON", |calls| {
        with_default(&dispatch, || {
            runtime.block_on(async {
                for _ in 0..calls {
                    let ready = poll_fn(|cx| stack.poll_ready(cx)).await;
                    ready.expect("it is ready");
                    read(stack.call(request())).await;
                }
            });
        });
    });
    // The client's own allocations have a gate among the tests.
    let row = Row::new(NAME, contestant.calls(CALLS)).allocates();
    let row = row.over(base.calls(CALLS)).shown(plain.calls(CALLS));
    table.row(row.shown(stacked.calls(CALLS)));
    tasks.cancel();
}

async fn times<F, B, E>(calls: u32, mut call: impl FnMut() -> F)
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
    E: std::fmt::Debug,
    B::Error: std::fmt::Debug,
{
    for _ in 0..calls {
        read(call()).await;
    }
}

/// Waits for an answer and reads it to its end.
async fn read<B, E>(call: impl Future<Output = Result<Response<B>, E>>)
where
    B: Body<Data = Bytes>,
    E: std::fmt::Debug,
    B::Error: std::fmt::Debug,
{
    let body = call.await.expect("it answers").into_body();
    black_box(body.collect().await.expect("the body ends").to_bytes());
}

async fn connect(tasks: &Tasks, address: SocketAddr) -> conn::http1::SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("it connects");
    stream.set_nodelay(true).expect("a socket option");
    let (sender, connection) = conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("a connection");
    tasks.spawn("connection", async move {
        let _ = connection.await;
    });
    sender
}

/// hyper alone, in a thread of its own; ends with `tasks`.
fn serve(tasks: &Tasks) -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let own = tasks.clone();
    let serving = move || {
        let (runtime, token) = (runtime(), own.token());
        let accepting = runtime.block_on(token.run_until_cancelled(accept(listener, &own)));
        drop(accepting);
    };
    tasks.spawn_thread("server", serving)?;
    Ok(address)
}

async fn accept(listener: std::net::TcpListener, tasks: &Tasks) -> io::Result<Infallible> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello));
        tasks.spawn("connection", async move {
            let _ = connection.await;
        });
    }
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"hello"))))
}
