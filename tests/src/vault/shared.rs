//! What all nodes of one Vault share: the core behind one lock, the log, and the time.
use super::core::{Answer, Call, Core};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A request that came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `DELETE`, `PATCH` or `LIST`.
    pub method: String,
    /// What follows `/v1/`, without the query.
    pub path: String,
    /// `X-Vault-Namespace`; empty for the root.
    pub namespace: String,
    /// The accessor of the token that came with it, if that lived.
    pub accessor: Option<String>,
    /// What was answered; 0 where the connection was closed.
    pub status: u16,
    /// When it came, in Vault's time since the start.
    pub at: Duration,
}

/// The state of one Vault.
#[derive(Debug)]
pub(super) struct Shared {
    core: Mutex<Core>,
    log: Mutex<Vec<Request>>,
    start: Instant,
    second: Duration,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(core: Core, second: Duration) -> Self {
        Self {
            core: Mutex::new(core),
            log: Mutex::default(),
            start: Instant::now(),
            second,
        }
    }

    /// Vault's time since the start.
    pub(super) fn now(&self) -> Duration {
        let passed = self.start.elapsed();
        match self.second == Duration::from_secs(1) {
            true => passed,
            false => passed.div_f64(self.second.as_secs_f64()),
        }
    }

    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        lock(&self.core)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Vec<Request>> {
        lock(&self.log)
    }

    pub(super) fn handle(&self, call: &Call) -> Answer {
        let now = self.now();
        self.core().handle(call, now)
    }

    /// Writes `call` into the log, and gives its place there.
    pub(super) fn came(&self, call: &Call) -> usize {
        let token = call.token.as_deref();
        let accessor = token.and_then(|token| self.core().accessor(token));
        let request = Request {
            method: call.method.clone(),
            path: call.path.clone(),
            namespace: call.namespace.clone(),
            accessor,
            status: 0,
            at: self.now(),
        };
        let mut log = self.log();
        log.push(request);
        log.len() - 1
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
