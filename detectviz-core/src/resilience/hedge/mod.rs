//! Sends a slow call a second time, and takes the answer that comes first.
//!
//! Where an answer needs a hundred calls, it is as slow as the slowest of them. A call that takes longer than most usually
//! has bad luck with its instance, and another one answers at once: a second attempt after the 95th percentile adds 5 % of
//! load and takes away most of the tail (Dean and Barroso, "The Tail at Scale", CACM 2013; gRPC's proposal A6; Finagle's
//! `BackupRequestFilter`). Only calls of which the [`Policy`](crate::resilience::retry::Policy) keeps a copy, and says
//! that they may take effect twice, are hedged. A [budget](crate::resilience::retry::budget) bounds hedges, so that an upstream that is
//! slow as a whole is not made slower.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use detectviz_core::resilience::{hedge::{Hedge, HedgeConfig, HedgeLayer}, retry::{Outcome, Policy}};
//! use std::{convert::Infallible, sync::atomic::{AtomicU64, Ordering::Relaxed}, time::Duration};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! #[derive(Clone)]
//! struct Reads;
//!
//! impl Policy<u32, u64, Infallible> for Reads {
//!     type Saved = u32;
//!     fn save(&self, req: &u32) -> Option<u32> { Some(*req) }
//!     fn restore(&self, saved: &u32, _attempt: u32) -> u32 { *saved }
//!     fn classify(&self, _: Option<&Self::Saved>, _: &Result<u64, Infallible>) -> Outcome { Outcome::Success }
//! }
//!
//! static CALLS: AtomicU64 = AtomicU64::new(0);
//! let first_is_slow = service_fn(|_: u32| async {
//!     let call = CALLS.fetch_add(1, Relaxed);
//!     tokio::time::sleep(Duration::from_secs(if call == 0 { 60 } else { 0 })).await;
//!     Ok(call)
//! });
//! let hedge = Hedge::new(&HedgeConfig::default().delay(Duration::from_millis(50)));
//! let service = HedgeLayer::new(hedge, Reads).layer(first_is_slow);
//! assert_eq!(service.oneshot(7).await.expect("the hedge answers"), 1);
//! # }
//! ```
//!
//! # Errors
//! Those of the attempts. An attempt that failed before any hedge was sent ends the call: to try again is what
//! [`retry`](crate::resilience::retry) is for. Once there is a hedge, a failure that is worth another attempt waits for the
//! others, and the last one counts.
//!
//! # Cancel safety
//! When an answer comes, or the call is dropped, the attempts still under way are dropped with it.
mod config;
mod future;
mod handle;
mod layer;
mod recorder;
mod service;
mod state;
#[cfg(test)]
mod tests;

pub use self::recorder::register;
pub use self::{
    config::HedgeConfig,
    future::ResponseFuture,
    handle::{Hedge, HedgeCall},
    layer::HedgeLayer,
    service::HedgeService,
};
