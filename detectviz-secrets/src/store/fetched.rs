//! What a store answers.
use detectviz_core::secret::{Secret, SecretBundle};
use std::{collections::BTreeMap, time::Duration};

/// The fields of one secret, by name.
pub type Fields = BTreeMap<String, Secret>;

/// One secret, as the store has it now.
#[derive(Debug)]
pub struct Fetched {
    /// The fields; several belong together.
    pub fields: Fields,
    /// The store's own name for this state of the secret, where it has one.
    pub label: Option<String>,
    /// For how long this answer is good.
    pub life: Life,
}

/// For how long an answer is good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Life {
    /// The store does not say: as the cache is configured.
    #[default]
    Cached,
    /// Asking costs next to nothing: at every interval while somebody watches, or is about to read.
    Polled(Duration),
    /// The store replaces it after this time, however often it is read: it is read again one second later. Zero means any
    /// moment now.
    Rotates(Duration),
    /// It is lent, and gone when the lease ends.
    Leased(Grant),
}

/// A lease, as the store grants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The store's name for the lease; empty where what is lent cannot be given back, such as a certificate.
    pub id: String,
    /// How long it lasts from when the store was asked; more than zero.
    pub duration: Duration,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// The number of the login that it belongs to, and ends with; see
    /// [`StoreEvents::session`](super::StoreEvents::session). 0 where there are none.
    pub session: u64,
}

/// What is left of a lease after it was renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// How long it lasts from when the store was asked. Shorter than what was granted at first means that the end which no
    /// renewal moves is near (max-TTL).
    pub duration: Duration,
    /// Whether it can be renewed once more.
    pub renewable: bool,
}

// === impl Fetched ===

impl Fetched {
    /// Fields of which the store says no more.
    #[must_use]
    pub fn new(fields: Fields) -> Self {
        Self {
            fields,
            label: None,
            life: Life::Cached,
        }
    }

    /// A single value.
    #[must_use]
    pub fn single(value: Secret) -> Self {
        Self::new(Fields::from([(SecretBundle::VALUE.to_owned(), value)]))
    }

    /// Sets the store's name for this state of the secret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets for how long the answer is good.
    #[must_use]
    pub fn life(mut self, life: Life) -> Self {
        self.life = life;
        self
    }
}
