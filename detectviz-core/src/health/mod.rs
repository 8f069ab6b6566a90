//! Health: whether this process lives, whether it has started, and whether it deserves traffic.
//!
//! Three questions, after Kubernetes' three probes. *Liveness* looks at the process only, since restarting it does not
//! bring back a database. *Readiness* is what [`Check`]s found in the background: a critical one that fails makes the
//! process not ready, an optional one degraded. *Startup* is complete when every part has started. A probe reads what is
//! known and never asks a dependency itself, so no probe is slower than a few memory reads, however slow a check is.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{
//!     error::BoxError,
//!     health::{Check, CheckConfig, Health, HealthConfig, Status},
//!     task::Tasks,
//!     telemetry::metrics::Registry,
//! };
//! use std::sync::Arc;
//!
//! struct Database;
//!
//! #[async_trait::async_trait]
//! impl Check for Database {
//!     async fn check(&self) -> Result<(), BoxError> {
//!         Err("connection refused".into())
//!     }
//! }
//!
//! let health = Health::new(&HealthConfig::default(), &Tasks::new(), &Registry::new());
//! let registration = health.register("database", CheckConfig::default(), Arc::new(Database));
//! health.started();
//! assert!(!health.is_ready(), "a critical check has to pass first");
//! assert_eq!(health.liveness().status, Status::Pass);
//! drop(registration);
//! assert!(health.is_ready());
//! # }
//! ```
//!
//! # When a dependency dies
//! Readiness fails at most one [`interval`](CheckConfig::interval) later, also when the dependency hangs rather than
//! refuses, as long as the [`failure_threshold`](CheckConfig::failure_threshold) is 1.
mod check;
mod config;
mod progress;
mod recorder;
mod report;
mod runner;
mod service;
mod shared;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use self::report::{error_text, panic_text};
pub use self::{
    check::Check,
    config::{CheckConfig, Criticality, HealthConfig},
    report::{CheckReport, Report, Status},
    service::{Health, Registration},
};
