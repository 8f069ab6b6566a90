//! The contract of whoever knows where services are.
use super::{DiscoveryError, EndpointSet, EndpointWatch, ServiceInstance};
use async_trait::async_trait;
use std::sync::Arc;

/// A source of endpoints.
///
/// # Cancel safety
/// Every future may be dropped; what was registered before stays registered.
#[async_trait]
pub trait ServiceDiscoveryProvider: Send + Sync + 'static {
    /// A name for logs, metrics and health checks, such as `static`.
    fn name(&self) -> &str;

    /// Tells callers of the service that `instance` is there.
    ///
    /// # Errors
    /// `Unsupported` where the source takes no registrations, else as the source answers.
    async fn register(&self, instance: &ServiceInstance) -> Result<(), DiscoveryError>;

    /// Takes `instance` back. Taking back what was never registered is no error.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    async fn deregister(&self, instance: &ServiceInstance) -> Result<(), DiscoveryError>;

    /// The endpoints of `service` as they are now.
    ///
    /// # Errors
    /// `UnknownService` when the source says so; `Unavailable` when it could not be asked and nothing is known yet.
    async fn instances(&self, service: &str) -> Result<Arc<EndpointSet>, DiscoveryError>;

    /// Follows the endpoints of `service`. Errors of the source after the first answer keep the last good set.
    ///
    /// # Errors
    /// As [`instances`](Self::instances).
    async fn watch(&self, service: &str) -> Result<EndpointWatch, DiscoveryError>;
}
