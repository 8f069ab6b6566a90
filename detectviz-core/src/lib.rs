//! The trunk of detectviz: what a Rust microservice needs to live on Kubernetes, whatever protocol it speaks.
//!
//! | module | answers |
//! |---|---|
//! | [`error`] | why could the service not run, and with which exit code does it end? |
//! | [`clock`] | what time is it, by the clock that a test may pause, and by that of the system? |
//! | [`spare`] | what is kept so that nothing is allocated on the request path? |
//! | [`task`] | what runs in the background, and has it ended? |
//! | [`secret`], [`discovery`], [`messaging`] | the contracts of those who know passwords, endpoints and messages |
//! | [`config`] | how is it tuned, where does each value come from, and what is wrong with it? |
//! | [`telemetry`] | what happened: logs, traces, metrics |
//! | [`health`] | does this process deserve traffic? |
//! | [`lifecycle`] | what starts when, and how does it end without losing anything? |
//! | [`resilience`], [`balance`] | how is a call protected, and which endpoint gets it? |
//! | [`runtime`] | all of it, joined: from the command line to the exit code |
//!
//! Each module stands alone, and uses only those above it. A service usually starts with a [`runtime::Builder`]; whoever wants
//! one thing takes one module, without the runtime and without our configuration files.
//!
//! # Features
//! - `otlp` (default): export of spans and metrics to an OpenTelemetry Collector. Without it spans are not recorded.
//! - `test-util`: the probe of the `tower` contract that our own layers are tested with.
//!
//! # What is not promised
//! The wording of messages, of log lines and of `Debug` output may change in any release; the names of metrics, of log fields and
//! of configuration keys only in a breaking one.
mod sync;
pub mod clock;
mod shard;
mod origin;
pub mod spare;
mod short;
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
