//! Answers a call that failed with something less than the truth: the last known prices, an empty list.
//!
//! It stands outermost, so that it sees what all other protections could not mend. What it hides from callers must not be
//! hidden from operators: each rule has a reason, under which its calls are counted and noted on the span.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{error::BoxError, resilience::fallback::{Fallback, FallbackLayer}};
//! use std::{future::ready, io};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! let broken = service_fn(|_: u32| async { Err::<Vec<u32>, _>(io::Error::from(io::ErrorKind::ConnectionReset)) });
//! let fallback = Fallback::new().on::<io::Error>("io");
//! let empty = |_: BoxError| ready(Ok(Vec::new()));
//! let related = FallbackLayer::new(fallback, empty).layer(broken).oneshot(7).await;
//! assert!(related.expect("an empty list").is_empty());
//! # }
//! ```
//!
//! # Errors
//! Those that no rule selects, as they are, and those of the closure, which may give back what it was given.
mod future;
mod handle;
mod layer;
mod recorder;
mod service;
#[cfg(test)]
mod tests;

pub use self::recorder::register;
pub use self::{
    future::ResponseFuture,
    handle::{Fallback, Selected},
    layer::FallbackLayer,
    service::FallbackService,
};
