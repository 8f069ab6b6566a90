//! The line of a call in the log.
use super::recorder::Ending;
use crate::call::{InlineText, cut};
use detectviz_core::telemetry::{
    context::TraceContext,
    logs::{self, Caller, LineTemplate, Logs},
};
use http::StatusCode;
use std::time::{Duration, Instant};
use tracing::Level;

/// The target of the lines, for levels.
const TARGET: &str = "http.client";

/// The error of a call that its caller gave up.
const CANCELLED: &str = "cancelled";

static PATH: logs::Key = logs::Key::new("path");
static ATTEMPTS: logs::Key = logs::Key::new("attempts");
static DURATION: logs::Key = logs::Key::new("duration_ms");

/// What a line says of one call, beside what its series has in common.
pub(super) struct Tail<'a> {
    pub(super) path: &'a str,
    pub(super) attempts: u32,
    pub(super) at: Instant,
    pub(super) took: Duration,
    /// The span of the call.
    pub(super) trace: TraceContext,
}

/// Whether such a call is logged, by the levels as they are now.
#[inline]
pub(super) fn is_wanted(logs: &Logs, ending: Ending) -> bool {
    logs.enabled(level(ending), TARGET)
}

/// Renders what the lines of one series have in common.
pub(super) fn template(
    logs: &Logs,
    method: &'static str,
    (address, port): (&str, &str),
    ending: Ending,
) -> LineTemplate {
    let mut message = InlineText::<160>::new();
    for text in [method, " ", address, ":", port] {
        message.push(text);
    }
    if let Some(status) = ending.status {
        message.push(" ");
        message.push_number(status.as_u16());
    }
    let (level, caller) = (level(ending), Caller::here());
    logs.template(level, TARGET, caller, message.as_str(), |fields| {
        fields.str("method", method);
        fields.str("server", address);
        fields.str("port", port);
        if let Some(status) = ending.status {
            fields.u64("status", status.as_u16().into());
        }
        if let Some(error) = ending.error_type() {
            fields.str("error", error);
        }
    })
}

/// Writes the line of a call.
#[inline]
pub(super) fn write(logs: &Logs, template: &LineTemplate, tail: &Tail<'_>) {
    let entry = logs.entry(template).trace(Some(&tail.trace));
    entry.write(tail.at, |values| {
        if !tail.path.is_empty() {
            values.str(&PATH, cut(tail.path));
        }
        values.u64(&ATTEMPTS, tail.attempts.into());
        values.millis(&DURATION, tail.took);
    });
}

/// Calls that failed, when no attempt was left, are for the log of every day; the others for whoever looks for something. None
/// is a warning: whether a failed call matters is for its caller to say.
fn level(ending: Ending) -> Level {
    let is_failure =
        |status: StatusCode| status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let gave_up = ending.error.is_some_and(|error| error != CANCELLED);
    if gave_up || ending.status.is_some_and(is_failure) {
        Level::INFO
    } else {
        Level::DEBUG
    }
}
