//! Deadlines of calls, most of which never pass.
//!
//! A server keeps one deadline per request in flight and cancels nearly all of them within milliseconds. tokio's timer
//! is made for deadlines that pass: each takes a lock that all requests share to come and to go, and one that is the
//! earliest of all wakes the driver with a system call. Here a deadline is put into a place that its thread keeps ready; one
//! task looks at the places when the earliest deadline of many has come, and finds that they have changed hands since.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::resilience::timer::{Passed, Timer};
//! use std::time::{Duration, Instant};
//!
//! let timer = Timer::new();
//! let deadline = Instant::now() + Duration::from_millis(5);
//! let stuck = timer.timeout_at(deadline, std::future::pending::<()>());
//! assert_eq!(stuck.await, Err(Passed));
//! # }
//! ```
//!
//! # What it costs
//! Nothing is allocated once a thread has had as many deadlines at a time before. The driver is woken, which may be a system
//! call, when a deadline comes that is earlier than all that share its block of 32 places: as a rule once per length of a
//! deadline, not once per request. While anybody waits, the driver looks at every place once a second. Memory for the
//! most deadlines that there ever were at a time is kept: 64 bytes each.
//!
//! # Precision
//! A deadline never passes early, and is noticed within a few milliseconds while the runtime is not held up; tokio's
//! own timer counts in milliseconds.
mod alarm;
mod cache;
mod current;
mod driver;
mod entry;
mod future;
mod handle;
mod shared;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    entry::Entry,
    future::{Passed, TimeoutAt},
    handle::Timer,
};
