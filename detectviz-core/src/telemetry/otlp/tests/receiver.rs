//! A Collector of our own, which answers as told.
use crate::{
    error::BoxError,
    task::Tasks,
    telemetry::otlp::{answer::rpc, quiet::Quiet},
};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    rt::Executor,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
    },
    trace::v1::Span,
};
use prost::Message;
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Future, Ready, pending, ready},
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    time::Instant,
};
use tower_service::Service;

/// What the receiver answers to one request. When no reply is left, it accepts.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Accept,
    /// Rejects so many, with this message.
    Partial(i64, &'static str),
    /// An HTTP status, perhaps with a `Retry-After`.
    Status(u16, Option<&'static str>),
    /// A gRPC status, perhaps with a `RetryInfo` of so many milliseconds.
    Grpc(i32, Option<i64>),
    /// A gRPC status in the headers, without a body.
    TrailersOnly(i32),
    /// A good status, and a body that no protobuf decoder takes.
    Gibberish,
    Hang,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// Without the frame of gRPC.
    pub(super) message: Bytes,
}

pub(super) struct Receiver {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    pub(super) dead: AtomicBool,
}

/// Connects to the receiver through memory.
#[derive(Clone)]
pub(super) struct InMemory {
    receiver: Arc<Receiver>,
    tasks: Tasks,
}

pub(super) struct Pipe(DuplexStream);

#[derive(Clone)]
struct OnTasks(Tasks);

type Body = BoxBody<Bytes, Infallible>;

// === impl Receiver ===

impl Receiver {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        Arc::new(Self {
            replies: Mutex::new(replies.into_iter().collect()),
            seen: Mutex::default(),
            dead: AtomicBool::new(false),
        })
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// All spans that came, those of refused requests included.
    pub(super) fn spans(&self) -> Vec<Span> {
        let seen = self.seen();
        seen.iter().flat_map(Seen::spans).collect()
    }

    /// Serves one connection; HTTP/2 is known by its preface only, so the caller says which it is.
    pub(super) async fn serve<I>(self: Arc<Self>, io: I, h2: bool, tasks: Tasks)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(io);
        let service = service_fn(move |request| Arc::clone(&self).answer(request));
        // A client that goes away is no failure of the test.
        if h2 {
            let _ = http2::Builder::new(OnTasks(tasks))
                .serve_connection(io, service)
                .await;
        } else {
            let _ = http1::Builder::new().serve_connection(io, service).await;
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, BoxError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let grpc = head.headers["content-type"] == "application/grpc";
        let message = if grpc { body.slice(5..) } else { body };
        self.seen.lock().unwrap().push(Seen {
            at: Instant::now(),
            uri: head.uri,
            headers: head.headers,
            message,
        });
        let reply = self.replies.lock().unwrap().pop_front();
        let reply = reply.unwrap_or(Reply::Accept);
        Ok(match reply {
            Reply::Hang => pending().await,
            Reply::Status(status, after) => {
                let mut response = Response::new(Full::new(Bytes::from("no")).boxed());
                *response.status_mut() = status.try_into()?;
                if let Some(after) = after {
                    let after = HeaderValue::from_static(after);
                    response.headers_mut().insert("retry-after", after);
                }
                response
            }
            Reply::TrailersOnly(code) => {
                let mut response = Response::new(Full::default().boxed());
                response.headers_mut().insert("grpc-status", code.into());
                response
            }
            Reply::Accept if grpc => with_trailers(Some(Vec::new()), 0, None),
            Reply::Partial(..) if grpc => with_trailers(Some(partial(&reply)), 0, None),
            Reply::Gibberish if grpc => with_trailers(Some(vec![0xff; 9]), 0, None),
            Reply::Grpc(code, retry) => with_trailers(None, code, retry),
            Reply::Accept => Response::new(Full::default().boxed()),
            Reply::Partial(..) => Response::new(Full::from(partial(&reply)).boxed()),
            Reply::Gibberish => Response::new(Full::from("<html>").boxed()),
        })
    }
}

// === impl Seen ===

impl Seen {
    pub(super) fn spans(&self) -> Vec<Span> {
        let request = ExportTraceServiceRequest::decode(self.message.clone()).unwrap();
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

fn partial(reply: &Reply) -> Vec<u8> {
    let Reply::Partial(rejected_spans, message) = reply else {
        return Vec::new();
    };
    let partial = ExportTracePartialSuccess {
        rejected_spans: *rejected_spans,
        error_message: (*message).to_owned(),
    };
    let response = ExportTraceServiceResponse {
        partial_success: Some(partial),
    };
    response.encode_to_vec()
}

/// A gRPC response, in the usual form.
fn with_trailers(message: Option<Vec<u8>>, code: i32, retry: Option<i64>) -> Response<Body> {
    let data = message.map(|message| {
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).unwrap());
        framed.put_slice(&message);
        Frame::data(framed.freeze())
    });
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.into());
    trailers.insert("grpc-message", HeaderValue::from_static("be%20gentle"));
    if let Some(millis) = retry {
        let details = base64(&retry_details(millis));
        trailers.insert("grpc-status-details-bin", details.parse().unwrap());
    }
    let frames = data.into_iter().chain([Frame::trailers(trailers)]);
    let frames = futures_util::stream::iter(frames.map(Ok::<_, Infallible>));
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
    let form = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", form);
    response
}

/// A `google.rpc.Status` with a `RetryInfo`.
pub(super) fn retry_details(millis: i64) -> Vec<u8> {
    let info = rpc::RetryInfo {
        retry_delay: Some(rpc::Delay {
            seconds: millis / 1_000,
            nanos: i32::try_from(millis % 1_000 * 1_000_000).unwrap(),
        }),
    };
    let status = rpc::Status {
        code: 8,
        message: String::new(),
        details: vec![rpc::Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: info.encode_to_vec(),
        }],
    };
    status.encode_to_vec()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            out.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
        }
    }
    out
}

// === impl InMemory ===

impl InMemory {
    pub(super) fn new(receiver: &Arc<Receiver>, tasks: &Tasks) -> Self {
        Self {
            receiver: Arc::clone(receiver),
            tasks: tasks.clone(),
        }
    }
}

impl Service<Uri> for InMemory {
    type Response = TokioIo<Pipe>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Pipe>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if self.receiver.dead.load(Ordering::Relaxed) {
            return ready(Err(io::ErrorKind::ConnectionRefused.into()));
        }
        let (ours, theirs) = duplex(1 << 16);
        let receiver = Arc::clone(&self.receiver);
        // Port 4317 is gRPC's.
        let h2 = uri.port_u16() == Some(4317);
        let serve = receiver.serve(theirs, h2, self.tasks.clone());
        // What the receiver traces is not the exporter's doing.
        self.tasks.spawn("receiver", Quiet::new(serve));
        ready(Ok(TokioIo::new(Pipe(ours))))
    }
}

// === impl Pipe ===

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

// === impl OnTasks ===

impl<F> Executor<F> for OnTasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn("receiver stream", Quiet::new(future));
    }
}
