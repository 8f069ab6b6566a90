//! The stores that the body runs against.
mod env;
mod file;
mod vault;
