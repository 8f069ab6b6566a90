//! Finds out by itself how many calls should run at once, from how long they take.
//!
//! A fixed limit is right until the next release, the next machine or the next slow dependency. This one watches the latency:
//! while calls take what they usually take, it lets a few more in; when they begin to queue somewhere inside, it lets fewer in
//! (gradient2, of Netflix' concurrency-limits). Behind it stands a [`Bulkhead`](super::bulkhead::Bulkhead), which counts, queues
//! and refuses.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::resilience::{adaptive::{Adaptive, AdaptiveConfig, Outcome}, bulkhead::{Bulkhead, Priority}};
//! use std::time::Instant;
//!
//! let limit = Adaptive::new(&AdaptiveConfig::default());
//! let permit = Bulkhead::admit_by(limit.clone(), Priority::Normal, Instant::now()).await.expect("nothing runs yet");
//! let call = Adaptive::measure(permit, Instant::now());
//! // … the work …
//! call.finish(Instant::now(), Outcome::Answered);
//! assert_eq!((limit.bulkhead().in_flight(), limit.bulkhead().limit()), (0, 20));
//! # }
//! ```
//!
//! # The algorithm
//! Latencies are averaged over windows of at least 100 ms and ten calls. For each window:
//!
//! ```text
//! gradient = max(0.5, min(1, tolerance · usual latency / latency of the window, share of calls not dropped))
//! limit    = limit · (1 - smoothing) + (limit · gradient + queue_size) · smoothing
//! ```
//!
//! The limit stays while less than half of it is used: the callers want no more, which says nothing about the server. The usual
//! latency is a long average, lowered faster when the load has gone. Where calls fill the limit for long, they would teach the
//! average their own queueing; it then learns from a short look at a quarter of the limit instead, every
//! `probe_interval`. So in a
//! lasting overload the limit settles at `tolerance` times what the server runs at once, and some calls of `queue_size`.
//!
//! # Cost
//! Taking in a call is an attempt at a lock that is never waited for; the limit is computed once a window.
mod config;
mod future;
mod handle;
mod layer;
mod outcome;
mod recorder;
mod service;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    config::AdaptiveConfig,
    future::MeasuredFuture,
    handle::{Adaptive, Measured},
    layer::AdaptiveLayer,
    outcome::{Classify, DefaultClassify, Outcome},
    recorder::AdaptiveMetrics,
    service::{AdaptiveService, Measure},
};
