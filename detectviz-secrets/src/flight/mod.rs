//! One fetch at a time for one secret: what every provider that asks a store shares.
use detectviz_core::secret::{
    Secret, SecretBundle, SecretError, SecretPublisher, SecretRef, SecretVersion, SecretWatch,
};
use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// For how long an answer, good or bad, serves those who ask again.
const FRESH: Duration = Duration::from_secs(1);

/// The fields of a secret as a store answers them.
pub(crate) type Fields = BTreeMap<String, Secret>;

/// The secrets of one provider that somebody asked for.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    entries: Mutex<HashMap<SecretRef, Arc<Flight>>>,
}

/// One secret: the last answer, and those who follow it.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    last: tokio::sync::Mutex<Option<Answer>>,
    publisher: Mutex<Option<SecretPublisher>>,
}

#[derive(Debug)]
struct Answer {
    at: Instant,
    result: Result<SecretBundle, SecretError>,
}

// === impl Flights ===

impl Flights {
    /// The flight of the bundle behind `reference`.
    pub(crate) fn of(&self, reference: &SecretRef) -> Arc<Flight> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(reference.bundle()).or_default())
    }
}

// === impl Flight ===

impl Flight {
    /// The last answer while it is fresh, else the answer of `fetch`. Whoever asks meanwhile waits for the same one.
    pub(crate) async fn ask<F>(
        &self,
        fetch: impl FnOnce() -> F,
    ) -> Result<SecretBundle, SecretError>
    where
        F: Future<Output = Result<Fields, SecretError>>,
    {
        self.ask_within(FRESH, fetch).await
    }

    /// The answer of `fetch`, whatever was answered before.
    pub(crate) async fn ask_again<F>(
        &self,
        fetch: impl FnOnce() -> F,
    ) -> Result<SecretBundle, SecretError>
    where
        F: Future<Output = Result<Fields, SecretError>>,
    {
        self.ask_within(Duration::ZERO, fetch).await
    }

    async fn ask_within<F>(
        &self,
        fresh: Duration,
        fetch: impl FnOnce() -> F,
    ) -> Result<SecretBundle, SecretError>
    where
        F: Future<Output = Result<Fields, SecretError>>,
    {
        let mut last = self.last.lock().await;
        if let Some(answer) = &*last
            && answer.at.elapsed() < fresh
        {
            return answer.result.clone();
        }
        let result = fetch().await.map(|fields| self.keep(fields));
        *last = Some(Answer {
            at: Instant::now(),
            result: result.clone(),
        });
        result
    }

    /// Follows the secret from `known`, an answer of this flight, or from what came since.
    pub(crate) fn watch(&self, known: SecretBundle) -> SecretWatch {
        self.publisher()
            .get_or_insert_with(|| SecretPublisher::new(known))
            .subscribe()
    }

    /// Whether anybody follows the secret.
    pub(crate) fn is_watched(&self) -> bool {
        self.publisher().as_ref().is_some_and(|p| !p.is_unwatched())
    }

    /// Makes a bundle of `fields`: the latest one when they are the same, else the next version, which is published.
    fn keep(&self, fields: Fields) -> SecretBundle {
        let mut publisher = self.publisher();
        let sequence = publisher
            .as_ref()
            .map_or(0, |p| p.latest().version().sequence);
        let next = SecretBundle::new(
            fields,
            SecretVersion {
                sequence: sequence + 1,
                label: None,
            },
        );
        match &*publisher {
            Some(publisher) => {
                publisher.publish(next);
                publisher.latest()
            }
            None => {
                *publisher = Some(SecretPublisher::new(next.clone()));
                next
            }
        }
    }

    fn publisher(&self) -> std::sync::MutexGuard<'_, Option<SecretPublisher>> {
        self.publisher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
