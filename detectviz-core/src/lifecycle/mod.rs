//! The lifecycle: start in order, serve, drain, flush.
mod phase;

pub use self::phase::{Phase, PhaseControl, PhaseWatch};
