//! A panic in a handler becomes a 500.
//!
//! The outermost part of the [stack](crate::stack). A panic while the service is called or its future is polled is caught,
//! logged as one ERROR line with the ids of its trace (and, where the runtime's panic hook is, with its place and thread), counted, and answered with problem+json. The service and the
//! connection live on: the future that panicked is dropped and nothing else.
//!
//! # What is not caught
//! A panic while a response body is polled: its head is sent, so the connection breaks. And panics in a program built with
//! `panic = "abort"`.
//!
//! # Unwind safety
//! What a handler shares with others, such as a map behind a mutex, may be left half-changed, as with any panic that a
//! thread survives.
mod recorder;
#[cfg(test)]
mod tests;

pub(crate) use self::recorder::{CAUGHT, Recorder};
