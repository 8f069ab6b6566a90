//! The lifecycle: start in order, serve, drain, flush.
mod config;
mod phase;
mod state;
mod order;
mod signals;
mod failures;
mod outcome;
mod parts;
mod hooks;
mod ending;
mod service;

pub use self::{
    config::ShutdownConfig,
    failures::Failures,
    outcome::Outcome,
    phase::{Phase, PhaseControl, PhaseWatch},
    service::{Lifecycle, Running},
    signals::{Signal, SignalSender, Signals},
    state::Step,
};
