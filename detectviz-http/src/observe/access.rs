//! The access log.
use super::series::Key;
use crate::{
    conn,
    route::{Route, RouteTable},
    trace::{Ending, InlineText},
};
use detectviz_core::telemetry::{
    context::TraceContext,
    logs::{Caller, Logs},
};
use http::{HeaderValue, Request, header, uri::PathAndQuery};
use http_body::Body;
use std::{net::SocketAddr, time::Duration};
use tracing::Level;

/// The target of the lines, for levels.
pub(super) const TARGET: &str = "http.access";

/// The longest user agent and path that are logged, in bytes.
const LONGEST: usize = 256;

/// What the log wants of a request's head. Cloning headers and paths shares them.
#[derive(Debug)]
pub(super) struct Head {
    path: Option<PathAndQuery>,
    user_agent: Option<HeaderValue>,
    peer: Option<SocketAddr>,
    /// As far as it was announced.
    bytes_in: Option<u64>,
}

/// What the log wants of a request's end.
pub(super) struct Tail {
    pub(super) key: Key,
    pub(super) route: Route,
    pub(super) took: Duration,
    pub(super) bytes_out: u64,
    pub(super) trace: Option<TraceContext>,
}

// === impl Head ===

impl Head {
    pub(super) fn of<B: Body>(req: &Request<B>) -> Self {
        Self {
            path: req.uri().path_and_query().cloned(),
            user_agent: req.headers().get(header::USER_AGENT).cloned(),
            peer: conn::current().and_then(|conn| conn.peer),
            bytes_in: req.body().size_hint().exact(),
        }
    }

    /// Writes the line.
    pub(super) fn write(&self, logs: &Logs, routes: &RouteTable, tail: &Tail) {
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
        logs.event(
            Level::INFO,
            TARGET,
            caller,
            tail.trace.as_ref(),
            message,
            |fields| {
                fields.str("method", tail.key.method.as_str());
                if tail.route != Route::NONE {
                    routes.read_template(tail.route, |template| fields.str("route", template));
                }
                if let Some(path) = &self.path {
                    fields.str("path", cut(path.path()));
                }
                fields.u64("status", status.into());
                fields.str("outcome", outcome);
                fields.f64("duration_ms", milliseconds(tail.took));
                if let Some(bytes) = self.bytes_in {
                    fields.u64("bytes_in", bytes);
                }
                fields.u64("bytes_out", tail.bytes_out);
                if let Some(peer) = self.peer {
                    let mut text = InlineText::<56>::new();
                    text.push_peer(peer);
                    fields.str("peer", text.as_str());
                }
                fields.str("protocol", tail.key.version);
                if let Some(text) = self
                    .user_agent
                    .as_ref()
                    .and_then(|value| value.to_str().ok())
                {
                    fields.str("user_agent", cut(text));
                }
            },
        );
    }
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

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
