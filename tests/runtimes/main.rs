//! Several runtimes in one process stay apart. Every test of this suite runs in one process under `cargo test`, at the same
//! time as the others.
#![cfg(test)]

mod client;
mod config;
mod ends;
mod health;
mod host;
mod logs;
mod metrics;
mod traces;
