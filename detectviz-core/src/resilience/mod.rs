//! Protocol-neutral protections around any call: one folder is one [`tower_layer::Layer`].
//!
//! Every layer turns its errors into a [`BoxError`](crate::error::BoxError) whose chain holds a small public struct that
//! says why the call was refused; [`cause_ref`](crate::error::cause_ref) finds it.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{error::cause_ref, resilience::timeout::{Elapsed, TimeoutConfig, TimeoutLayer}};
//! use std::time::Duration;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! let stuck = service_fn(|()| std::future::pending::<Result<(), std::io::Error>>());
//! let config = TimeoutConfig::default().limit(Duration::from_millis(5));
//! let err = TimeoutLayer::new(config).layer(stuck).oneshot(()).await.expect_err("it never answers");
//! assert!(cause_ref::<Elapsed>(&*err).is_some());
//! # }
//! ```
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
pub mod priority;
mod refusable;
pub mod timer;
pub mod shed;
pub mod timeout;
pub mod deadline;
pub mod bulkhead;
pub mod adaptive;
pub mod rate_limit;
pub mod breaker;
pub mod retry;
pub mod hedge;
pub mod fallback;
pub mod policy;

pub use self::refusable::Refusable;
