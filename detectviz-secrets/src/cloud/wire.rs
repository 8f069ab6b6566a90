//! One exchange over HTTP/1.1.
use super::source::trust_roots;
use crate::wiped::Wiped;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use std::{error, fmt, path::PathBuf, sync::Arc, time::Duration};
use tower_service::Service;
use zeroize::Zeroizing;

/// No answer that holds a secret is larger: the clouds allow 64 KiB (AWS and Google) and 25 KiB (Azure) for one.
const MAX_ANSWER: usize = 1 << 20;

/// Makes exchanges, each over a connection of its own: they are minutes apart, and nothing stays open or runs in between.
///
/// Redirects are not followed, and no proxy is used.
#[derive(Debug)]
pub(crate) struct Wire {
    ca_file: PathBuf,
    timeout: Duration,
}

/// What came back. The body is wiped when it goes.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum WireError {
    Roots {
        path: PathBuf,
        why: String,
    },
    Unreached {
        authority: String,
        source: detectviz_core::error::BoxError,
    },
    Untrusted {
        authority: String,
        ca_file: PathBuf,
        source: rustls::Error,
    },
    Late {
        authority: String,
        limit: Duration,
    },
    Cut {
        authority: String,
        source: hyper::Error,
    },
    TooLarge {
        authority: String,
    },
}

// === impl Wire ===

impl Wire {
    /// Trusts the authorities in `ca_file`, a PEM file that is read for each connection with TLS; an exchange takes at most
    /// `timeout`.
    pub(crate) fn new(ca_file: PathBuf, timeout: Duration) -> Self {
        Self { ca_file, timeout }
    }

    /// Sends `request`, whose URI is absolute, and reads the whole answer, whatever its status.
    ///
    /// # Cancel safety
    /// Safe to drop: the connection is closed.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Answer, WireError> {
        let authority = request.uri().authority().map(ToString::to_string);
        let authority = authority.unwrap_or_default();
        let exchange = self.exchange(&authority, request);
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(WireError::Late {
                authority,
                limit: self.timeout,
            }),
        }
    }

    /// Whether somebody who speaks HTTP is there.
    pub(crate) async fn reach(&self, address: &str) -> Result<(), WireError> {
        let uri: Uri = address.parse().unwrap_or_default();
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        self.send(request).await.map(drop)
    }

    async fn exchange(
        &self,
        authority: &str,
        request: Request<Bytes>,
    ) -> Result<Answer, WireError> {
        let mut connector = self.connector(request.uri())?;
        let stream = connector.call(request.uri().clone()).await;
        let stream = stream.map_err(|err| self.unreached(authority, err))?;
        let cut = |source| WireError::Cut {
            authority: authority.to_owned(),
            source,
        };
        let (mut sender, connection) = http1::handshake(stream).await.map_err(cut)?;
        let answer = async {
            let response = sender
                .send_request(origin_form(request))
                .await
                .map_err(cut)?;
            let (parts, body) = response.into_parts();
            Ok(Answer {
                status: parts.status,
                body: collect(authority, &parts.headers, body).await?,
                headers: parts.headers,
            })
        };
        // The connection lives in this future, so that nothing is left behind when it is dropped.
        tokio::pin!(answer, connection);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            _ = connection => answer.await,
        }
    }

    fn connector(&self, uri: &Uri) -> Result<HttpsConnector<HttpConnector>, WireError> {
        let roots = match uri.scheme_str() {
            Some("https") => trust_roots(&self.ca_file)?,
            _ => rustls::RootCertStore::empty(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has every safe protocol version")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Ok(HttpsConnector::from((tcp, tls)))
    }

    fn unreached(&self, authority: &str, err: detectviz_core::error::BoxError) -> WireError {
        let authority = authority.to_owned();
        match tls_error(&*err) {
            Some(source) => WireError::Untrusted {
                authority,
                ca_file: self.ca_file.clone(),
                source,
            },
            None => WireError::Unreached {
                authority,
                source: err,
            },
        }
    }
}

// === impl Answer ===

impl Answer {
    /// The body as JSON; the error never repeats it.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

// === impl WireError ===

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roots { path, why } => write!(
                f,
                "name a PEM file of certificate authorities in `ca_file`: `{}` is of no use ({why})",
                path.display()
            ),
            Self::Unreached { authority, .. } => write!(
                f,
                "let this pod reach `{authority}` (DNS, NetworkPolicy, endpoint): no connection came about"
            ),
            Self::Untrusted {
                authority,
                ca_file,
                source,
            } => write!(
                f,
                "name the authority that `{authority}` is certified by in `ca_file`: `{}` does not do ({source})",
                ca_file.display()
            ),
            Self::Late { authority, limit } => write!(
                f,
                "find out why `{authority}` did not answer within {}, or raise `timeout`",
                detectviz_core::config::show_duration(*limit)
            ),
            Self::Cut { authority, .. } => {
                write!(f, "find out who cuts the answers of `{authority}` short")
            }
            Self::TooLarge { authority } => write!(
                f,
                "find out who answers at `{authority}`: no secret has more than {MAX_ANSWER} bytes"
            ),
        }
    }
}

impl error::Error for WireError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unreached { source, .. } => Some(&**source),
            Self::Untrusted { source, .. } => Some(source),
            Self::Cut { source, .. } => Some(source),
            Self::Roots { .. } | Self::Late { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// The request as HTTP/1.1 has it on the line: the path in the URI, the authority in `Host`.
fn origin_form(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let host = parts
        .uri
        .authority()
        .map(|a| HeaderValue::from_str(a.as_str()));
    if let Some(Ok(host)) = host {
        parts.headers.insert(header::HOST, host);
    }
    let path = parts.uri.path_and_query().cloned();
    parts.uri = path.map_or_else(Uri::default, Uri::from);
    Request::from_parts(parts, Full::new(body))
}

async fn collect(
    authority: &str,
    headers: &HeaderMap,
    mut body: Incoming,
) -> Result<Zeroizing<Vec<u8>>, WireError> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|l| l.to_str().ok()?.parse().ok());
    let mut bytes = Wiped::with_capacity(length.unwrap_or(0).min(MAX_ANSWER));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|source| WireError::Cut {
            authority: authority.to_owned(),
            source,
        })?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        if bytes.len() + data.len() > MAX_ANSWER {
            return Err(WireError::TooLarge {
                authority: authority.to_owned(),
            });
        }
        bytes.push(data);
    }
    Ok(bytes.into_inner())
}

/// What rustls says, however deep it is wrapped: errors of I/O carry it beside their source.
fn tls_error(err: &(dyn error::Error + 'static)) -> Option<rustls::Error> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref::<rustls::Error>() {
            return Some(found.clone());
        }
        let inner = err
            .downcast_ref::<std::io::Error>()
            .and_then(|io| io.get_ref());
        if let Some(inner) = inner {
            return tls_error(inner);
        }
        next = err.source();
    }
    None
}
