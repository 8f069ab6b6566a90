//! The lifecycle: start in order, serve, drain, flush.
//!
//! Parts are [`Component`](crate::task::Component)s that say after which others they start; those that do not wait for
//! each other start at the same time. SIGTERM, SIGINT or a part that breaks begins the way down, which has one budget,
//! [`ShutdownConfig::grace`], for all of it:
//!
//! | step | phase | what happens |
//! |---|---|---|
//! | pre-stop | [`Phase::PreStop`] | readiness fails, new work is still accepted |
//! | drain | [`Phase::Draining`] | parts finish what was accepted, dependents before what they depend on |
//! | hooks | [`Phase::Draining`] | what the user added, at the same time, each with its own timeout |
//! | flush | [`Phase::Stopping`] | the telemetry of the drained work is sent |
//! | stop | [`Phase::Stopping`] | parts release what they hold, in the same order as the drain |
//! | last flush | [`Phase::Stopping`] | the telemetry of the stop is sent, in what is left of the flush time |
//! | join | [`Phase::Stopping`] | the remaining tasks are cancelled and waited for, at most 1 s |
//!
//! Each step is cut when its time is over, and the rest still runs.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{
//!     error::BoxError,
//!     lifecycle::{Lifecycle, ShutdownConfig, Signal, Signals},
//!     task::{Component, Tasks},
//! };
//! use std::{sync::Arc, time::Duration};
//!
//! struct Server;
//!
//! #[async_trait::async_trait]
//! impl Component for Server {
//!     async fn drain(&self) -> Result<(), BoxError> {
//!         Ok(()) // waits for requests in flight
//!     }
//! }
//!
//! // `Signals::of_process()` in a `main`.
//! let (sender, signals) = Signals::manual();
//! let service = Lifecycle::new(ShutdownConfig::default(), &Tasks::new())
//!     .add("pool", None::<&str>, Arc::new(Server))
//!     .add("server", ["pool"], Arc::new(Server))
//!     .add_hook("leave", Duration::from_secs(1), || async { Ok(()) });
//! let phase = service.phase();
//! let (outcome, ()) = tokio::join!(service.run(signals), async {
//!     phase.reached(detectviz_core::lifecycle::Phase::Serving).await;
//!     sender.send(Signal::Terminate);
//! });
//! assert_eq!(outcome.exit_code(), 0);
//! # }
//! ```
//!
//! # When it does not end well
//! A second signal aborts: what is in flight is cut, and the process ends within a second. The exit code is 75 when work
//! was cut ([`Outcome::cut`] names it), 70 when a part broke or panicked, 0 otherwise. A signal during the start is a
//! clean end. When the runtime itself is stuck none of this can run; a [watchdog](Lifecycle::with_watchdog) ends the
//! process then.
mod config;
mod phase;
mod state;
mod order;
mod signals;
mod failures;
mod watchdog;
mod outcome;
mod parts;
mod hooks;
mod ending;
mod service;
#[cfg(test)]
mod tests;

pub use self::{
    config::ShutdownConfig,
    failures::Failures,
    outcome::Outcome,
    phase::{Phase, PhaseControl, PhaseWatch},
    service::{Lifecycle, Running},
    signals::{Signal, SignalSender, Signals},
    state::Step,
};
