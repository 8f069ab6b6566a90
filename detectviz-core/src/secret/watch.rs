//! The latest value of a secret, as it changes.
use super::{SecretBundle, bundle::Inner};
use arc_swap::ArcSwap;
use std::{fmt, sync::Arc};
use tokio::sync::watch;

/// Feeds the [`SecretWatch`]es of one secret. What is not newer than the latest is ignored, so that no watcher ever sees
/// a value twice or an older one after a newer.
///
/// # Clone
/// Clones feed the same watches, which end with the last of them.
#[derive(Clone)]
pub struct SecretPublisher {
    current: Arc<ArcSwap<Inner>>,
    /// The sequence of what is current; whoever changes it holds its lock.
    sequence: watch::Sender<u64>,
}

/// Follows one secret: latest value, never repeats, never goes back, may skip.
///
/// [`latest`](Self::latest) is for the request path: it takes no lock and allocates nothing, however often the secret
/// rotates meanwhile.
///
/// # Clone
/// A clone has seen what the original has seen, and follows on its own.
#[derive(Clone)]
pub struct SecretWatch {
    current: Arc<ArcSwap<Inner>>,
    sequence: watch::Receiver<u64>,
    seen: u64,
}

// === impl SecretPublisher ===

impl SecretPublisher {
    /// Starts with what is known.
    #[must_use]
    pub fn new(first: SecretBundle) -> Self {
        Self {
            sequence: watch::Sender::new(first.version().sequence),
            current: Arc::new(ArcSwap::new(first.inner)),
        }
    }

    /// Publishes `next` and says whether it was newer and different.
    pub fn publish(&self, next: SecretBundle) -> bool {
        self.replace(next, SecretBundle::same_fields)
    }

    /// Publishes `next` though its fields may be those of the latest, for a new lease on the same secret. Says whether it
    /// was newer.
    pub fn supersede(&self, next: SecretBundle) -> bool {
        self.replace(next, |_, _| false)
    }

    /// The latest value.
    #[must_use]
    pub fn latest(&self) -> SecretBundle {
        SecretBundle {
            inner: self.current.load_full(),
        }
    }

    /// A watch that has seen the latest value.
    #[must_use]
    pub fn subscribe(&self) -> SecretWatch {
        let mut sequence = self.sequence.subscribe();
        let seen = *sequence.borrow_and_update();
        SecretWatch {
            current: Arc::clone(&self.current),
            sequence,
            seen,
        }
    }

    /// Whether nobody watches.
    #[must_use]
    pub fn is_unwatched(&self) -> bool {
        self.sequence.is_closed()
    }

    /// Waits until nobody watches. Safe to drop.
    pub async fn unwatched(&self) {
        self.sequence.closed().await;
    }

    /// How many watch.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.sequence.receiver_count()
    }

    fn replace(
        &self,
        next: SecretBundle,
        is_same: impl FnOnce(&SecretBundle, &SecretBundle) -> bool,
    ) -> bool {
        self.sequence.send_if_modified(|sequence| {
            let newer = next.version().sequence > *sequence;
            let changed = newer && !is_same(&next, &self.latest());
            if changed {
                *sequence = next.version().sequence;
                self.current.store(next.inner);
            }
            changed
        })
    }
}

impl fmt::Debug for SecretPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretPublisher")
            .field(&self.latest())
            .finish()
    }
}

// === impl SecretWatch ===

impl SecretWatch {
    /// The latest value. Wait-free, without allocation.
    ///
    /// What is lent may have ended, where the store has given nothing else in time: [`Lease::remaining`](super::Lease::remaining)
    /// says so, and a [`get`](super::SecretsProvider::get) why.
    #[must_use]
    pub fn latest(&self) -> SecretBundle {
        SecretBundle {
            inner: self.current.load_full(),
        }
    }

    /// Waits for a value that this watch has not yet returned or started with. `None` when the provider has stopped:
    /// no other will come.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn changed(&mut self) -> Option<SecretBundle> {
        loop {
            self.sequence.changed().await.ok()?;
            self.sequence.borrow_and_update();
            let latest = self.latest();
            // What is current may be newer than what woke us, which then wakes us for nothing.
            if latest.version().sequence > self.seen {
                self.seen = latest.version().sequence;
                return Some(latest);
            }
        }
    }
}

impl fmt::Debug for SecretWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretWatch").field(&self.latest()).finish()
    }
}
