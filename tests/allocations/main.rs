//! What allocates nothing once it is warm, by the counting allocator that the benches have too.
//!
//! Each thread has a counter of its own, so that these tests may run beside each other.
mod client;
mod log_lines;
mod policies;
mod routes;
mod secrets;
mod server;
