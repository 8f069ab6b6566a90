//! The provider for Vault and OpenBao against a server of the documented API.
#![cfg(test)]

mod auth;
mod environment;
mod faults;
mod leases;
mod memory;
mod nodes;
mod process;
mod reads;
mod rotation;
mod session;
mod support;
mod tls;
