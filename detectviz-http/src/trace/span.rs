//! The span of a request, with OpenTelemetry's attributes for HTTP servers.
use super::Ended;
use crate::{
    call::{Head, InlineText, digits},
    route::Route,
};
use detectviz_core::telemetry::{
    context::Slot,
    span::{Attributes, SpanName, SpanRecord, SpanStatus, Text},
};
use std::net::IpAddr;

/// The longest `user_agent.original` and `url.path` that are kept, in bytes.
const LONGEST: usize = 128;

/// Writes the span of a request that has ended.
pub(super) fn fill(record: &mut SpanRecord, head: &Head, slot: &Slot, end: &Ended<'_>) {
    let (routes, route) = (end.routes, end.route);
    record.name = routes.read_title(route, head.method, |title| SpanName::from(title));
    let took = u64::try_from(end.took.as_nanos()).unwrap_or(u64::MAX);
    record.start_unix_nanos = end.unix_nanos.saturating_sub(took);
    record.end_unix_nanos = end.unix_nanos;
    record.parent = slot.parent;
    record.parent_is_remote = slot.parent.is_some();
    record.tracestate = slot.tracestate.clone();
    record
        .events
        .push_notes(&slot.notes, end.at, end.unix_nanos);
    let attributes = &mut record.attributes;
    attributes.push("http.request.method", head.method.as_str());
    attributes.push("url.scheme", head.wire.scheme());
    let (path, user_agent) = (head.path(), head.user_agent());
    if !path.is_empty() {
        attributes.push_str("url.path", cut(path));
    }
    if route != Route::NONE {
        routes.read_template(route, |template| {
            attributes.push_str("http.route", template)
        });
    }
    attributes.push("network.protocol.version", head.wire.version());
    push_server(attributes, head.authority());
    if !user_agent.is_empty() {
        attributes.push_str("user_agent.original", cut(user_agent));
    }
    if let Some(peer) = head.peer {
        push_client(attributes, peer.ip());
    }
    let ending = end.ending;
    let status = ending.status(end.status);
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
}

/// `server.address` and `server.port`, from the authority of the request's target or its `Host`.
fn push_server(attributes: &mut Attributes, authority: &str) {
    if authority.is_empty() {
        return;
    }
    // Without the user, which is what the last `@` ends.
    let user = authority.bytes().rposition(|byte| byte == b'@');
    let text = user.map_or(authority, |at| &authority[at + 1..]);
    let port = split_port(text);
    attributes.push_str("server.address", cut(port.map_or(text, |(name, _)| name)));
    if let Some((_, port)) = port {
        attributes.push("server.port", port);
    }
}

/// A name and the port behind its last colon.
fn split_port(text: &str) -> Option<(&str, u16)> {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let name = text[..text.len() - digits].strip_suffix(':')?;
    Some((name, text[name.len() + 1..].parse().ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_what_stands_behind_the_last_colon() {
        for (text, split) in [
            ("shop.example", None),
            ("shop.example:8080", Some(("shop.example", 8080))),
            ("[2001:db8::1]", None),
            ("[2001:db8::1]:443", Some(("[2001:db8::1]", 443))),
            ("shop.example:", None),
            ("shop.example:65536", None),
            ("10.0.0.1", None),
            ("", None),
        ] {
            assert_eq!(split_port(text), split, "{text}");
        }
    }
}
