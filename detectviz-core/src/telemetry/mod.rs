//! Telemetry: JSON logs, traces and metrics of one runtime.
pub mod context;
