//! Stops calling a service that fails, and finds out with a few calls when it works again.
//!
//! A call to a service that is down costs the caller its time and the service what it needs to recover. A circuit watches
//! results over a sliding window; when too many failed or were slow it *opens*, and calls are refused at once. After a while
//! it is *half-open*: a few calls go through as probes and decide whether it closes or opens again, each time for longer.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{
//!     error::cause_ref,
//!     resilience::breaker::{BreakerConfig, BreakerLayer, Circuit, Open, State},
//!     telemetry::metrics::Registry,
//! };
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! let circuit = Circuit::new("orders", &BreakerConfig::default(), &Registry::new());
//! let handle = circuit.handle();
//! let down = service_fn(|()| async { Err::<(), _>(std::io::Error::other("down")) });
//! let orders = BreakerLayer::new(circuit).layer(down);
//! for _ in 0..20 {
//!     let err = orders.clone().oneshot(()).await.expect_err("it is down");
//!     assert!(cause_ref::<Open>(&*err).is_none());
//! }
//! assert_eq!(handle.state(), State::Open);
//! let err = orders.oneshot(()).await.expect_err("it is not called any more");
//! assert!(cause_ref::<Open>(&*err).is_some());
//! # }
//! ```
//!
//! The rules are those of resilience4j's `CircuitBreaker`, with linkerd's failure accrual as
//! [`consecutive_failures`](BreakerConfig::consecutive_failures); [`Circuit`] is the same without a service around it, and
//! [`BreakerHandle`] what operators see of it.
//!
//! # What counts
//! A [`Classify`] says of each result whether it is a success or a failure. The refusals of our own layers are neither, nor
//! is a call that its caller gave up, nor one that began before the circuit last changed its state.
//!
//! # What is exact
//! Of calls that are recorded one after another, everything, but for the step in which a window slides; see
//! [`WindowConfig`]. Of calls that threads record at the same moment the order is not known, so each may count as the first
//! of them. Windows are judged by every call that can change the verdict, and by no other: a success usually cannot.
//! However many ask, a half-open circuit lets exactly its number of probes through, and each transition happens once.
mod word;
mod limits;
mod tally;
mod cells;
mod window;
mod ticket;
mod transition;
mod last;
mod state;
mod config;
mod error;
mod classify;
mod recorder;
mod permit;
mod circuit;
mod handle;
mod future;
mod service;
mod layer;
#[cfg(test)]
mod tests;

pub use self::{
    circuit::Circuit,
    classify::{Classify, DefaultClassify, Outcome, is_refusal},
    config::{BreakerConfig, Mode, OpenConfig, WindowConfig},
    error::{IllegalTransition, Open},
    future::{Judged, ResponseFuture},
    handle::BreakerHandle,
    layer::BreakerLayer,
    permit::{OwnedPermit, Permit},
    recorder::{BreakerMetrics, register},
    service::Breaker,
    ticket::Ticket,
    transition::{Cause, Counts, Transition},
    word::State,
};
