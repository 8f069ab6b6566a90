//! What the process uses, under the names that Prometheus gives these metrics in every language.
//!
//! They are read from `/proc` at each scrape, and are absent where it is not there or cannot be read.
//!
//! ```
//! use detectviz_core::telemetry::metrics::{Registry, process};
//! use std::path::Path;
//!
//! let registry = Registry::new();
//! process::register(&registry, Path::new("/"));
//! # #[cfg(target_os = "linux")]
//! assert!(registry.snapshot().value("process_open_fds", &[]).is_some());
//! ```
mod collector;
mod source;
mod state;
#[cfg(test)]
mod tests;

pub use self::collector::register;
