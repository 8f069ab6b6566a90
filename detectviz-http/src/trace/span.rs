//! The span of a request, with OpenTelemetry's attributes for HTTP servers.
use crate::{
    call::{Ending, Head, InlineText, digits},
    route::{Route, RouteTable},
};
use detectviz_core::telemetry::{
    context::Slot,
    span::{Attributes, SpanKind, SpanRecord, SpanStatus, Text},
};
use std::net::IpAddr;

/// The longest `user_agent.original` and `url.path` that are kept, in bytes.
const LONGEST: usize = 128;

/// The record of a span that ended at `end` and took `took`, both in nanoseconds.
pub(super) fn record(
    head: &Head,
    slot: &Slot,
    (routes, route): (&RouteTable, Route),
    (status, ending): (Option<u16>, Ending),
    (end, took): (u64, u64),
) -> SpanRecord {
    let name = routes.read_title(route, head.method, |title| Text::Shared(title.clone()));
    let start = end.saturating_sub(took);
    let mut record = SpanRecord::new(slot.context, SpanKind::Server, name, start, end);
    record.parent = slot.parent;
    record.parent_is_remote = slot.parent.is_some();
    record.tracestate = slot.tracestate.clone();
    let ended = slot.ended.unwrap_or(slot.started);
    record.events.push_notes(&slot.notes, ended, end);
    let attributes = &mut record.attributes;
    attributes.push("http.request.method", head.method.as_str());
    attributes.push("url.scheme", head.scheme);
    let (path, user_agent) = (head.path(), head.user_agent());
    if !path.is_empty() {
        attributes.push_str("url.path", cut(path));
    }
    if route != Route::NONE {
        routes.read_template(route, |template| {
            attributes.push_str("http.route", template)
        });
    }
    attributes.push("network.protocol.version", head.version);
    push_server(attributes, head.authority());
    if !user_agent.is_empty() {
        attributes.push_str("user_agent.original", cut(user_agent));
    }
    if let Some(peer) = head.peer {
        push_client(attributes, peer.ip());
    }
    let status = ending.status(status);
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

/// `server.address` and `server.port`, from the authority of the request's target or its `Host`.
fn push_server(attributes: &mut Attributes, authority: &str) {
    if authority.is_empty() {
        return;
    }
    let text = authority
        .rsplit_once('@')
        .map_or(authority, |(_, rest)| rest);
    let port = text
        .rsplit_once(':')
        .filter(|(_, port)| !port.contains(']'))
        .and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?)));
    attributes.push_str("server.address", cut(port.map_or(text, |(name, _)| name)));
    if let Some((_, port)) = port {
        attributes.push("server.port", port);
    }
}

/// The start of `text` that is kept.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

fn push_client(attributes: &mut Attributes, ip: IpAddr) {
    let mut text = InlineText::<48>::new();
    text.push_ip(ip);
    attributes.push_str("client.address", text.as_str());
}
