//! The server over real sockets.
mod body;
mod drain;
mod heads;
mod hostile;
mod http2;
mod limits;
mod stop;
#[cfg(feature = "tls")]
mod tls;

use super::{
    DrainToken, HttpService, Server, ServerConfig, ServerDeps, Serving,
    connection::{Accepted, serve},
    recorder::{Closed, Recorder},
    stream::Stream,
};
use crate::{body::RequestBody, conn};
use bytes::Bytes;
use detectviz_core::{
    error::BoxError,
    lifecycle::{Phase, PhaseControl},
    task::Tasks,
    telemetry::metrics::Registry,
};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    net::TcpStream,
    sync::Notify,
    time::{sleep, timeout},
};

/// No test waits longer for what it expects; longer than any limit of the defaults that a test on a paused clock meets.
const BOUND: Duration = Duration::from_secs(200);

type Body = UnsyncBoxBody<Bytes, BoxError>;
type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

/// A server that serves, and what its tests pull at.
struct Fixture {
    addr: SocketAddr,
    serving: Serving,
    phase: PhaseControl,
    tasks: Tasks,
    handlers: Arc<Handlers>,
    drain: DrainToken,
    shared: Arc<super::shared::Shared>,
}

/// What the tests and the handlers share.
#[derive(Default)]
struct Handlers {
    /// Lets one request to `/gate` go.
    gate: Notify,
    /// How many requests came to `/gate` or `/stuck`.
    busy: AtomicUsize,
}

/// A client that says exactly what it is told.
struct Raw<T = TcpStream>(T);

/// A response as [`Raw`] reads it.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

fn config() -> ServerConfig {
    ServerConfig {
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        ..ServerConfig::default()
    }
}

fn fixture(config: ServerConfig) -> Fixture {
    let tasks = Tasks::new();
    let phase = PhaseControl::new();
    phase.advance(Phase::Serving);
    let handlers = Arc::<Handlers>::default();
    let deps = ServerDeps::new(tasks.clone(), phase.watch(), Registry::new());
    let drain = deps.drain.clone();
    let service = service(&handlers, &drain);
    let server = Server::new(config, "http", deps, service);
    let bound = server.bind().unwrap();
    let shared = Arc::clone(&bound.shared);
    let serving = bound.serve().unwrap();
    Fixture {
        addr: serving.local_addr(),
        serving,
        phase,
        tasks,
        handlers,
        drain,
        shared,
    }
}

fn service(handlers: &Arc<Handlers>, drain: &DrainToken) -> impl HttpService {
    let (handlers, drain) = (Arc::clone(handlers), drain.clone());
    tower::service_fn(move |request| handle(request, Arc::clone(&handlers), drain.clone()))
}

