//! Telemetry: JSON logs, traces and metrics of one runtime.
//!
//! Each part stands alone; [`Telemetry`] joins them for a runtime.
pub mod context;
pub mod propagation;
pub mod metrics;
pub mod span;
pub mod logs;
pub mod hub;
#[cfg(feature = "otlp")]
pub mod otlp;
mod config;
mod pipeline;

pub use self::{
    config::{MetricsConfig, TelemetryConfig},
    pipeline::{Origin, Telemetry},
};
