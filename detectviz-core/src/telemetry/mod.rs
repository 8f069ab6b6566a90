//! Telemetry: JSON logs, traces and metrics of one runtime.
pub mod context;
pub mod metrics;
pub mod span;
pub mod logs;
pub mod hub;
#[cfg(feature = "otlp")]
pub mod otlp;
