//! Services as processes of their own: how they start, what hostile clients can do to them, and how they end.
#![cfg(test)]

mod cli;
mod drain;
mod environment;
mod hostile;
mod idle;
mod panic;
mod secrets;
mod trace_context;
