//! What is kept of a request's head until everything about the request is recorded.
use super::{texts::Texts, wire::Wire};
use crate::{
    conn,
    head_scan::{Found, Known},
    route::MethodName,
};
use detectviz_core::telemetry::logs::EarlyFields;
use http::{Method, Request, Uri, uri::Scheme};
use http_body::Body;
use std::net::SocketAddr;

/// What is kept of a head beside what the log has rendered already. It is filled anew for each request, so that its memory is used again.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: MethodName,
    pub(crate) wire: Wire,
    pub(crate) is_head: bool,
    pub(crate) peer: Option<SocketAddr>,
    /// How long the body is, as far as that was announced.
    pub(crate) bytes_in: Option<u64>,
    /// The fields of its line that are known already.
    pub(crate) fields: EarlyFields,
    texts: Texts<3>,
}

// === impl Head ===

impl Head {
    pub(crate) fn new() -> Self {
        Self {
            method: MethodName::OTHER,
            wire: Wire::default(),
            is_head: false,
            peer: None,
            bytes_in: None,
            fields: EarlyFields::new(),
            texts: Texts::new(),
        }
    }

    /// Reads everything but the texts.
    pub(crate) fn read<B: Body>(&mut self, request: &Request<B>) {
        let conn = conn::current();
        let secure = conn.is_some_and(|conn| conn.tls)
            || request.uri().scheme().is_some_and(|s| *s == Scheme::HTTPS);
        self.method = MethodName::of(request.method());
        self.wire = Wire {
            secure,
            version: request.version(),
        };
        self.is_head = *request.method() == Method::HEAD;
        self.peer = conn.and_then(|conn| conn.peer);
        self.bytes_in = request.body().size_hint().exact();
    }

    /// Copies the texts that a span shows: path, user agent and authority.
    pub(crate) fn keep(&mut self, uri: &Uri, head: &Found<'_>) {
        self.texts.clear();
        self.texts.push(uri.path());
        self.texts.push(head.text(Known::UserAgent));
        let authority = uri.authority().map(http::uri::Authority::as_str);
        let host = || head.text(Known::Host);
        self.texts.push(authority.unwrap_or_else(host));
    }

    /// The path. At most 256 bytes, like all of these.
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
