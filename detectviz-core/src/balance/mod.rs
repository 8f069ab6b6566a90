//! Which endpoint gets the call.
//!
//! A policy reads one immutable [`EndpointSet`](crate::discovery::EndpointSet) and keeps a few atomics of its own, so that
//! choosing is wait-free and a new set needs no hand-over.
//!
//! ```
//! use detectviz_core::{balance::RoundRobin, discovery::{Endpoint, EndpointSet}};
//!
//! let set = EndpointSet::new("orders", vec![Endpoint::new("10.0.0.1", 80), Endpoint::new("10.0.0.2", 80)]);
//! let turns = RoundRobin::new();
//! let first = turns.pick(&set).expect("two endpoints are ready");
//! let second = turns.pick(&set).expect("two endpoints are ready");
//! assert_ne!(first, second);
//! ```
mod error;
mod round_robin;

pub use self::{error::NoEndpoints, round_robin::RoundRobin};
