//! Which objects are followed.
use super::{follow::Follower, name::ObjectName, session::Session};
use crate::store::StoreEvents;
use detectviz_core::{secret::SecretRef, task::Tasks};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// One task for each reference that was fetched. Nobody is followed before there is somebody to tell.
pub(super) struct Watches {
    events: OnceLock<StoreEvents>,
    followed: Mutex<HashMap<SecretRef, Arc<AtomicU64>>>,
    tasks: Tasks,
}

// === impl Watches ===

impl Watches {
    pub(super) fn new(tasks: &Tasks) -> Self {
        Self {
            events: OnceLock::new(),
            followed: Mutex::default(),
            tasks: tasks.clone(),
        }
    }

    /// Tells `events` from now on.
    pub(super) fn attach(&self, events: StoreEvents) {
        let _first_one_stays = self.events.set(events);
    }

    /// `reference` was fetched, with this version; follows it from now on.
    pub(super) fn fetched(
        self: &Arc<Self>,
        reference: &SecretRef,
        object: &ObjectName,
        version: Option<&str>,
        session: &Arc<Session>,
    ) {
        let Some(events) = self.events.get() else {
            return;
        };
        let reference = reference.bundle();
        let mut followed = self.followed();
        if let Some(fetches) = followed.get(&reference) {
            fetches.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let fetches = Arc::new(AtomicU64::new(1));
        followed.insert(reference.clone(), Arc::clone(&fetches));
        drop(followed);
        let follower = Follower {
            session: Arc::clone(session),
            object: object.clone(),
            reference,
            events: events.clone(),
            fetches,
        };
        let (this, version) = (Arc::clone(self), version.map(str::to_owned));
        let stopping = self.tasks.token();
        self.tasks.spawn("kubernetes secret watch", async move {
            stopping.run_until_cancelled(follower.run(version)).await;
            this.followed().remove(&follower.reference);
        });
    }

    fn followed(&self) -> std::sync::MutexGuard<'_, HashMap<SecretRef, Arc<AtomicU64>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.followed().keys()).finish()
    }
}
