//! What is kept of a request's head until everything about the request is recorded.
use super::{texts::Texts, wire::protocol_version};
use crate::{
    conn,
    head_scan::{Found, Known},
    route::MethodName,
};
use http::{Method, Request, Uri, uri::Scheme};
use http_body::Body;
use std::net::SocketAddr;

/// What is kept of a head. It is filled anew for each request, so that its memory is used again.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: MethodName,
    /// What OpenTelemetry calls `url.scheme`, as far as this hop knows.
    pub(crate) scheme: &'static str,
    /// What OpenTelemetry calls `network.protocol.version`.
    pub(crate) version: &'static str,
    pub(crate) is_head: bool,
    pub(crate) peer: Option<SocketAddr>,
    /// How long the body is, as far as that was announced.
    pub(crate) bytes_in: Option<u64>,
    texts: Texts<3>,
}

/// Which texts of a head somebody will want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The access log: path and user agent.
    pub(crate) log: bool,
    /// The span: path, user agent and authority.
    pub(crate) span: bool,
}

// === impl Head ===

impl Head {
    pub(crate) fn new() -> Self {
        Self {
            method: MethodName::OTHER,
            scheme: "http",
            version: "1.1",
            is_head: false,
            peer: None,
            bytes_in: None,
            texts: Texts::new(),
        }
    }

    /// Reads everything but the texts.
    pub(crate) fn read<B: Body>(&mut self, request: &Request<B>) {
        let conn = conn::current();
        let secure = conn.is_some_and(|conn| conn.tls)
            || request.uri().scheme().is_some_and(|s| *s == Scheme::HTTPS);
        self.method = MethodName::of(request.method());
        self.scheme = if secure { "https" } else { "http" };
        self.version = protocol_version(request.version());
        self.is_head = *request.method() == Method::HEAD;
        self.peer = conn.and_then(|conn| conn.peer);
        self.bytes_in = request.body().size_hint().exact();
        self.texts.clear();
    }

    /// Copies the texts that are wanted.
    pub(crate) fn keep(&mut self, uri: &Uri, head: &Found<'_>, wanted: Wanted) {
        if !wanted.log && !wanted.span {
            return;
        }
        self.texts.push(uri.path());
        self.texts.push(head.text(Known::UserAgent));
        if wanted.span {
            let authority = uri.authority().map(http::uri::Authority::as_str);
            let host = || head.text(Known::Host);
            self.texts.push(authority.unwrap_or_else(host));
        }
    }

    /// The path; empty where it was not wanted. At most 256 bytes, like all of these.
    pub(crate) fn path(&self) -> &str {
        self.texts.text(0)
    }

    /// The `User-Agent`; empty where there is none.
    pub(crate) fn user_agent(&self) -> &str {
        self.texts.text(1)
    }

    /// The authority of the target, else the `Host`; empty where there is none.
    pub(crate) fn authority(&self) -> &str {
        self.texts.text(2)
    }
}
