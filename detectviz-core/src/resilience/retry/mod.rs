//! Tries a call again when it failed, and knows when not to.
//!
//! A retry helps against what is gone a moment later, a connection that broke or an instance that is being replaced. It does
//! harm against an upstream that has too much to do: there every retry is more of what hurts. So retries are few
//! ([`attempts`](RetryConfig::attempts)), spread in time ([`backoff`](BackoffConfig), with full jitter), kept within the
//! time that the caller still has, and bounded over all calls by a [`budget`]; a server that says when to come back is
//! believed, up to a [cap](RetryConfig::retry_after_cap). What may be repeated at all, a [`Policy`] knows.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use detectviz_core::resilience::retry::{Outcome, Policy, Reason, Retry, RetryConfig, RetryLayer};
//! use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! #[derive(Clone)]
//! struct Always;
//!
//! impl<E> Policy<u32, u32, E> for Always {
//!     type Saved = u32;
//!     fn save(&self, req: &u32) -> Option<u32> { Some(*req) }
//!     fn restore(&self, saved: &u32, _attempt: u32) -> u32 { *saved }
//!     fn classify(&self, _: Option<&Self::Saved>, answer: &Result<u32, E>) -> Outcome {
//!         answer.as_ref().map_or(Outcome::retryable(Reason::Other), |_| Outcome::Success)
//!     }
//! }
//!
//! static CALLS: AtomicU32 = AtomicU32::new(0);
//! let flaky = service_fn(|n: u32| async move {
//!     if CALLS.fetch_add(1, Relaxed) == 0 { Err(std::io::Error::other("a hiccup")) } else { Ok(n + 1) }
//! });
//! let retry = Retry::new(&RetryConfig::default());
//! assert_eq!(RetryLayer::new(retry, Always).layer(flaky).oneshot(1).await.expect("the second attempt"), 2);
//! # }
//! ```
//!
//! # Errors
//! The last attempt's error, as it is. When the budget refused a retry, the error is [`BudgetExhausted`] with that error as
//! its source; a response that the policy wanted to retry is still the caller's response, and metric and span say why.
//!
//! # Clone
//! All clones of a [`Retry`], and of the layers and services that hold it, share one budget.
//!
//! # Cancel safety
//! A call that is dropped while it waits for its next attempt gives its token back, and its timer goes with it.
mod backoff;
pub mod budget;
mod config;
mod error;
mod future;
mod handle;
mod hint;
mod layer;
mod policy;
mod recorder;
mod service;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;

pub use self::recorder::register;
pub use self::{
    backoff::BackoffConfig,
    config::RetryConfig,
    error::BudgetExhausted,
    future::ResponseFuture,
    handle::{Retry, RetryCall},
    hint::Hint,
    layer::RetryLayer,
    policy::Policy,
    service::RetryService,
    snapshot::Snapshot,
    state::{Decision, Outcome, Reason, Stop, decide},
};
