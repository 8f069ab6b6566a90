//! The keeper itself.
use super::{
    CacheConfig,
    driver::{Driver, Order},
    entry::Entry,
    recorder::{Outcome, Recorder},
    shared::{Begun, How, Shared},
    state::Act,
    view,
};
use crate::store::{Store, StoreEvents};
use async_trait::async_trait;
use detectviz_core::{
    clock,
    error::BoxError,
    health::Check,
    secret::{SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider},
    task::Tasks,
    telemetry::metrics::Registry,
};
use std::{fmt, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// Keeps the secrets of one store: see the [module](super).
///
/// # Clone
/// Clones are the same keeper.
#[derive(Clone)]
pub struct Keeper {
    shared: Arc<Shared>,
    orders: mpsc::UnboundedSender<Order>,
}

// === impl Keeper ===

impl Keeper {
    /// Takes over `store`; what goes on in the background runs on `tasks`.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn new(store: impl Store, config: CacheConfig, tasks: &Tasks) -> Self {
        Self::with_metrics(store, config, tasks, &Registry::new())
    }

    /// As [`new`](Self::new), and counts on `registry`.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn with_metrics(
        store: impl Store,
        config: CacheConfig,
        tasks: &Tasks,
        registry: &Registry,
    ) -> Self {
        let (releases, released) = mpsc::unbounded_channel();
        let (orders, ordered) = mpsc::unbounded_channel();
        let (events, happened) = StoreEvents::channel();
        store.attach(events);
        let recorder = Recorder::new(registry, store.name());
        let shared = Arc::new(Shared::new(
            Arc::new(store),
            config,
            recorder,
            tasks.clone(),
            releases,
        ));
        registry.collect_from(&shared, view::collect);
        let driver = Driver::new(Arc::clone(&shared), happened, released, ordered);
        tasks.spawn("secrets", driver.run(tasks.token()));
        Self { shared, orders }
    }

    /// Looks after the secret behind `reference` from the first time that it is had, also while nobody uses it.
    pub fn pin(&self, reference: &SecretRef) {
        let entry = self.shared.entry(reference, clock::now());
        entry.lock().pinned = true;
        self.shared.wake.notify_one();
    }

    /// What is kept, without the values: an object by reference.
    #[must_use]
    pub fn view(&self) -> serde_json::Value {
        view::view(&self.shared)
    }

    /// Lets go of every secret, waits until leases that nobody holds are revoked, and logs out of the store. From then on
    /// every call fails, and watches have ended.
    ///
    /// # Cancel safety
    /// What was begun goes on in the background until the tasks of the keeper are cancelled.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close(done)).is_ok() {
            let _ = closed.await;
        }
    }

    async fn ask(
        &self,
        reference: &SecretRef,
        how: How,
    ) -> Result<(Arc<Entry>, SecretBundle), SecretError> {
        let entry = self.shared.entry(reference, clock::now());
        let (answer, outcome) = self.answer(&entry, how).await;
        self.shared.recorder.got(outcome);
        // The error of a fetch that others share names the bundle; whoever asked wants to read what they wrote.
        let bundle = answer.map_err(|err| err.of(reference))?;
        if reference.field().is_some() {
            bundle.value(reference)?;
        }
        Ok((entry, bundle))
    }

    async fn answer(
        &self,
        entry: &Arc<Entry>,
        how: How,
    ) -> (Result<SecretBundle, SecretError>, Outcome) {
        loop {
            let (flight, stale) = match self.shared.begin(entry, how, clock::now()) {
                Begun::Answer(answer, outcome) => return (answer, outcome),
                Begun::Wait { flight, stale } => (flight, stale),
            };
            let act = flight.act;
            match flight.landed().await {
                // A renewal answers nobody; what is there now is seen in the next round.
                Some(_) if act == Act::Renew => {}
                Some(Ok(bundle)) => return (Ok(bundle), Outcome::Fetched),
                Some(Err(err)) => {
                    let latest = entry.lock().latest().filter(|_| stale);
                    let failed = Outcome::Failed(err.kind());
                    return latest.map_or((Err(err), failed), |kept| (Ok(kept), Outcome::Stale));
                }
                None => {
                    let kind = SecretErrorKind::Unavailable;
                    let remedy = "the service is stopping";
                    let err = SecretError::new(kind, &entry.reference, remedy);
                    return (Err(err), Outcome::Failed(kind));
                }
            }
        }
    }
}

#[async_trait]
impl SecretsProvider for Keeper {
    fn name(&self) -> &str {
        self.shared.store.name()
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Ok(self.ask(reference, How::Cached).await?.1)
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Ok(self.ask(reference, How::Again).await?.1)
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        let (entry, _) = self.ask(reference, How::Cached).await?;
        let watch = entry.lock().publisher.as_ref().map(|p| p.subscribe());
        self.shared.wake.notify_one();
        watch.ok_or_else(|| {
            let remedy = "the service is stopping";
            SecretError::new(SecretErrorKind::Unavailable, reference, remedy)
        })
    }
}

#[async_trait]
impl Check for Keeper {
    /// Fails while a secret that was had cannot be had again, and while the store itself says that it cannot be asked.
    async fn check(&self) -> Result<(), BoxError> {
        let failing = view::failing(&self.shared);
        if !failing.is_empty() {
            return Err(failing.into());
        }
        self.shared.store.check().await
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("store", &self.shared.store.name())
            .finish_non_exhaustive()
    }
}
