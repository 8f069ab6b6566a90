//! The stores that the body runs against.
mod env;
mod file;
mod kubernetes;
mod vault;
