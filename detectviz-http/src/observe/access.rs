//! The access log.
use super::series::Key;
use crate::{
    call::{Ending, Head, InlineText},
    route::{Route, RouteTable},
};
use detectviz_core::telemetry::{
    context::TraceContext,
    logs::{Caller, Logs},
};
use std::time::Duration;
use tracing::Level;

/// The target of the lines, for levels.
pub(super) const TARGET: &str = "http.access";

/// What the log wants of a request's end.
pub(super) struct Tail {
    pub(super) key: Key,
    pub(super) route: Route,
    pub(super) took: Duration,
    pub(super) bytes_out: u64,
    pub(super) trace: TraceContext,
}

/// Writes the line of a request.
pub(super) fn write(logs: &Logs, routes: &RouteTable, head: &Head, tail: &Tail) {
    let caller = Caller::here();
    let (status, outcome) = shown(tail.key);
    let mut message = InlineText::<160>::new();
    routes.read_title(tail.route, tail.key.method, |title| {
        // Room for the status is kept.
        message.push(&title[..title.floor_char_boundary(150)]);
    });
    message.push(" ");
    message.push_number(status);
    let message = message.as_str();
    let trace = Some(&tail.trace);
    logs.event(Level::INFO, TARGET, caller, trace, message, |fields| {
        fields.str("method", tail.key.method.as_str());
        if tail.route != Route::NONE {
            routes.read_template(tail.route, |template| fields.str("route", template));
        }
        if !head.path().is_empty() {
            fields.str("path", head.path());
        }
        fields.u64("status", status.into());
        fields.str("outcome", outcome);
        fields.f64("duration_ms", milliseconds(tail.took));
        if let Some(bytes) = head.bytes_in {
            fields.u64("bytes_in", bytes);
        }
        fields.u64("bytes_out", tail.bytes_out);
        if let Some(peer) = head.peer {
            let mut text = InlineText::<56>::new();
            text.push_peer(peer);
            fields.str("peer", text.as_str());
        }
        fields.str("protocol", tail.key.version);
        if !head.user_agent().is_empty() {
            fields.str("user_agent", head.user_agent());
        }
    });
}

/// What the log shows as status and outcome.
fn shown(key: Key) -> (u16, &'static str) {
    let outcome = match key.ending {
        Ending::Complete if key.status < 500 => "ok",
        Ending::Cancelled => "client_gone",
        _ => "error",
    };
    // nginx's number for a client that closed the connection before it was answered.
    let status = if key.status == 0 { 499 } else { key.status };
    (status, outcome)
}

/// With microseconds, which is what the clock is good for.
fn milliseconds(took: Duration) -> f64 {
    let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros) / 1000.0
}
