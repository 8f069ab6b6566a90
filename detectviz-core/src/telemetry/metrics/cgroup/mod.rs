//! What the control group of the process uses, and what it may use.
//!
//! Control groups are read in version 2 and, where only that is mounted, version 1. What is not limited or cannot be read is
//! absent.
//!
//! ```
//! use detectviz_core::telemetry::metrics::cgroup;
//! use std::path::Path;
//!
//! // The CPUs that a container with `resources.limits.cpu: 1500m` may use: 1.5. Without a limit, `None`.
//! let cpus = cgroup::cpu_limit(Path::new("/"));
//! assert!(cpus.is_none_or(|cpus| cpus > 0.0));
//! ```
mod collector;
mod source;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    collector::register,
    source::{cpu_limit, memory_utilization},
};
