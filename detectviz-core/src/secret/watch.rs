//! The latest value of a secret, as it changes.
use super::SecretBundle;
use tokio::sync::watch;

/// Feeds the [`SecretWatch`]es of one secret. What is not newer than the latest is ignored, so that no watcher ever sees
/// a value twice or an older one after a newer.
#[derive(Clone, Debug)]
pub struct SecretPublisher(watch::Sender<SecretBundle>);

/// Follows one secret: latest value, never repeats, never goes back, may skip.
///
/// # Clone
/// A clone has seen what the original has seen, and follows on its own.
#[derive(Clone, Debug)]
pub struct SecretWatch(watch::Receiver<SecretBundle>);

// === impl SecretPublisher ===

impl SecretPublisher {
    /// Starts with what is known.
    #[must_use]
    pub fn new(first: SecretBundle) -> Self {
        Self(watch::Sender::new(first))
    }

    /// Publishes `next` and says whether it was newer and different.
    pub fn publish(&self, next: SecretBundle) -> bool {
        self.0.send_if_modified(|latest| {
            let newer = next.version().sequence > latest.version().sequence;
            let changed = newer && !next.same_fields(latest);
            if changed {
                *latest = next;
            }
            changed
        })
    }

    /// The latest value.
    #[must_use]
    pub fn latest(&self) -> SecretBundle {
        self.0.borrow().clone()
    }

    /// A watch that has seen the latest value.
    #[must_use]
    pub fn subscribe(&self) -> SecretWatch {
        SecretWatch(self.0.subscribe())
    }

    /// Whether nobody watches.
    #[must_use]
    pub fn is_unwatched(&self) -> bool {
        self.0.is_closed()
    }
}

// === impl SecretWatch ===

impl SecretWatch {
    /// The latest value.
    #[must_use]
    pub fn latest(&self) -> SecretBundle {
        self.0.borrow().clone()
    }

    /// Waits for a value that this watch has not yet returned or started with. `None` when the provider has stopped:
    /// no other will come.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn changed(&mut self) -> Option<SecretBundle> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().clone())
    }
}
