//! Which runtime a log line or a span belongs to, and how `tracing` finds it.
//!
//! Several runtimes may share a process, and `tracing` has one subscriber for all of them. The table here says where the
//! telemetry of each runtime goes. An event belongs to the runtime whose task it was made in, or else to that of the span
//! it was made in, or else to the first that registered.
//!
//! ```
//! use detectviz_core::{task::Tasks, telemetry::{hub, logs::{LogsConfig, Output}, span::Spans}};
//! use std::time::Duration;
//!
//! let tasks = Tasks::new();
//! let logs = LogsConfig::default().build("orders", Output::stdout(), &tasks)?;
//! let _registered = hub::register(tasks.runtime(), hub::Outputs::new(logs.clone(), Spans::disabled()));
//! assert_eq!(hub::install(), hub::Installed::Ours);
//! tracing::info!(order = 17, "order accepted");
//! logs.flush(Duration::from_secs(1));
//! # Ok::<(), detectviz_core::error::Error>(())
//! ```
//!
//! # With a subscriber of your own
//! [`install`] then says [`Installed::Foreign`] and changes nothing. Add [`TelemetryLayer`] to your stack, and register
//! the outputs as above:
//!
//! ```
//! use detectviz_core::telemetry::hub::TelemetryLayer;
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! let subscriber = tracing_subscriber::registry().with(TelemetryLayer::new());
//! # tracing::subscriber::with_default(subscriber, || ());
//! ```
//!
//! The layer filters nothing for the layers beside it. What it cannot give there is a current span in a handler that made
//! none: carry the request into spawned tasks with a span of your own, or with
//! [`Slot::scope`](super::context::Slot::scope).
//!
//! # Spans and fields
//! A span that a user makes is a child of the span around it, else of the request, else a new trace, sampled as the
//! runtime's [`Spans`](super::span::Spans) say. A line carries the ids of the innermost of these, the fields of the event,
//! and then the fields of the spans around it, innermost first. The first of several fields of one name keeps it, so that
//! the event's wins; the others become `fields.<name>`, as [`Fields`](super::logs::Fields) says. A span is there only when
//! its level is logged. An event of level ERROR marks the span it was made in as failed.
mod callsite;
mod entered;
mod fields;
mod install;
mod layer;
mod panic_hook;
mod span;
mod subscriber;
mod table;
#[cfg(test)]
mod tests;
mod visit;

pub use self::{
    entered::current_context,
    install::{Installed, install},
    layer::TelemetryLayer,
    panic_hook::{Caught, catch_panic, install_panic_hook, panic_was_logged},
    subscriber::TelemetrySubscriber,
    table::{Outputs, Registration, register},
};
