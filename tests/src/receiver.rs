//! An OTLP receiver of our own, over HTTP and gRPC on one port, which answers as told.
use bytes::{BufMut, Bytes, BytesMut};
use detectviz_core::{error::BoxError, task::Tasks};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::any_value,
    trace::v1::Span,
};
use prost::Message;
use std::{
    convert::Infallible,
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::{TcpListener, TcpStream};

/// What the receiver answers.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// It takes everything.
    Accept,
    /// This HTTP status, or UNAVAILABLE over gRPC.
    Refuse(u16),
    /// Nothing, ever.
    Hang,
}

/// The receiver; it goes away when dropped.
#[derive(Debug)]
pub struct Receiver {
    addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: Tasks,
}

/// A span, and whose it is.
#[derive(Clone, Debug)]
pub struct Received {
    /// `service.name` of the resource.
    pub service: String,
    /// All attributes of the resource that are text.
    pub resource: Vec<(String, String)>,
    /// The span.
    pub span: Span,
}

#[derive(Debug)]
struct Shared {
    answer: Answer,
    requests: Mutex<usize>,
    spans: Mutex<Vec<Received>>,
    metrics: Mutex<Vec<String>>,
    headers: Mutex<Vec<HeaderMap>>,
}

type Body = BoxBody<Bytes, Infallible>;

// === impl Receiver ===

impl Receiver {
    /// Listens on a free port, on a thread of its own.
    ///
    /// # Panics
    /// When the system has no port or no thread.
    #[must_use]
    pub fn start(answer: Answer) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            answer,
            requests: Mutex::default(),
            spans: Mutex::default(),
            metrics: Mutex::default(),
            headers: Mutex::default(),
        });
        let tasks = Tasks::new();
        let (of_thread, stop) = (Arc::clone(&shared), tasks.clone());
        let run = move || {
            let tokio = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            tokio.block_on(async {
                let accept = accept(listener, of_thread, stop.clone());
                stop.token().run_until_cancelled(accept).await;
            });
        };
        let thread = std::thread::Builder::new().spawn(run);
        drop(thread.expect("a thread"));
        Self {
            addr,
            shared,
            tasks,
        }
    }

    /// What to set as endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How many requests came.
    #[must_use]
    pub fn requests(&self) -> usize {
        *lock(&self.shared.requests)
    }

    /// All spans that came, those of refused requests included.
    #[must_use]
    pub fn spans(&self) -> Vec<Received> {
        lock(&self.shared.spans).clone()
    }

    /// The names of all metrics that came.
    #[must_use]
    pub fn metrics(&self) -> Vec<String> {
        lock(&self.shared.metrics).clone()
    }

    /// The headers of all requests.
    #[must_use]
    pub fn headers(&self) -> Vec<HeaderMap> {
        lock(&self.shared.headers).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>, tasks: Tasks) {
    listener.set_nonblocking(true).expect("a socket of ours");
    let listener = TcpListener::from_std(listener).expect("a socket of ours");
    while let Ok((stream, _)) = listener.accept().await {
        let connection = connection(stream, Arc::clone(&shared));
        tasks.spawn("receiver", connection);
    }
}

/// A client that goes away is no failure of the test.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let mut first = [0; 3];
    let h2 = stream.peek(&mut first).await.is_ok() && first == *b"PRI";
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    let io = TokioIo::new(stream);
    if h2 {
        let http = http2::Builder::new(TokioExecutor::new());
        let _gone = http.serve_connection(io, service).await;
    } else {
        let _gone = http1::Builder::new().serve_connection(io, service).await;
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, BoxError> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let grpc = head
        .headers
        .get("content-type")
        .is_some_and(|v| v == "application/grpc");
    let message = if grpc { body.slice(5..) } else { body };
    let path = head.uri.path();
    if path == "/v1/traces" || path.ends_with("TraceService/Export") {
        shared.traces(ExportTraceServiceRequest::decode(message)?);
    } else {
        shared.numbers(ExportMetricsServiceRequest::decode(message)?);
    }
    lock(&shared.headers).push(head.headers);
    *lock(&shared.requests) += 1;
    Ok(match shared.answer {
        Answer::Hang => pending().await,
        Answer::Accept if grpc => status(0),
        Answer::Refuse(_) if grpc => status(14),
        Answer::Accept => Response::new(Full::default().boxed()),
        Answer::Refuse(code) => {
            let mut response = Response::new(Full::default().boxed());
            *response.status_mut() = code.try_into()?;
            response
        }
    })
}

/// A gRPC response: an empty message where all is well, and the status in the trailers.
fn status(code: i32) -> Response<Body> {
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(0);
    let message = (code == 0).then(|| Frame::data(message.freeze()));
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.into());
    let frames = message.into_iter().chain([Frame::trailers(trailers)]);
    let frames = stream::iter(frames.map(Ok::<_, Infallible>));
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", kind);
    response
}

// === impl Shared ===

impl Shared {
    fn traces(&self, request: ExportTraceServiceRequest) {
        let mut all = lock(&self.spans);
        for resource in request.resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let attributes: Vec<(String, String)> = attributes
                .into_iter()
                .filter_map(|attribute| match attribute.value?.value? {
                    any_value::Value::StringValue(text) => Some((attribute.key, text)),
                    _ => None,
                })
                .collect();
            let name = attributes.iter().find(|(key, _)| key == "service.name");
            let service = name.map(|(_, name)| name.clone()).unwrap_or_default();
            let spans = resource.scope_spans.into_iter().flat_map(|s| s.spans);
            all.extend(spans.map(|span| Received {
                service: service.clone(),
                resource: attributes.clone(),
                span,
            }));
        }
    }

    fn numbers(&self, request: ExportMetricsServiceRequest) {
        let scopes = request
            .resource_metrics
            .into_iter()
            .flat_map(|r| r.scope_metrics);
        let metrics = scopes.flat_map(|scope| scope.metrics);
        lock(&self.metrics).extend(metrics.map(|metric| metric.name));
    }
}

// === impl Received ===

impl Received {
    /// The trace in lower-case hex.
    #[must_use]
    pub fn trace_id(&self) -> String {
        hex(&self.span.trace_id)
    }

    /// The span in lower-case hex.
    #[must_use]
    pub fn span_id(&self) -> String {
        hex(&self.span.span_id)
    }

    /// Its parent in lower-case hex; empty without one.
    #[must_use]
    pub fn parent_id(&self) -> String {
        hex(&self.span.parent_span_id)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
