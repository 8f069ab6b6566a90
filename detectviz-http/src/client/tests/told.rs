//! A source of endpoints that tests hold in hand.
use async_trait::async_trait;
use detectviz_core::discovery::{
    DiscoveryError, DiscoveryErrorKind, Endpoint, EndpointPublisher, EndpointSet, EndpointWatch,
    ServiceDiscoveryProvider, ServiceInstance,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::sync::Semaphore;

/// Knows what it is told, counts questions, and answers when it may.
pub(super) struct Told {
    pub(super) services: Mutex<HashMap<String, EndpointPublisher>>,
    pub(super) asked: AtomicUsize,
    pub(super) may_answer: Semaphore,
    pub(super) broken: bool,
}

impl Told {
    pub(super) fn new() -> Self {
        Self {
            services: Mutex::default(),
            asked: AtomicUsize::new(0),
            may_answer: Semaphore::new(Semaphore::MAX_PERMITS),
            broken: false,
        }
    }

    pub(super) fn tell(&self, service: &str, endpoints: Vec<Endpoint>) {
        let set = EndpointSet::new(service, endpoints);
        let mut services = self.services.lock().unwrap();
        match services.get(service) {
            Some(publisher) => {
                publisher.publish(set);
            }
            None => {
                services.insert(service.to_owned(), EndpointPublisher::new(set));
            }
        }
    }
}

#[async_trait]
impl ServiceDiscoveryProvider for Told {
    fn name(&self) -> &str {
        "told"
    }

    async fn register(&self, _: &ServiceInstance) -> Result<(), DiscoveryError> {
        Ok(())
    }

    async fn deregister(&self, _: &ServiceInstance) -> Result<(), DiscoveryError> {
        Ok(())
    }

    async fn instances(&self, service: &str) -> Result<Arc<EndpointSet>, DiscoveryError> {
        Ok(self.watch(service).await?.latest())
    }

    async fn watch(&self, service: &str) -> Result<EndpointWatch, DiscoveryError> {
        self.asked.fetch_add(1, SeqCst);
        let _permit = self.may_answer.acquire().await.unwrap();
        if self.broken {
            let kind = DiscoveryErrorKind::Unavailable;
            return Err(DiscoveryError::new(kind, service, "start the registry"));
        }
        let services = self.services.lock().unwrap();
        services
            .get(service)
            .map(EndpointPublisher::subscribe)
            .ok_or_else(|| {
                DiscoveryError::new(DiscoveryErrorKind::UnknownService, service, "list it")
            })
    }
}
