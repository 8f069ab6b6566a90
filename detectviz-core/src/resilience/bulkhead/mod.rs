//! Bounds how many calls run at once, with a short queue in front and a quick no for the rest.
//!
//! Whatever is slow keeps what waits for it: without a limit, one slow upstream takes every task and every byte of memory of
//! its callers, and an overloaded server answers everybody late instead of many in time. The limit is a *bulkhead* in front
//! of an upstream (Nygard, "Release It!"; resilience4j, Polly) and a *concurrency limit* in front of a server (Envoy, Finagle).
//!
//! A call is let in by one compare-and-swap and its permit given back by one subtraction; whether calls wait stands in the
//! same word, so that newcomers do not overtake and the lock of the queue is touched only while calls wait. The timer of a
//! waiting call is made when it is first pending.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::resilience::bulkhead::{Bulkhead, BulkheadConfig, Priority, Reason};
//! use std::time::{Duration, Instant};
//!
//! let config = BulkheadConfig::default().max_concurrent(1).max_queue(1).max_wait(Duration::from_secs(1));
//! let bulkhead = Bulkhead::new(&config);
//!
//! let running = bulkhead.try_acquire().expect("nothing runs yet");
//! let waiting = bulkhead.acquire(Priority::Normal, Instant::now());
//! let refused = bulkhead.acquire(Priority::Normal, Instant::now()).await.expect_err("the queue is full");
//! assert_eq!(refused.reason(), Reason::QueueFull);
//!
//! drop(running);
//! assert!(waiting.await.is_ok());
//! assert_eq!(bulkhead.in_flight(), 0);
//! # }
//! ```
//!
//! # Three ways in
//! [`BulkheadLayer`] wraps any service. [`Bulkhead::acquire`] and [`Bulkhead::try_acquire`] give a [`Permit`] to hold while
//! something runs. [`Bulkhead::admit`] says at once what becomes of a call, for futures that poll [`Waiting`] themselves;
//! [`Bulkhead::admit_by`] and [`Permit::detach`] spare them counting references.
//!
//! # Order and priority
//! Who waits longest goes first, or with [`QueueOrder::AdaptiveLifo`] the newest while the queue does not empty. Calls of
//! [`Priority::Sheddable`] wait behind the others and make room for them; those of [`Priority::Critical`] neither wait nor are
//! refused.
//!
//! # Cancel safety
//! Dropping a call, a [`Permit`] or a [`Waiting`] at any time gives back what it held, and the next one goes on.
mod config;
mod error;
mod future;
mod gate;
mod handle;
mod layer;
mod permit;
mod priority;
mod recorder;
mod service;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod waiting;

pub use self::{
    config::{BulkheadConfig, QueueConfig, QueueOrder},
    error::{Overloaded, Reason},
    future::ResponseFuture,
    handle::Bulkhead,
    layer::BulkheadLayer,
    permit::{Detached, Permit},
    priority::{Prioritize, Priority},
    recorder::BulkheadMetrics,
    service::BulkheadService,
    waiting::{Acquire, Admission, Waiting},
};
