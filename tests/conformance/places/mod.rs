//! The stores that the body runs against.
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod clouds;
mod env;
mod file;
mod kubernetes;
mod vault;
