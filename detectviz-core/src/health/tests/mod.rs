//! Behaviour of health: tables for the state, a paused clock for the service, real threads for what blocks.
mod service;
mod state;
mod threads;
