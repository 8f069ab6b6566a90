//! Which endpoint gets the call, and which gets none for a while.
//!
//! A [`Balancer`] keeps an immutable snapshot of the endpoints that may be chosen; [`pick`](Balancer::pick) reads it without a
//! lock, and [`update`](Balancer::update) builds the next one beside it. What is known of an endpoint (how long it takes, how
//! many calls it has, whether it is ejected, what the transport keeps for it) outlives the snapshots. Calls say how they ended
//! by [`Picked::finish`].
//!
//! ```
//! use detectviz_core::{
//!     balance::{BalanceConfig, Balancer, Outcome, PickContext},
//!     discovery::{Endpoint, EndpointSet},
//! };
//! use std::time::Instant;
//!
//! let now = Instant::now();
//! // What the transport keeps for an endpoint; a pool of connections, say.
//! let balancer = Balancer::new("orders", &BalanceConfig::default(), now, |e| Some(e.authority()));
//! let endpoints = vec![Endpoint::new("10.0.0.1", 80), Endpoint::new("10.0.0.2", 80)];
//! balancer.update(&EndpointSet::new("orders", endpoints), now);
//!
//! let picked = balancer.pick(&PickContext::new(now, fastrand::u64(..))).expect("two are ready");
//! assert!(picked.transport().starts_with("10.0.0."));
//! picked.finish(Outcome::Success, Instant::now());
//! ```
//!
//! # Who is chosen
//! The [`Policy`] chooses among the endpoints that are ready and of a weight. Passed over, while there is anybody else, are those
//! that are [ejected](OutlierConfig), those with as many calls in flight as [they may have](EndpointLimits), those that asked to
//! be left alone by `Retry-After`, and those that [earlier attempts](PickContext::exclude) were given. An endpoint that joins
//! others is [warmed up](SlowStartConfig).
//!
//! # Fast failures
//! An endpoint that fails within a millisecond would be the fastest. A failure therefore counts as a latency of its own:
//! twice the endpoint's average, at least twice the mean of all.
mod balancer;
mod choose;
mod config;
mod context;
mod draft;
mod endpoint;
mod error;
mod ewma;
mod gate;
mod handle;
mod outcome;
mod picked;
mod policy;
mod recorder;
mod settings;
mod shared;
mod snapshot;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod tick;
mod vitals;

pub use self::{
    balancer::{Balancer, Picker},
    config::{BalanceConfig, EndpointLimits, OutlierConfig, Policy, RingConfig, SlowStartConfig},
    context::{PickContext, Tried},
    endpoint::EndpointId,
    error::{NoEndpoints, NoEndpointsReason},
    handle::{BalancerHandle, EndpointStatus, EndpointView},
    outcome::{EjectionReason, FailureKind, Outcome},
    picked::Picked,
    policy::hash_of,
    recorder::BalanceMetrics,
};
