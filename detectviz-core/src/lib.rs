//! The trunk of detectviz.
pub mod discovery;
pub mod error;
pub mod secret;
pub mod task;
pub mod telemetry;
