//! Gates that noise cannot move: allocations, instructions and system calls per request.
//!
//! The programs are built in release mode; [`programs`] says which.
mod allocations;
mod client;
mod instructions;
mod programs;
mod server;
mod system_calls;
