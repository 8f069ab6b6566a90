//! A store that does as it is told.
use crate::{
    keeper::{CacheConfig, Keeper},
    store::{Fetched, Grant, Life, Renewed, Store, StoreEvents},
};
use async_trait::async_trait;
use detectviz_core::{
    error::BoxError,
    secret::{Secret, SecretBundle, SecretError, SecretErrorKind, SecretRef},
    task::Tasks,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What the store is like now, and what was asked of it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) down: Mutex<Option<SecretErrorKind>>,
    pub(crate) delay: Mutex<Duration>,
    pub(crate) value: AtomicU64,
    pub(crate) life: Mutex<Life>,
    /// How long a renewal lasts; `None` loses the lease.
    pub(crate) renewal: Mutex<Option<Duration>>,
    /// Fetches panic.
    pub(crate) panics: AtomicBool,
    pub(crate) fetches: AtomicUsize,
    pub(crate) renewals: Mutex<Vec<Instant>>,
    pub(crate) revoked: Mutex<Vec<String>>,
    pub(crate) closed: AtomicUsize,
    pub(crate) events: Mutex<Option<StoreEvents>>,
}

#[derive(Clone)]
pub(crate) struct Told(pub(super) Arc<World>);

impl World {
    pub(crate) fn set(&self, down: Option<SecretErrorKind>) {
        *self.down.lock().unwrap() = down;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn rotate(&self) {
        self.value.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn lend(&self, seconds: u64, renewable: bool) {
        *self.life.lock().unwrap() = Life::Leased(Grant {
            id: String::new(),
            duration: Duration::from_secs(seconds),
            renewable,
            session: 1,
        });
        *self.renewal.lock().unwrap() = Some(Duration::from_secs(seconds));
    }

    pub(crate) fn revoked(&self) -> Vec<String> {
        self.revoked.lock().unwrap().clone()
    }

    async fn answer(&self, reference: &SecretRef) -> Result<(), SecretError> {
        let delay = *self.delay.lock().unwrap();
        sleep(delay).await;
        match *self.down.lock().unwrap() {
            Some(kind) => Err(SecretError::new(kind, reference, "it was told to")),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Store for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let world = &self.0;
        let number = world.fetches.fetch_add(1, Ordering::SeqCst);
        world.answer(reference).await?;
        assert!(!world.panics.load(Ordering::SeqCst), "it was told to");
        let mut life = world.life.lock().unwrap().clone();
        if let Life::Leased(grant) = &mut life {
            grant.id = format!("lease-{number}");
        }
        let value = world.value.load(Ordering::SeqCst).to_string();
        Ok(Fetched::single(Secret::from(value)).life(life))
    }

    async fn renew(&self, reference: &SecretRef, _: &Grant) -> Result<Renewed, SecretError> {
        self.0.renewals.lock().unwrap().push(Instant::now());
        self.0.answer(reference).await?;
        match *self.0.renewal.lock().unwrap() {
            Some(duration) => Ok(Renewed {
                duration,
                renewable: true,
            }),
            None => Err(SecretError::new(
                SecretErrorKind::NotFound,
                reference,
                "the lease is gone",
            )),
        }
    }

    async fn revoke(&self, grant: &Grant) -> Result<(), BoxError> {
        self.0.revoked.lock().unwrap().push(grant.id.clone());
        Ok(())
    }

    fn attach(&self, events: StoreEvents) {
        *self.0.events.lock().unwrap() = Some(events);
    }

    async fn close(&self) {
        self.0.closed.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) fn keeper(config: CacheConfig) -> (Arc<World>, Keeper) {
    let world = Arc::new(World::default());
    let keeper = Keeper::new(Told(Arc::clone(&world)), config, &Tasks::new());
    (world, keeper)
}

pub(crate) fn reference(text: &str) -> SecretRef {
    format!("${{secret:told:{text}}}").parse().unwrap()
}

pub(crate) fn text(bundle: &SecretBundle) -> String {
    let value = bundle.field(SecretBundle::VALUE).unwrap();
    value.expose_str().unwrap().to_owned()
}

/// Lets the paused clock run.
pub(crate) async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}
