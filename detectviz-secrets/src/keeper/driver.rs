//! What a keeper does of its own accord.
use super::{recorder::Operation, shared::Shared};
use crate::store::{Grant, StoreEvent};
use detectviz_core::{
    clock,
    secret::SecretErrorKind,
    task::{CancellationToken, Tasks},
};
use std::{future, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

/// How often a lease is tried to be given back; after that it ends by itself.
const TRIES: u32 = 3;

/// Looks after the secrets of one keeper.
pub(super) struct Driver {
    shared: Arc<Shared>,
    happened: mpsc::UnboundedReceiver<StoreEvent>,
    released: mpsc::UnboundedReceiver<Grant>,
    ordered: mpsc::UnboundedReceiver<Order>,
    revoking: Vec<JoinHandle<()>>,
}

/// What a keeper tells its driver.
pub(super) enum Order {
    /// Let go of everything, and say when that is done.
    Close(oneshot::Sender<()>),
}

// === impl Driver ===

impl Driver {
    pub(super) fn new(
        shared: Arc<Shared>,
        happened: mpsc::UnboundedReceiver<StoreEvent>,
        released: mpsc::UnboundedReceiver<Grant>,
        ordered: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        Self {
            shared,
            happened,
            released,
            ordered,
            revoking: Vec::new(),
        }
    }

    /// Runs until `stopping`.
    pub(super) async fn run(mut self, stopping: CancellationToken) {
        loop {
            let next = self.shared.turn(clock::now());
            let due = async {
                match next {
                    Some(next) => sleep_until(Instant::from_std(next)).await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                () = stopping.cancelled() => return,
                Some(order) = self.ordered.recv() => self.obey(order).await,
                Some(event) = self.happened.recv() => self.note(&event),
                Some(grant) = self.released.recv() => self.revoke(grant),
                () = self.shared.wake.notified() => {}
                () = due => {}
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        let Order::Close(done) = order;
        self.shared.close();
        while let Ok(grant) = self.released.try_recv() {
            self.revoke(grant);
        }
        for revoking in std::mem::take(&mut self.revoking) {
            let _ = revoking.await;
        }
        self.shared.store.close().await;
        let _ = done.send(());
    }

    fn note(&self, event: &StoreEvent) {
        let now = clock::now();
        match event {
            StoreEvent::Changed(reference) => {
                if let Some(entry) = self.shared.known(reference) {
                    self.shared.begin_again(&entry);
                }
            }
            StoreEvent::Session(session) => {
                for entry in self.shared.all() {
                    let mut state = entry.lock();
                    let lease = state.timeline.lease();
                    if lease.is_some_and(|(grant, _)| (1..*session).contains(&grant.session)) {
                        state.timeline.replace(now);
                    }
                }
            }
        }
    }

    fn revoke(&mut self, grant: Grant) {
        self.revoking.retain(|revoking| !revoking.is_finished());
        if grant.id.is_empty() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let tasks: &Tasks = &self.shared.tasks;
        let revoking = tasks.spawn("secret revocation", async move {
            revoke(&shared, &grant).await;
        });
        self.revoking.push(revoking);
    }
}

async fn revoke(shared: &Shared, grant: &Grant) {
    let mut pause = Duration::from_secs(1);
    for tried in 1..=TRIES {
        let asked = clock::now();
        let call = tokio::time::timeout(shared.config.timeout, shared.store.revoke(grant));
        let failed = match call.await {
            Ok(Ok(())) => None,
            Ok(Err(err)) => Some(err),
            Err(late) => Some(late.into()),
        };
        let took = clock::now().saturating_duration_since(asked);
        let kind = failed.as_ref().map(|_| SecretErrorKind::Unavailable);
        shared.recorder.asked(Operation::Revoke, kind, took);
        let Some(err) = failed else { return };
        if tried == TRIES {
            let (provider, error) = (shared.store.name(), err.to_string());
            tracing::warn!(
                provider,
                lease = grant.id,
                error,
                "a lease was not given back: it ends by itself"
            );
            return;
        }
        sleep(pause).await;
        pause *= 2;
    }
}
