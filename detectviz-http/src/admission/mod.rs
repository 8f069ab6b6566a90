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
//! The limits are [settings](AdmissionConfig), for the whole server and for each route. [`Admission`] changes them while
//! requests run, and [`AdmissionHandle`] looks at them.
//!
//! ```
//! use detectviz_core::resilience::bulkhead::BulkheadConfig;
//! use detectviz_http::admission::AdmissionConfig;
//!
//! let limit = BulkheadConfig::default().max_concurrent(200).max_queue(50);
//! let config = AdmissionConfig::default().concurrency(limit);
//! ```
//!
//! # Who is told, and whose word counts
//! A caller to whom a rate limit applies reads in `RateLimit-Policy` and `RateLimit` how much it has left, so that it can slow
//! down before it is refused ([`RateLimitHeaders`]). What callers say of deadlines counts when they come from networks that are
//! [trusted](Trust), behind a proxy when the proxy does. How much a request matters is for its route to say: a header that
//! every client can set would make all of them critical.
//!
//! # What is off unless set
//! The limits on concurrency are in force from the start: they bound what a server takes on, and who waits too long is refused.
//! Shedding and the adaptive limit judge by signals that a healthy service may give as well, which only its owner can tell:
//! - memory: caches and allocators that keep what they have fill a control group to 95 % and stay there, and shedding would
//!   never end;
//! - queue delay: a control group with a small quota is throttled for most of each 100 ms, and a handler that computes for 50 ms
//!   delays all others, without any overload;
//! - CPU: a batch job may well use all of it;
//! - the adaptive limit takes requests that differ a lot in length for a queue.
//!
//! Envoy's overload manager and its adaptive concurrency filter are off by default for the same reasons. Shedding can be
//! switched on in the file while the server runs.
//!
//! # What is counted
//! A request holds its permit until its handler has answered with a head. A body that is streamed after that, an event stream
//! or a WebSocket counts no more: how many of those there are is the limit of connections' to say.
mod allowance;
mod config;
mod gate;
mod handle;
mod plan;
mod refusal;
mod shedding;
mod snapshot;
#[cfg(test)]
mod tests;
mod trust;

pub(crate) use self::{
    allowance::Allowance,
    gate::{Arrival, Held, Verdict, asked},
    refusal::Refused,
};
pub use self::{
    config::{AdmissionConfig, RateLimitHeaders, RouteAdmissionConfig},
    gate::Admission,
    handle::AdmissionHandle,
    snapshot::{
        AdaptiveSnapshot, AdmissionSnapshot, ConcurrencySnapshot, RateLimitSnapshot,
        RouteAdmissionSnapshot, ShedSnapshot,
    },
    trust::Trust,
};
pub use detectviz_core::resilience::priority::Priority;
