//! HTTP for detectviz.
pub mod names;
pub mod error;
pub mod conn;
pub mod body;
pub mod propagation;
pub mod route;
pub mod catch_panic;
pub mod trace;
pub mod observe;
pub mod probe;
pub mod stack;
pub mod server;
pub mod admin;
pub mod client;
pub mod kinds;
