//! The trunk of detectviz.
pub mod error;
pub mod names;
pub mod task;
pub mod secret;
pub mod discovery;
pub mod messaging;
pub mod config;
pub mod telemetry;
pub mod health;
pub mod lifecycle;
pub mod resilience;
pub mod balance;
pub mod runtime;
