//! Where is X: endpoints of services, and the contract of whoever knows them.
//!
//! ```
//! use detectviz_core::discovery::{Endpoint, EndpointSet};
//!
//! let set = EndpointSet::new("orders", vec![Endpoint::new("127.0.0.1", 8081).with_zone("a")]);
//! assert_eq!(set.endpoints()[0].authority(), "127.0.0.1:8081");
//! assert_eq!(set.usable().count(), 1);
//! ```
mod endpoint;
mod error;
mod provider;
mod set;
#[cfg(test)]
mod tests;

pub use self::{
    endpoint::{Conditions, Endpoint, ServiceInstance},
    error::{DiscoveryError, DiscoveryErrorKind},
    provider::ServiceDiscoveryProvider,
    set::{EndpointPublisher, EndpointSet, EndpointWatch},
};
