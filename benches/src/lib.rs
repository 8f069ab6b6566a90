//! What benches and gates share: a counting allocator, log lines, and a request with the stack that it goes through.
pub mod allocations;
pub mod client;
pub mod kept;
pub mod lines;
pub mod request;
pub mod rounds;
pub mod subject;
#[cfg(feature = "peers")]
pub mod usual;
