//! Bounds how long one call may take.
//!
//! A call without a limit holds its caller, and everything that the caller holds, for as long as the other side likes.
//! The deadline is put into a [`timer`](crate::resilience::timer) when the call is first pending: a call that is answered at
//! once costs nothing (tower-http registers its own before, which on an idle runtime costs a system call a request).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{error::cause_ref, resilience::timeout::{Elapsed, before}};
//! use std::time::Duration;
//!
//! let deadline = tokio::time::Instant::now() + Duration::from_millis(5);
//! let stuck = std::future::pending::<Result<(), std::io::Error>>();
//! let err = before(deadline, stuck).await.expect_err("it never answers");
//! assert!(cause_ref::<Elapsed>(&*err).is_some());
//! # }
//! ```
//!
//! # Cancel safety
//! When the limit passes, the inner future is dropped with the [`ResponseFuture`]; what that means is up to it.
mod config;
mod error;
mod future;
mod layer;
mod service;
#[cfg(test)]
mod tests;

pub use self::{
    config::TimeoutConfig,
    error::Elapsed,
    future::{ResponseFuture, before},
    layer::TimeoutLayer,
    service::Timeout,
};
