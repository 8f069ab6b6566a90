//! What the span of a call says, after OpenTelemetry's conventions for HTTP clients.
use super::{aim::Aim, recorder::Ending};
use crate::call::InlineText;
use detectviz_core::clock;
use detectviz_core::telemetry::{
    context::Slot,
    span::{Attributes, Event, SpanRecord, SpanStatus, Text},
};
use http::{Method, StatusCode, Uri};
use std::{net::IpAddr, time::Instant};

/// What is said of a call.
pub(super) struct Told<'a> {
    pub(super) method: &'a Method,
    pub(super) target: &'a Uri,
    pub(super) slot: &'a Slot,
    pub(super) ending: Ending,
    /// Who answered, if somebody did.
    pub(super) aim: Option<&'a Aim>,
    pub(super) attempts: u32,
    pub(super) ends: &'a [AttemptEnd],
    pub(super) grpc: Option<u16>,
    pub(super) ended: Instant,
}

/// How one of several attempts ended, or the only one without an answer. What an only one brought, the span says itself.
#[derive(Debug)]
pub(super) struct AttemptEnd {
    pub(super) at: Instant,
    /// Its number, from 1.
    pub(super) attempt: u32,
    /// Its endpoint as `host:port`.
    pub(super) endpoint: Text,
    pub(super) result: Outcome,
}

/// What an attempt brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer.
    Status(StatusCode),
    /// None.
    Error(&'static str),
}

const OTHER: &str = "_OTHER";

/// The longest URL that is kept, in bytes: no attribute may be longer.
const LONGEST: usize = Attributes::TEXT;

/// Fills in the span of a call.
pub(super) fn fill(span: &mut SpanRecord, told: &Told<'_>) {
    let end = clock::unix_nanos();
    let took = told.ended.saturating_duration_since(told.slot.started);
    let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    (span.start_unix_nanos, span.end_unix_nanos) = (end.saturating_sub(took), end);
    let method = method_name(told.method);
    span.name = Text::Static(if method == OTHER { "HTTP" } else { method }).into();
    span.parent = told.slot.parent;
    span.tracestate = told.slot.tracestate.clone();
    for attempt in told.ends {
        let before = told.ended.saturating_duration_since(attempt.at).as_nanos();
        let at = end.saturating_sub(u64::try_from(before).unwrap_or(u64::MAX));
        span.events.push(attempt.event(at));
    }
    span.events.push_notes(&told.slot.notes, told.ended, end);
    let attributes = &mut span.attributes;
    attributes.push("http.request.method", method);
    if method == OTHER {
        attributes.push_str("http.request.method_original", told.method.as_str());
    }
    attributes.push_str("server.address", told.target.host().unwrap_or_default());
    attributes.push("server.port", port(told.target));
    attributes.push_str("url.full", shown(told.target).as_str());
    if let Some(status) = told.ending.status {
        attributes.push("http.response.status_code", status.as_u16());
    }
    if told.attempts > 1 {
        attributes.push("http.request.resend_count", told.attempts - 1);
    }
    if let Some(aim) = told.aim {
        push_peer(attributes, aim);
    }
    if let Some(status) = told.grpc {
        attributes.push("rpc.grpc.status_code", status);
    }
    if let Some(error) = told.ending.error_type() {
        attributes.push_str("error.type", error);
        span.status = SpanStatus::Error(Text::Static(""));
    }
}

/// Whom the last attempt went to, when that is an address: a name is in `server.address` already.
fn push_peer(attributes: &mut Attributes, aim: &Aim) {
    let authority = aim.endpoint().authority();
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    if host.parse::<IpAddr>().is_ok() {
        attributes.push_str("network.peer.address", host);
        if let Some(port) = authority.port_u16() {
            attributes.push("network.peer.port", port);
        }
    }
}

/// The method as OpenTelemetry wants it: one of those that are known.
pub(super) fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => OTHER,
    }
}

/// The port that `target` means.
pub(super) fn port(target: &Uri) -> u16 {
    let tls = target.scheme_str() == Some("https");
    target.port_u16().unwrap_or(if tls { 443 } else { 80 })
}

/// `target` without user information, and with the keys of its query only: their values may be secrets.
fn shown(target: &Uri) -> InlineText<LONGEST> {
    let authority = target.authority().map_or("", |a| a.as_str());
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let mut shown = InlineText::new();
    shown.push(target.scheme_str().unwrap_or("http"));
    shown.push("://");
    shown.push(authority);
    shown.push(target.path());
    let pairs = target.query().into_iter().flat_map(|q| q.split('&'));
    for (at, pair) in pairs.enumerate() {
        shown.push(if at == 0 { "?" } else { "&" });
        if let Some((key, _)) = pair.split_once('=') {
            shown.push(key);
            shown.push("=");
        }
        shown.push("REDACTED");
    }
    shown
}

// === impl AttemptEnd ===

impl AttemptEnd {
    fn event(&self, at: u64) -> Event {
        let event = Event::new(at, "attempt")
            .attribute("attempt", self.attempt)
            .attribute("endpoint", self.endpoint.clone());
        match self.result {
            Outcome::Status(status) => {
                event.attribute("http.response.status_code", status.as_u16())
            }
            Outcome::Error(name) => event.attribute("error.type", name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lg4_a_url_is_shown_without_its_secrets() {
        for (target, expected) in [
            ("http://orders/v1?id=7", "http://orders/v1?id=REDACTED"),
            ("https://u:p@h:8/x", "https://h:8/x"),
            (
                "http://h/?a&b=1&c=",
                "http://h/?REDACTED&b=REDACTED&c=REDACTED",
            ),
            ("http://h", "http://h/"),
        ] {
            assert_eq!(shown(&target.parse().unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn a_port_is_the_one_that_the_scheme_means() {
        for (target, expected) in [
            ("http://h/", 80),
            ("https://h/", 443),
            ("https://h:8443/", 8443),
        ] {
            assert_eq!(port(&target.parse().unwrap()), expected);
        }
    }
}
