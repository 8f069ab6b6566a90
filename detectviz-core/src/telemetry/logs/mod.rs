//! Logs: one JSON object a line, written by a thread of its own.
//!
//! Each runtime has its own [`Logs`]: levels, format and output. `tracing` is the API that users call; the subscriber in
//! [`hub`](super::hub) brings its events here. Code that knows its runtime may log directly:
//!
//! ```
//! use detectviz_core::{task::Tasks, telemetry::logs::{Caller, LogsConfig, Output}};
//! use std::time::Duration;
//! use tracing::Level;
//!
//! let tasks = Tasks::new();
//! let logs = LogsConfig::default().build("orders", Output::stdout(), &tasks)?;
//! if logs.enabled(Level::INFO, module_path!()) {
//!     logs.event(Level::INFO, module_path!(), Caller::here(), None, "order accepted", |fields| {
//!         fields.u64("order", 17);
//!         fields.str("password", "is masked");
//!     });
//! }
//! assert!(logs.flush(Duration::from_secs(1)));
//! # Ok::<(), detectviz_core::error::Error>(())
//! ```
//!
//! A line is `{"timestamp":…,"level":…,"caller":…,"target":…,"message":…,"trace_id":…,"span_id":…,"service":…}` with the
//! fields after that; the ids are left out where there is no span. It is strict JSON of at most 64 KiB whatever was
//! logged, and nothing in it can end the line early, speak to a terminal or pass for a standard field.
//!
//! # Lines of one shape
//! A line that is written for every request is rendered once, as far as it is always the same; a [`Key`] is judged when the
//! program is compiled. What is left for each line is a look at its texts and a copy, in a fraction of the time that an
//! event takes (`benches/README.md` says what prints both):
//!
//! ```
//! use detectviz_core::{task::Tasks, telemetry::logs::{Caller, Key, LogsConfig, Output}};
//! use std::time::{Duration, Instant};
//! use tracing::Level;
//!
//! static PATH: Key = Key::new("path");
//! static TOOK: Key = Key::new("duration_ms");
//!
//! let tasks = Tasks::new();
//! let logs = LogsConfig::default().build("orders", Output::stdout(), &tasks)?;
//! let get_order = logs.template(Level::INFO, "http.access", Caller::here(), "GET /orders/{id}", |fields| {
//!     fields.str("method", "GET");
//!     fields.str("route", "/orders/{id}");
//! });
//! let (suffix, ok) = (logs.message_suffix(" 200"), logs.static_fields(|fields| fields.u64("status", 200)));
//!
//! let ended = Instant::now();
//! if logs.enabled(Level::INFO, "http.access") {
//!     logs.entry(&get_order).suffix(&suffix).write(ended, |values| {
//!         values.str(&PATH, "/orders/7");
//!         values.fields(&ok);
//!         values.millis(&TOOK, Duration::from_micros(1234));
//!     });
//! }
//! assert!(logs.flush(Duration::from_secs(1)));
//! # Ok::<(), detectviz_core::error::Error>(())
//! ```
//!
//! # Time
//! Timestamps come from the monotonic clock, so that a reading which the caller made already is enough. Each thread reads
//! the system's clock again at the first line of every second: a clock that is set is followed within a second, and the
//! timestamps of one thread go on evenly in between.
//!
//! # What is lost when
//! - A line is written within 100 ms, one of level WARN or ERROR at once. A process that is killed (SIGKILL, or the
//!   kernel's OOM killer) or aborts loses what was logged in the last 100 ms and not yet written.
//! - What waits is bounded ([`LogsConfig::buffer`]). When the output does not take lines, requests go on; lines that find
//!   no room are dropped and counted by level, and a WARN line tells of them when there is room again. After a
//!   [flush](Logs::flush), every line that was logged is either [written](Logs::written) or [dropped](Logs::dropped).
//! - Lines of one thread keep their order; those of different threads may change places within the 100 ms.
mod buf;
mod caller;
mod config;
mod early;
mod entry;
mod escape;
mod fields;
mod handle;
mod hex;
mod key;
mod levels;
mod line;
mod name;
mod number;
mod output;
mod redact;
mod rendered;
mod scan;
mod sink;
mod template;
#[cfg(test)]
mod tests;
mod timestamp;
mod value;
mod values;

pub(super) use self::{
    buf::Buf,
    line::Line,
    name::{Name, NameHash},
    rendered::{Origin, Rendered},
    value::{Texts, Value},
};
pub use self::{
    caller::Caller,
    config::{LogFormat, LogsConfig},
    early::EarlyFields,
    entry::Entry,
    fields::Fields,
    handle::Logs,
    key::Key,
    levels::{Directives, InvalidLevels, Levels},
    output::Output,
    template::{LineTemplate, MessageSuffix, StaticFields},
    values::Values,
};
