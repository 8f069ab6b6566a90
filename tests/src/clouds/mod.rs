//! Fakes of what clouds document: an HTTP server in this process that answers as a model says, and remembers what it was
//! asked.
pub mod azure;
pub mod eks;
pub mod gcp;
pub mod imds;
pub mod moto;

use bytes::Bytes;
use detectviz_core::task::Tasks;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    runtime::Builder,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// The server, on a thread of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Api {
    url: String,
    authority: Option<String>,
    calls: Arc<Mutex<Vec<Call>>>,
    tasks: Tasks,
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, with its query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, headers and a body.
    Whole(u16, Vec<(&'static str, String)>, String),
    /// Half of what was promised.
    Cut,
    /// Nothing, ever.
    Hang,
    /// More than any secret has.
    Huge,
}

/// What becomes of a request.
type Model = dyn Fn(&Call) -> Reply + Send + Sync;

// === impl Api ===

impl Api {
    /// Answers as `model` says, over plain HTTP.
    ///
    /// # Panics
    /// When there is no port or no thread.
    #[must_use]
    pub fn start(model: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(model), None)
    }

    /// As [`start`](Self::start), over TLS, with a certificate for `127.0.0.1` by an authority of its own.
    ///
    /// # Panics
    /// As `start`.
    #[must_use]
    pub fn start_tls(model: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let (acceptor, authority) = certified();
        Self::serve(Arc::new(model), Some((acceptor, authority)))
    }

    fn serve(model: Arc<Model>, tls: Option<(TlsAcceptor, String)>) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket of ours");
        let addr: SocketAddr = listener.local_addr().expect("it is bound");
        let (tasks, calls) = (Tasks::new(), Arc::<Mutex<Vec<Call>>>::default());
        let (own, seen) = (tasks.clone(), Arc::clone(&calls));
        let (acceptor, authority) = tls.unzip();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let run = move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("a socket of ours");
                let accept = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        let (model, seen) = (Arc::clone(&model), Arc::clone(&seen));
                        let acceptor = acceptor.clone();
                        own.spawn("api connection", async move {
                            match acceptor {
                                Some(acceptor) => match acceptor.accept(stream).await {
                                    Ok(stream) => connection(stream, model, seen).await,
                                    Err(_refused) => {}
                                },
                                None => connection(stream, model, seen).await,
                            }
                        });
                    }
                };
                own.token().run_until_cancelled(accept).await;
            });
        };
        drop(std::thread::Builder::new().spawn(run).expect("a thread"));
        Self {
            url: format!("{scheme}://{addr}"),
            authority,
            calls,
            tasks,
        }
    }

    /// Where it listens, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The authority that certified it, as PEM.
    ///
    /// # Panics
    /// Without TLS.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.authority.as_deref().expect("it speaks TLS")
    }

    /// What it was asked so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

// === impl Call ===

impl Call {
    /// A header, empty when it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// A field of a body that is a form, not decoded; empty when it is absent.
    #[must_use]
    pub fn form(&self, name: &str) -> &str {
        let mut fields = self
            .body
            .split('&')
            .filter_map(|field| field.split_once('='));
        fields
            .find(|(its, _)| *its == name)
            .map_or("", |(_, value)| value)
    }
}

// === impl Reply ===

impl Reply {
    /// A status and a body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self::Whole(status, Vec::new(), body.into())
    }

    /// A status and JSON.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Whole(status, headers, body.to_string())
    }

    /// Adds a header to a whole answer.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Whole(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// What a test changes while the server runs.
pub fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    model: Arc<Model>,
    seen: Arc<Mutex<Vec<Call>>>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (model, seen) = (Arc::clone(&model), Arc::clone(&seen));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let call = Call {
                method: parts.method,
                path: parts
                    .uri
                    .path_and_query()
                    .map_or_else(String::new, ToString::to_string),
                headers: parts.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            lock(&seen).push(call.clone());
            let (status, headers, body) = match model(&call) {
                Reply::Whole(status, headers, body) => (status, headers, body),
                Reply::Cut => return Ok(cut()),
                Reply::Hang => pending().await,
                Reply::Huge => (200, Vec::new(), "x".repeat(4 << 20)),
            };
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
            response.body(body.boxed()).map_err(io::Error::other)
        }
    });
    // A client that goes away is no failure.
    let _gone = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Ends before the length that it announces.
fn cut() -> Response<http_body_util::combinators::BoxBody<Bytes, io::Error>> {
    let frames = [
        Ok(hyper::body::Frame::data(Bytes::from_static(b"{\"half\":"))),
        Err(io::Error::other("cut")),
    ];
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
    Response::new(BodyExt::boxed(body))
}

fn certified() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("an authority");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
    let certificate = names.signed_by(&key, &issuer).expect("a certificate");
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has every safe protocol version")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("they belong together");
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}
