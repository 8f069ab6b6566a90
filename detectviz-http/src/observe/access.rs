//! The access log.
use super::series::Key;
use crate::{
    call::{Head, InlineText, LONGEST_TEXT, Outcome, cut},
    head_scan::{Found, Known},
    route::{Route, RouteTable},
};
use detectviz_core::telemetry::{
    context::TraceContext,
    logs::{self, Caller, EarlyFields, LineTemplate, Logs},
};
use std::time::{Duration, Instant};
use tracing::Level;

/// The target of the lines, for levels.
pub(super) const TARGET: &str = "http.access";

static PATH: logs::Key = logs::Key::new("path");
static DURATION: logs::Key = logs::Key::new("duration_ms");
static BYTES_IN: logs::Key = logs::Key::new("bytes_in");
static BYTES_OUT: logs::Key = logs::Key::new("bytes_out");
static PEER: logs::Key = logs::Key::new("peer");
static USER_AGENT: logs::Key = logs::Key::new("user_agent");

/// What the log wants of a request's end, beside what its series has in common.
pub(super) struct Tail {
    pub(super) at: Instant,
    pub(super) took: Duration,
    pub(super) bytes_out: u64,
    pub(super) trace: TraceContext,
}

/// Renders what the lines of one series have in common.
pub(super) fn template(logs: &Logs, routes: &RouteTable, route: Route, key: Key) -> LineTemplate {
    let (status, outcome) = shown(key);
    let mut message = InlineText::<160>::new();
    routes.read_title(route, key.method, |title| {
        // Room for the status is kept.
        message.push(&title[..title.floor_char_boundary(150)]);
    });
    message.push(" ");
    message.push_number(status);
    let (caller, message) = (Caller::here(), message.as_str());
    logs.template(Level::INFO, TARGET, caller, message, |fields| {
        fields.str("method", key.method.as_str());
        if route != Route::NONE {
            routes.read_template(route, |template| fields.str("route", template));
        }
        fields.u64("status", status.into());
        fields.str("outcome", outcome);
        fields.str("protocol", key.wire.version());
    })
}

/// Renders the fields that are known at once: who keeps them keeps nothing else of the head for the line.
#[inline]
pub(super) fn render(logs: &Logs, path: &str, head: &Found<'_>, fields: &mut EarlyFields) {
    logs.render(fields, |values| {
        if !path.is_empty() {
            values.str(&PATH, cut(path));
        }
        match head.first(Known::UserAgent) {
            None | Some(b"") => {}
            Some(agent) if agent.len() <= LONGEST_TEXT => values.bytes(&USER_AGENT, agent),
            Some(_) => values.str(&USER_AGENT, cut(head.text(Known::UserAgent))),
        }
    });
}

/// Writes the line of a request.
#[inline]
pub(super) fn write(logs: &Logs, template: &LineTemplate, head: &Head, tail: &Tail) {
    let entry = logs.entry(template).trace(Some(&tail.trace));
    entry.write(tail.at, |values| {
        values.early(&head.fields);
        values.millis(&DURATION, tail.took);
        if let Some(bytes) = head.bytes_in {
            values.u64(&BYTES_IN, bytes);
        }
        values.u64(&BYTES_OUT, tail.bytes_out);
        if let Some(peer) = head.peer {
            values.addr(&PEER, peer);
        }
    });
}

/// What the log shows as status and outcome.
fn shown(key: Key) -> (u16, &'static str) {
    let outcome = Outcome::of(key.ending, key.status).logged();
    // nginx's number for a client that closed the connection before it was answered.
    let status = if key.status == 0 { 499 } else { key.status };
    (status, outcome)
}
