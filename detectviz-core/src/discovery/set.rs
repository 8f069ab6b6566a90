//! The endpoints of one service at one moment, and how they change.
use super::Endpoint;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::watch;

/// All endpoints of one service at one moment; immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSet {
    service: String,
    endpoints: Vec<Endpoint>,
}

/// Feeds the [`EndpointWatch`]es of one service.
#[derive(Clone, Debug)]
pub struct EndpointPublisher {
    latest: Arc<ArcSwap<EndpointSet>>,
    changed: watch::Sender<u64>,
}

/// Follows the endpoints of one service.
///
/// # Clone
/// A clone has seen what the original has seen, and follows on its own.
#[derive(Clone, Debug)]
pub struct EndpointWatch {
    latest: Arc<ArcSwap<EndpointSet>>,
    changed: watch::Receiver<u64>,
}

// === impl EndpointSet ===

impl EndpointSet {
    /// A set of endpoints; the order is kept.
    #[must_use]
    pub fn new(service: impl Into<String>, endpoints: Vec<Endpoint>) -> Self {
        Self {
            service: service.into(),
            endpoints,
        }
    }

    /// The service that they belong to.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Every endpoint that is known, usable or not.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The endpoints that may be given a call: the ready ones or, when there is none, those that are leaving and still
    /// serve (Kubernetes' rule for terminating endpoints, KEP-1669).
    pub fn usable(&self) -> impl Iterator<Item = &Endpoint> {
        let any_ready = self.endpoints.iter().any(|e| e.conditions.ready);
        self.endpoints.iter().filter(move |e| {
            let c = e.conditions;
            if any_ready { c.ready } else { c.serving }
        })
    }
}

// === impl EndpointPublisher ===

impl EndpointPublisher {
    /// Starts with what is known.
    #[must_use]
    pub fn new(first: EndpointSet) -> Self {
        Self {
            latest: Arc::new(ArcSwap::from_pointee(first)),
            changed: watch::Sender::new(0),
        }
    }

    /// Publishes `next` and says whether it differs from the latest.
    pub fn publish(&self, next: EndpointSet) -> bool {
        self.changed.send_if_modified(|generation| {
            if **self.latest.load() == next {
                return false;
            }
            self.latest.store(Arc::new(next));
            *generation += 1;
            true
        })
    }

    /// A watch that has seen the latest set.
    #[must_use]
    pub fn subscribe(&self) -> EndpointWatch {
        EndpointWatch {
            latest: Arc::clone(&self.latest),
            changed: self.changed.subscribe(),
        }
    }
}

// === impl EndpointWatch ===

impl EndpointWatch {
    /// The latest set. Wait-free.
    #[must_use]
    pub fn latest(&self) -> Arc<EndpointSet> {
        self.latest.load_full()
    }

    /// Waits for a set that this watch has not yet returned or started with. `None` when the provider has stopped; the
    /// latest set stays good.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn changed(&mut self) -> Option<Arc<EndpointSet>> {
        self.changed.changed().await.ok()?;
        self.changed.mark_unchanged();
        Some(self.latest.load_full())
    }
}
