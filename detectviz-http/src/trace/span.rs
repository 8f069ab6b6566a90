//! The span of a request, with OpenTelemetry's attributes for HTTP servers.
use super::{
    head::{protocol_version, scheme},
    state::Ending,
};
use crate::{
    conn,
    route::{MethodName, Route, RouteTable},
};
use detectviz_core::telemetry::{
    context::Slot,
    span::{Attributes, SpanKind, SpanRecord, SpanStatus, Text},
};
use http::{HeaderValue, Request, Version, header, uri::PathAndQuery};
use std::net::{IpAddr, SocketAddr};

/// What a sampled request keeps of its head until it ends. Cloning headers and paths shares them.
#[derive(Debug)]
pub(super) struct SpanStart {
    method: MethodName,
    path: Option<PathAndQuery>,
    scheme: &'static str,
    host: Option<HeaderValue>,
    authority: Option<http::uri::Authority>,
    user_agent: Option<HeaderValue>,
    version: Version,
    peer: Option<SocketAddr>,
}

/// The longest `user_agent.original` and `url.path` that are kept, in bytes.
const LONGEST: usize = 128;

impl SpanStart {
    pub(super) fn of<B>(req: &Request<B>) -> Self {
        let (headers, uri) = (req.headers(), req.uri());
        Self {
            method: MethodName::of(req.method()),
            path: uri.path_and_query().cloned(),
            scheme: scheme(req),
            host: headers.get(header::HOST).cloned(),
            authority: uri.authority().cloned(),
            user_agent: headers.get(header::USER_AGENT).cloned(),
            version: req.version(),
            peer: conn::current().and_then(|conn| conn.peer),
        }
    }

    /// The record of a span that ended at `end` and took `took`, both in nanoseconds.
    pub(super) fn finish(
        &self,
        slot: &Slot,
        (routes, route): (&RouteTable, Route),
        (head, ending): (Option<u16>, Ending),
        (end, took): (u64, u64),
    ) -> SpanRecord {
        let name = routes.read_title(route, self.method, |title| Text::Shared(title.clone()));
        let start = end.saturating_sub(took);
        let mut record = SpanRecord::new(slot.context, SpanKind::Server, name, start, end);
        record.parent = slot.parent;
        record.parent_is_remote = slot.parent.is_some();
        record.tracestate = slot.tracestate.clone();
        let attributes = &mut record.attributes;
        attributes.push("http.request.method", self.method.as_str());
        attributes.push("url.scheme", self.scheme);
        if let Some(path) = &self.path {
            attributes.push_str("url.path", cut(path.path()));
        }
        if route != Route::NONE {
            routes.read_template(route, |template| {
                attributes.push_str("http.route", template)
            });
        }
        attributes.push("network.protocol.version", protocol_version(self.version));
        self.push_server(attributes);
        if let Some(text) = self
            .user_agent
            .as_ref()
            .and_then(|value| value.to_str().ok())
        {
            attributes.push_str("user_agent.original", cut(text));
        }
        if let Some(peer) = self.peer {
            push_client(attributes, peer.ip());
        }
        let status = ending.status(head);
        if let Some(status) = status {
            attributes.push("http.response.status_code", status);
        }
        let failed = status.filter(|status| *status >= 500);
        match (ending.error_type(), failed) {
            ("", None) => {}
            ("", Some(status)) => {
                let mut text = [0; 3];
                attributes.push_str("error.type", digits(status, &mut text));
                record.status = SpanStatus::Error(Text::default());
            }
            (kind, _) => {
                attributes.push("error.type", kind);
                record.status = SpanStatus::Error(Text::default());
            }
        }
        record
    }

    /// `server.address` and `server.port`, from the request's target or its `Host`.
    fn push_server(&self, attributes: &mut Attributes) {
        let host = self.host.as_ref().and_then(|value| value.to_str().ok());
        let Some(text) = self.authority.as_ref().map(|a| a.as_str()).or(host) else {
            return;
        };
        let text = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
        let port = text
            .rsplit_once(':')
            .filter(|(_, port)| !port.contains(']'))
            .and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?)));
        attributes.push_str("server.address", cut(port.map_or(text, |(name, _)| name)));
        if let Some((_, port)) = port {
            attributes.push("server.port", port);
        }
    }
}

/// The start of `text` that is kept.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

fn push_client(attributes: &mut Attributes, ip: IpAddr) {
    let mut text = crate::trace::InlineText::<48>::new();
    text.push_ip(ip);
    attributes.push_str("client.address", text.as_str());
}

/// The three digits of a status.
pub(crate) fn digits(status: u16, out: &mut [u8; 3]) -> &str {
    let digit = |n: u16| b'0' + u8::try_from(n % 10).unwrap_or(0);
    *out = [digit(status / 100), digit(status / 10), digit(status)];
    str::from_utf8(out).unwrap_or_default()
}
