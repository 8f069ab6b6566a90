//! Guards any async closure by all policies at once: for calls that are not requests of a protocol that has its own client.
//!
//! A query, a command or a publish fails in the same ways as an HTTP request, and wants the same protection; but its driver is
//! no [`tower_service::Service`], and its errors are its own. A [`Policy`] runs the closure that makes such a call: once, or
//! again when that helps, and not at all when it would only do harm. What is a failure, and what may be repeated, is the
//! caller's word.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use detectviz_core::{
//!     resilience::{policy::{Policy, PolicyConfig, PolicyError, Verdict}, retry::Reason},
//!     telemetry::metrics::Registry,
//! };
//! use std::{cell::Cell, io};
//!
//! /// Stands for a pool of connections to a database, of which the first is broken.
//! struct Pool(Cell<u32>);
//!
//! impl Pool {
//!     async fn query(&self, sql: &str) -> io::Result<u64> {
//!         match self.0.replace(self.0.get() + 1) {
//!             0 => Err(io::ErrorKind::ConnectionReset.into()),
//!             _ if sql.is_empty() => Err(io::ErrorKind::InvalidInput.into()),
//!             _ => Ok(42),
//!         }
//!     }
//! }
//!
//! let pool = Pool(Cell::new(0));
//! let orders = Policy::new("orders-db", &PolicyConfig::default(), &Registry::new());
//!
//! // A read may be repeated: the second attempt gets a connection that works.
//! let rows = orders.call(|_| pool.query("select count(*) from orders")).idempotent().await;
//! assert_eq!(rows.expect("the second attempt"), 42);
//!
//! // Of a statement that the database refuses, the database is not to blame.
//! let wrong = orders.call(|_| pool.query("")).classify(|result| match result {
//!     Ok(_) => Verdict::Success,
//!     Err(err) if err.kind() == io::ErrorKind::InvalidInput => Verdict::Rejected,
//!     Err(_) => Verdict::failure(Reason::Other),
//! });
//! assert!(matches!(wrong.await, Err(PolicyError::Inner(_))));
//! # }
//! ```
//!
//! # Order
//! total deadline ▸ bulkhead ▸ retry and budget ▸ hedge ▸ breaker ▸ attempt timeout ▸ the closure. The place in the bulkhead
//! is held over all attempts and the waits between them; the breaker counts attempts. The deadline is the lesser of
//! [`total_timeout`](PolicyConfig::total_timeout) and that of the current request's
//! [slot](crate::telemetry::context::Slot::deadline), where the closure finds what is left for its attempt.
//!
//! # What is repeated
//! Nothing, unless nothing was [sent](Verdict::Unsent) or the caller said that the call is [idempotent](Call::idempotent); only
//! such a call is hedged, too.
//!
//! # Cancel safety
//! A [`Call`] that is dropped at any time drops its attempts, gives back its place in the bulkhead, the probe of a half-open
//! breaker and the token of a retry that was not sent, and is counted as cancelled; to the breaker it says nothing. Neither does
//! an attempt that the deadline of its call cuts short: how long the caller waits is not the other side's doing. One that takes
//! longer than [`attempt_timeout`](PolicyConfig::attempt_timeout) is a failure.
mod attempt;
mod call;
mod classify;
mod config;
mod course;
mod error;
mod handle;
mod recorder;
mod state;
#[cfg(test)]
mod tests;

pub use self::recorder::register;
pub use self::{
    attempt::Attempt,
    call::Call,
    classify::{Classify, DefaultClassify, Verdict},
    config::PolicyConfig,
    error::PolicyError,
    handle::{Policy, PolicyHandle, PolicyLimits},
};