fn handle(request: Request<RequestBody>, handlers: Arc<Handlers>, drain: DrainToken) -> Answer {
    let conn = conn::current();
    Box::pin(async move {
        let path = request.uri().path().to_owned();
        Ok(match path.as_str() {
            "/echo" => match request.into_body().collect().await {
                Ok(body) => text(StatusCode::OK, body.to_bytes()),
                Err(err) => text(StatusCode::BAD_REQUEST, err.to_string()),
            },
            "/stream" => Response::new(request.into_body().map_err(Into::into).boxed_unsync()),
            "/keep" => {
                Tasks::new().spawn("keeps", async move {
                    let _kept = request.into_body();
                    std::future::pending::<()>().await;
                });
                text(StatusCode::OK, "kept")
            }
            "/gate" => {
                handlers.busy.fetch_add(1, Ordering::Relaxed);
                handlers.gate.notified().await;
                text(StatusCode::OK, "through")
            }
            "/stuck" => {
                handlers.busy.fetch_add(1, Ordering::Relaxed);
                std::future::pending().await
            }
            "/conn" => text(StatusCode::OK, format!("{conn:?}")),
            "/big" => text(StatusCode::OK, vec![b'x'; 64 << 20]),
            "/fail" => return Err("on purpose".into()),
            "/sse" => events(),
            "/upgrade" => upgrade(request, drain),
            _ => text(StatusCode::OK, "hello"),
        })
    })
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(Into::into).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// One event, and then silence.
fn events() -> Response<Body> {
    let first = futures_util::stream::once(async {
        Ok(http_body::Frame::data(Bytes::from_static(b"data: 1\n\n")))
    });
    let stream = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    let mut response = Response::new(http_body_util::StreamBody::new(stream).boxed_unsync());
    let value = http::HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert("content-type", value);
    response
}

/// Speaks `echo` after an upgrade; says `bye` and leaves when the drain starts, if the query says so.
fn upgrade(request: Request<RequestBody>, drain: DrainToken) -> Response<Body> {
    let polite = request.uri().query() == Some("polite");
    let mut request = request;
    let upgraded = hyper::upgrade::on(&mut request);
    Tasks::new().spawn("upgraded", async move {
        let mut io = hyper_util::rt::TokioIo::new(upgraded.await.unwrap());
        let mut buf = [0; 64];
        loop {
            tokio::select! {
                () = drain.draining(), if polite => {
                    io.write_all(b"bye").await.unwrap();
                    return;
                }
                read = io.read(&mut buf) => match read {
                    Ok(count @ 1..) => io.write_all(&buf[..count]).await.unwrap(),
                    _ => return,
                }
            }
        }
    });
    let mut response = text(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.insert("connection", http::HeaderValue::from_static("upgrade"));
    headers.insert("upgrade", http::HeaderValue::from_static("echo"));
    response
}

async fn within<F: Future>(future: F) -> F::Output {
    timeout(BOUND, future).await.expect("in time")
}

// === impl Fixture ===

impl Fixture {
    async fn connect(&self) -> Raw {
        Raw(within(TcpStream::connect(self.addr)).await.unwrap())
    }

    /// A connection without a network, for the paused clock: it moves on only when all are waiting.
    fn memory(&self) -> Raw<DuplexStream> {
        let (client, stream) = tokio::io::duplex(16 * 1024);
        let accepted = Accepted {
            stream: Stream::Memory(stream),
            peer: None,
            place: self.shared.control.place(usize::MAX),
        };
        let service = service(&self.handlers, &self.drain);
        let serve = serve(Arc::clone(&self.shared), service, accepted);
        self.tasks.spawn("memory-connection", Box::pin(serve));
        Raw(client)
    }

    /// Sends `request` on a connection of its own and reads until it is closed.
    async fn ask(&self, request: &str) -> String {
        let mut raw = self.connect().await;
        raw.send(request).await;
        raw.rest().await
    }

    fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    /// Waits until `count` connections have ended for that reason.
    async fn closed(&self, why: Closed, count: u64) {
        within(async {
            while self.recorder().count(why) < count {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    async fn open(&self, count: usize) {
        within(async {
            while self.serving.connections() != count {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    /// Waits until that many requests are in handlers.
    async fn busy(&self, count: usize) {
        within(async {
            while self.handlers.busy.load(Ordering::Relaxed) < count {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

// === impl Raw ===

impl<T: AsyncRead + AsyncWrite + Unpin> Raw<T> {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.0.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends what the other end may refuse to take.
    async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        within(self.0.write_all(bytes.as_ref())).await.is_ok()
    }

    /// Everything until the connection is closed.
    async fn rest(&mut self) -> String {
        let mut all = Vec::new();
        let _end = within(self.0.read_to_end(&mut all)).await;
        String::from_utf8_lossy(&all).into_owned()
    }

    /// One response, by its content-length or its chunks; `None` when the connection is closed instead.
    async fn reply(&mut self) -> Option<Reply> {
        let head = self.until(b"\r\n\r\n").await?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut body = Vec::new();
        if head.contains("transfer-encoding: chunked") {
            loop {
                let size = self.until(b"\r\n").await?;
                let size = usize::from_str_radix(size.trim(), 16).ok()?;
                let mut chunk = vec![0; size + 2];
                within(self.0.read_exact(&mut chunk)).await.ok()?;
                if size == 0 {
                    break;
                }
                body.extend_from_slice(&chunk[..size]);
            }
        } else if let Some((_, length)) = head.split_once("content-length: ") {
            body = vec![0; length.split("\r\n").next()?.parse().ok()?];
            within(self.0.read_exact(&mut body)).await.ok()?;
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Some(Reply { status, head, body })
    }

    async fn until(&mut self, end: &[u8]) -> Option<String> {
        let mut all = Vec::new();
        while !all.ends_with(end) {
            all.push(within(self.0.read_u8()).await.ok()?);
        }
        Some(String::from_utf8_lossy(&all).into_owned())
    }

    async fn get(&mut self, path: &str) -> Option<Reply> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        if !self.try_send(&request).await {
            return None;
        }
        self.reply().await
    }
}

// === impl Reply ===

impl Reply {
    fn closes(&self) -> bool {
        self.head.to_ascii_lowercase().contains("connection: close")
    }
}
