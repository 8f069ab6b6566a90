//! Trace context and baggage in and out of headers.
//!
//! [`Propagators::extract`] reads what a caller sent, [`Propagators::inject`] writes it on an outgoing request. W3C
//! `traceparent`/`tracestate` (level 2) and `baggage` are the default; B3, in one header or several, and Jaeger's
//! `uber-trace-id` are options for meshes that still speak them.
//!
//! ```
//! use detectviz_core::telemetry::context::Slot;
//! use detectviz_http::propagation::{PropagationConfig, Propagators};
//! use http::HeaderMap;
//!
//! let propagators = Propagators::new(&PropagationConfig::default());
//! let mut headers = HeaderMap::new();
//! headers.insert("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse()?);
//! headers.insert("tracestate", "vendor=1".parse()?);
//!
//! let caller = propagators.extract(&headers);
//! let parent = caller.parent.expect("the header is valid");
//! let mut slot = Slot::new(parent.child());
//! slot.tracestate = caller.tracestate;
//!
//! let mut outgoing = HeaderMap::new();
//! propagators.inject(&slot, &mut outgoing);
//! assert_eq!(outgoing["traceparent"], &slot.context.to_header()[..]);
//! assert_eq!(outgoing["tracestate"], "vendor=1");
//! # Ok::<(), http::header::InvalidHeaderValue>(())
//! ```
//!
//! # Bad input
//! A header that breaks its specification is dropped whole and reported in [`Extracted::malformed`]; a malformed or
//! repeated `traceparent` means that the trace starts anew. What is kept is bounded: 512 bytes of `tracestate`, 8192 of
//! `baggage`.
//!
//! # Allocation
//! Values are cut from a buffer of the thread that is used again once nobody holds a piece of it. A `tracestate` that
//! must be combined or cut, and `baggage` above 512 bytes, take an allocation.
mod b3;
mod baggage;
mod hex;
mod jaeger;
mod pool;
mod propagators;
mod traceparent;
mod tracestate;
#[cfg(test)]
mod tests;

pub(crate) use self::pool::keep;
pub use self::propagators::{Extracted, Malformed, Propagators};
pub use detectviz_core::telemetry::propagation::{Format, PropagationConfig};
