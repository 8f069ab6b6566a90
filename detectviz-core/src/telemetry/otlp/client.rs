//! One request to the Collector, over HTTP or gRPC.
use super::{
    Protocol, answer,
    quiet::Quiet,
    state::Answer,
    target::{Header, Target},
};
use crate::{
    error::BoxError,
    secret::{SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider},
    task::Tasks,
};
use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response,
    header::{CONTENT_TYPE, TE, USER_AGENT},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, rt::Executor};
use hyper_util::{
    client::legacy::{
        Client as Pool,
        connect::{Connect, HttpConnector},
    },
    rt::TokioTimer,
};
use prost::Message;
use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// The longest answer that is read; the limit that the OTLP specification recommends.
const LONGEST_ANSWER: usize = 4 << 20;
const AGENT: &str = concat!(
    "OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION"),
    " detectviz"
);

/// Sends exports of one signal to its target, one at a time.
pub(super) struct Client {
    target: Target,
    secrets: Option<Arc<dyn SecretsProvider>>,
    /// The secrets among the headers, followed from the first time on: what is sent at the very end is sent after the
    /// provider has closed.
    followed: Mutex<HashMap<SecretRef, SecretWatch>>,
    connect: Box<dyn Fn() -> Box<dyn Post> + Send + Sync>,
    post: Quiet<Box<dyn Post>>,
}

/// Sends one request, over whatever connection.
#[async_trait]
pub(super) trait Post: Send + Sync {
    async fn post(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, BoxError>;
}

/// Runs the tasks of connections among ours, quietly.
#[derive(Clone)]
struct Quietly(Tasks);

// === impl Client ===

impl Client {
    /// A client that connects over TCP.
    pub(super) fn new(
        target: Target,
        secrets: Option<Arc<dyn SecretsProvider>>,
        tasks: &Tasks,
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(target.timeout));
        Self::over(tcp, target, secrets, tasks)
    }

    /// A client that connects through `connector`.
    pub(super) fn over<C>(
        connector: C,
        target: Target,
        secrets: Option<Arc<dyn SecretsProvider>>,
        tasks: &Tasks,
    ) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        let executor = Quietly(tasks.clone());
        let h2 = target.protocol == Protocol::Grpc;
        let connect = move || -> Box<dyn Post> {
            Box::new(
                Pool::builder(executor.clone())
                    .http2_only(h2)
                    .pool_max_idle_per_host(1)
                    .pool_timer(TokioTimer::new())
                    .timer(TokioTimer::new())
                    .build::<_, Full<Bytes>>(connector.clone()),
            )
        };
        Self {
            target,
            secrets,
            followed: Mutex::default(),
            post: Quiet::new(connect()),
            connect: Box::new(connect),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// The body of a request with `message`.
    pub(super) fn body(&self, message: &impl Message) -> Bytes {
        let len = message.encoded_len();
        let mut body = BytesMut::with_capacity(len + 5);
        if self.target.protocol == Protocol::Grpc {
            body.put_u8(0);
            body.put_u32(u32::try_from(len).unwrap_or(u32::MAX));
        }
        body.put_slice(&message.encode_to_vec());
        body.freeze()
    }

    /// Sends `body` once, within the time for one request and what is `left` for all of them.
    ///
    /// # Cancel safety
    /// Dropping the future gives the request up.
    pub(super) async fn export(&mut self, body: Bytes, left: Duration) -> Answer {
        let limit = self.target.timeout.min(left);
        let exchange = Quiet::new(self.exchange(body));
        match tokio::time::timeout(limit, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(err)) => {
                self.reconnect();
                Answer::Retryable {
                    after: None,
                    why: chain(&*err),
                }
            }
            Err(_) => {
                self.reconnect();
                Answer::Retryable {
                    after: None,
                    why: format!("it did not answer within {limit:?}"),
                }
            }
        }
    }

    /// The connection may be dead without knowing it, and the name may have moved.
    fn reconnect(&mut self) {
        self.post = Quiet::new((self.connect)());
    }

    async fn exchange(&self, body: Bytes) -> Result<Answer, BoxError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.uri.clone();
        *request.headers_mut() = self.headers().await?;
        let response = self.post.as_ref().post(request).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await?;
        let trailers = body.trailers().cloned();
        let bytes = body.to_bytes();
        Ok(match self.target.protocol {
            Protocol::HttpProtobuf => {
                answer::http(head.status, &head.headers, &bytes, SystemTime::now())
            }
            Protocol::Grpc => answer::grpc(head.status, &head.headers, trailers.as_ref(), &bytes),
        })
    }

    /// The headers of a request, with secrets as they are now.
    ///
    /// # Errors
    /// When a secret cannot be had or cannot be a header.
    pub(super) async fn headers(&self) -> Result<HeaderMap, SecretError> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        match self.target.protocol {
            Protocol::HttpProtobuf => {
                let form = HeaderValue::from_static("application/x-protobuf");
                headers.insert(CONTENT_TYPE, form);
            }
            Protocol::Grpc => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
                headers.insert(TE, HeaderValue::from_static("trailers"));
                let limit = format!("{}m", self.target.timeout.as_millis().min(99_999_999));
                if let Ok(limit) = HeaderValue::try_from(limit) {
                    headers.insert("grpc-timeout", limit);
                }
            }
        }
        for (name, header) in &self.target.headers {
            let value = match header {
                Header::Plain(value) => value.clone(),
                Header::Secret(reference) => {
                    let bundle = self.latest(reference).await?;
                    let secret = bundle.value(reference)?;
                    let mut value = HeaderValue::from_bytes(secret.expose()).map_err(|_| {
                        let remedy = "write a value without line breaks and control characters";
                        SecretError::new(SecretErrorKind::Malformed, reference, remedy)
                    })?;
                    value.set_sensitive(true);
                    value
                }
            };
            headers.insert(name.clone(), value);
        }
        Ok(headers)
    }

    /// A secret as it is now.
    async fn latest(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        let followed = || self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = followed().get(reference) {
            return Ok(watch.latest());
        }
        let Some(secrets) = &self.secrets else {
            let remedy = "give the exporter a secrets provider";
            let kind = SecretErrorKind::UnknownScheme;
            return Err(SecretError::new(kind, reference, remedy));
        };
        let watch = secrets.watch(reference).await?;
        let bundle = watch.latest();
        followed().insert(reference.clone(), watch);
        Ok(bundle)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.target.endpoint())
            .finish_non_exhaustive()
    }
}

// === impl Pool ===

#[async_trait]
impl<C> Post for Pool<C, Full<Bytes>>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    async fn post(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, BoxError> {
        Ok(self.request(request).await?)
    }
}

// === impl Quietly ===

impl<F> Executor<F> for Quietly
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn("otlp connection", Quiet::new(future));
    }
}

/// An error with its causes, in one line.
fn chain(err: &(dyn std::error::Error + 'static)) -> String {
    let mut text = err.to_string();
    let mut next = err.source();
    while let Some(err) = next {
        text = format!("{text}: {err}");
        next = err.source();
    }
    text
}
