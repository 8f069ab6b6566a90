//! The provider.
use super::{FileConfig, reader::Reader};
use crate::flight::{Fields, Flight, Flights};
use async_trait::async_trait;
use detectviz_core::{
    secret::{SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider},
    task::Tasks,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Reads secrets from files and follows them.
///
/// # Clone
/// Clones share what was read and the polling.
#[derive(Clone, Debug)]
pub struct FileProvider {
    shared: Arc<Shared>,
    tasks: Tasks,
}

#[derive(Debug)]
struct Shared {
    reader: Reader,
    flights: Flights,
    polled: Mutex<HashSet<SecretRef>>,
}

// === impl FileProvider ===

impl FileProvider {
    /// Reads as `config` says; the polling of watched secrets runs on `tasks`.
    #[must_use]
    pub fn new(config: FileConfig, tasks: &Tasks) -> Self {
        Self {
            shared: Arc::new(Shared {
                reader: Reader::new(config),
                flights: Flights::default(),
                polled: Mutex::default(),
            }),
            tasks: tasks.clone(),
        }
    }

    async fn ask(&self, reference: &SecretRef) -> Result<(Arc<Flight>, SecretBundle), SecretError> {
        let flight = self.shared.flights.of(reference);
        let bundle = flight.ask(|| self.fetch(reference)).await?;
        if reference.field().is_some() {
            bundle.value(reference)?;
        }
        Ok((flight, bundle))
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fields, SecretError> {
        let shared = Arc::clone(&self.shared);
        let wanted = reference.bundle();
        let read = self
            .tasks
            .spawn_blocking("secret file", move || shared.read(&wanted));
        read.await.unwrap_or_else(|err| {
            Err(SecretError::new(
                SecretErrorKind::Unavailable,
                reference,
                "try again: the read was cut short",
            )
            .with_source(err))
        })
    }

    /// Reads the secret again and again while somebody follows it.
    fn poll(&self, reference: SecretRef, flight: Arc<Flight>) {
        if !self.shared.polled().insert(reference.clone()) {
            return;
        }
        let this = self.clone();
        let stopping = self.tasks.token();
        self.tasks.spawn("secret file watch", async move {
            let mut failing = false;
            let mut ticks = tokio::time::interval(this.shared.reader.config().poll_interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while flight.is_watched() {
                tokio::select! {
                    () = stopping.cancelled() => break,
                    _ = ticks.tick() => {}
                }
                let failed = flight.ask_again(|| this.fetch(&reference)).await.err();
                if let Some(err) = failed.as_ref().filter(|_| !failing) {
                    tracing::warn!(error = %err, "the last good value of a secret is kept");
                }
                failing = failed.is_some();
            }
            this.shared.polled().remove(&reference);
        });
    }
}

#[async_trait]
impl SecretsProvider for FileProvider {
    fn name(&self) -> &str {
        "file"
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Ok(self.ask(reference).await?.1)
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        self.get(reference).await
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        let (flight, bundle) = self.ask(reference).await?;
        let watch = flight.watch(bundle);
        self.poll(reference.bundle(), flight);
        Ok(watch)
    }
}

// === impl Shared ===

impl Shared {
    fn read(&self, reference: &SecretRef) -> Result<Fields, SecretError> {
        Ok(self.reader.read(reference)?.fields)
    }

    fn polled(&self) -> std::sync::MutexGuard<'_, HashSet<SecretRef>> {
        self.polled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
