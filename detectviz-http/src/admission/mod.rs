//! Which requests a server takes on, and which it refuses while it still can.
//!
//! ```text
//! priority ▸ deadline ▸ rate limits ▸ shedding ▸ concurrency limit of the route ▸ concurrency limit of the server ▸ handler
//! ```
//!
//! A server that takes on more than it can do answers nobody in time. What is beyond its limits is refused at once, with a
//! status that says what to do: 429 for a caller that sends more than its share, 503 for what nobody can be served now, both
//! with `Retry-After`. Requests of [priority](Priority) `critical`, which probes are, are never refused here.
//!
//! A request whose deadline has passed is answered with 504: at once when it came too late, else when its time is up, and its
//! handler is dropped. What is left of the deadline goes along with every outgoing call.
//!
//! The limits are [settings](AdmissionConfig), for the whole server and for each route; [`Admission`] is the live view on them.
//!
//! ```
//! use detectviz_core::resilience::bulkhead::BulkheadConfig;
//! use detectviz_http::admission::AdmissionConfig;
//!
//! let limit = BulkheadConfig::default().max_concurrent(200).max_queue(50);
//! let config = AdmissionConfig::default().concurrency(limit);
//! ```
//!
//! # What is counted
//! A request holds its permit until its handler has answered with a head. A body that is streamed after that, an event stream
//! or a WebSocket counts no more: how many of those there are is the limit of connections' to say.
mod config;
mod gate;
mod plan;
mod refusal;
#[cfg(test)]
mod tests;

pub use self::{
    config::{AdmissionConfig, RouteAdmissionConfig},
    gate::Admission,
};
pub(crate) use self::{
    gate::{Arrival, Held, Verdict, asked},
    refusal::Refused,
};
pub use detectviz_core::resilience::priority::Priority;
