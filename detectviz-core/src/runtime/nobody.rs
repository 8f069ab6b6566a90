//! The providers of a service that has none.
use crate::{
    discovery::{
        DiscoveryError, DiscoveryErrorKind, EndpointSet, EndpointWatch, ServiceDiscoveryProvider,
        ServiceInstance,
    },
    secret::{SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider},
};
use async_trait::async_trait;
use std::sync::Arc;

/// Keeps no secrets.
#[derive(Debug)]
pub(super) struct NoSecrets;

/// Knows no service.
#[derive(Debug)]
pub(super) struct NoDiscovery;

impl NoSecrets {
    fn refuse(reference: &SecretRef) -> SecretError {
        SecretError::new(
            SecretErrorKind::UnknownScheme,
            reference,
            "this program has no secrets provider: give its builder one with `secrets(…)`",
        )
    }
}

#[async_trait]
impl SecretsProvider for NoSecrets {
    fn name(&self) -> &str {
        "none"
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Err(Self::refuse(reference))
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Err(Self::refuse(reference))
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        Err(Self::refuse(reference))
    }
}

impl NoDiscovery {
    fn refuse(service: &str) -> DiscoveryError {
        DiscoveryError::new(
            DiscoveryErrorKind::UnknownService,
            service,
            "this program has no service discovery: give its builder one with `discovery(…)`",
        )
    }
}

#[async_trait]
impl ServiceDiscoveryProvider for NoDiscovery {
    fn name(&self) -> &str {
        "none"
    }

    async fn register(&self, instance: &ServiceInstance) -> Result<(), DiscoveryError> {
        Err(Self::refuse(&instance.service))
    }

    async fn deregister(&self, instance: &ServiceInstance) -> Result<(), DiscoveryError> {
        Err(Self::refuse(&instance.service))
    }

    async fn instances(&self, service: &str) -> Result<Arc<EndpointSet>, DiscoveryError> {
        Err(Self::refuse(service))
    }

    async fn watch(&self, service: &str) -> Result<EndpointWatch, DiscoveryError> {
        Err(Self::refuse(service))
    }
}
