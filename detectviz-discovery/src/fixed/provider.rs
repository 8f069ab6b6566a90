//! The provider.
use super::StaticConfig;
use async_trait::async_trait;
use detectviz_core::discovery::{
    DiscoveryError, DiscoveryErrorKind, EndpointPublisher, EndpointSet, EndpointWatch,
    ServiceDiscoveryProvider, ServiceInstance,
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Knows the endpoints that it was told.
#[derive(Debug)]
pub struct StaticProvider {
    services: RwLock<HashMap<String, EndpointPublisher>>,
}

impl StaticProvider {
    /// Knows the endpoints of `config`.
    #[must_use]
    pub fn new(config: &StaticConfig) -> Self {
        let provider = Self {
            services: RwLock::default(),
        };
        provider.replace(config);
        provider
    }

    /// Takes the endpoints of another configuration; those who watch see the change. A service that is no longer listed
    /// is left without endpoints.
    pub fn replace(&self, config: &StaticConfig) {
        let mut services = self
            .services
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (name, publisher) in services.iter() {
            if !config.services.contains_key(name) {
                publisher.publish(EndpointSet::new(name, Vec::new()));
            }
        }
        for (name, endpoints) in &config.services {
            let endpoints = endpoints.iter().filter_map(|e| e.parse()).collect();
            let set = EndpointSet::new(name, endpoints);
            match services.get(name) {
                Some(publisher) => {
                    publisher.publish(set);
                }
                None => {
                    services.insert(name.clone(), EndpointPublisher::new(set));
                }
            }
        }
    }

    fn find(&self, service: &str) -> Result<EndpointWatch, DiscoveryError> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        let found = services.get(service).map(EndpointPublisher::subscribe);
        found.ok_or_else(|| {
            DiscoveryError::new(
                DiscoveryErrorKind::UnknownService,
                service,
                "list it under `services` of the static discovery, with its endpoints",
            )
        })
    }
}

#[async_trait]
impl ServiceDiscoveryProvider for StaticProvider {
    fn name(&self) -> &str {
        "static"
    }

    async fn register(&self, instance: &ServiceInstance) -> Result<(), DiscoveryError> {
        Err(DiscoveryError::new(
            DiscoveryErrorKind::Unsupported,
            &instance.service,
            "add the instance to the configuration of those who call it",
        ))
    }

    async fn deregister(&self, instance: &ServiceInstance) -> Result<(), DiscoveryError> {
        self.register(instance).await
    }

    async fn instances(&self, service: &str) -> Result<Arc<EndpointSet>, DiscoveryError> {
        Ok(self.find(service)?.latest())
    }

    async fn watch(&self, service: &str) -> Result<EndpointWatch, DiscoveryError> {
        self.find(service)
    }
}
