//! Servers to call.
use crate::client::{Body, Client, ClientBuilder, ClientConfig, ResponseBody};
use bytes::Bytes;
use detectviz_core::task::Tasks;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::{net::TcpListener, sync::Notify};

/// A server on a port of its own, until dropped.
pub(super) struct Upstream {
    addr: SocketAddr,
    tasks: Tasks,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    open: AtomicUsize,
    closed: Notify,
}

pub(super) fn client() -> Client {
    ClientBuilder::new(ClientConfig::default())
        .build(&Tasks::new())
        .unwrap()
}

pub(super) async fn text(answer: Response<ResponseBody>) -> String {
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

impl Upstream {
    /// Answers with the body that it was sent, and with headers that repeat what it was sent.
    pub(super) async fn echo() -> Self {
        Self::serve(|request: Request<Incoming>| async {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut answer = Response::new(Full::new(body));
            for (name, copy) in [
                (header::HOST, "x-host"),
                (header::USER_AGENT, "x-user-agent"),
                (
                    header::HeaderName::from_static("traceparent"),
                    "x-traceparent",
                ),
                (
                    header::HeaderName::from_static("tracestate"),
                    "x-tracestate",
                ),
                (header::HeaderName::from_static("baggage"), "x-baggage"),
            ] {
                if let Some(value) = head.headers.get(name) {
                    answer.headers_mut().insert(copy, value.clone());
                }
            }
            if let Some(status) = head.headers.get("x-want-status") {
                *answer.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap();
            }
            answer
        })
        .await
    }

    /// Answers with `handler`.
    pub(super) async fn serve<B, F>(
        handler: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> Self
    where
        B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (tasks, shared) = (Tasks::new(), Arc::new(Shared::default()));
        let (token, all) = (tasks.token(), tasks.clone());
        let counts = Arc::clone(&shared);
        let accept = async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counts.connections.fetch_add(1, SeqCst);
                counts.open.fetch_add(1, SeqCst);
                let (handler, counts) = (handler.clone(), Arc::clone(&counts));
                let token = all.token();
                all.spawn("test connection", async move {
                    let service = service_fn(move |request| {
                        let answer = handler(request);
                        async move { Ok::<_, Infallible>(answer.await) }
                    });
                    let server = auto::Builder::new(TokioExecutor::new());
                    let connection = server.serve_connection(TokioIo::new(stream), service);
                    let _ = token.run_until_cancelled(connection).await;
                    counts.open.fetch_sub(1, SeqCst);
                    counts.closed.notify_one();
                });
            }
        };
        tasks.spawn("test server", async move {
            token.run_until_cancelled(accept).await;
        });
        Self {
            addr,
            tasks,
            shared,
        }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn authority(&self) -> String {
        self.addr.to_string()
    }

    pub(super) fn uri(&self, path: &str) -> Uri {
        format!("http://{}{path}", self.addr).parse().unwrap()
    }

    pub(super) fn post<B>(&self, body: B) -> Request<B> {
        Request::post(self.uri("/")).body(body).unwrap()
    }

    /// How many connections were ever accepted.
    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// Waits until no connection is open.
    pub(super) async fn all_closed(&self) {
        while self.shared.open.load(SeqCst) > 0 {
            self.shared.closed.notified().await;
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// A `GET` of `path` at a service.
pub(super) fn get(service: &str, path: &str) -> Request<Body> {
    let uri = format!("http://{service}{path}");
    Request::get(uri).body(Body::empty()).unwrap()
}
