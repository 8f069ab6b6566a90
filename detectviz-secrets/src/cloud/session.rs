//! A login that is kept while it lasts.
use super::{Failure, Refusal, state};
use detectviz_core::clock;
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// No cloud gives a login that lasts longer; what says so is not believed.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// The login of one store. Whoever comes while another logs in waits for that login.
#[derive(Debug)]
pub(crate) struct Session<T>(Mutex<Option<Held<T>>>);

/// What a login is good for.
#[derive(Debug)]
pub(crate) struct Login<T> {
    /// What it gives.
    pub(crate) given: T,
    /// For how long from when it was asked for; zero for one call.
    pub(crate) life: Duration,
}

#[derive(Debug)]
struct Held<T> {
    given: Arc<T>,
    /// From then on it is replaced.
    renew_at: Instant,
    /// From then on it cannot be used.
    end: Instant,
}

// === impl Session ===

impl<T> Session<T> {
    /// What the login gives; `log_in` runs where there is none, or where its end is near. When that fails, what is left of
    /// the old login is used up.
    ///
    /// # Cancel safety
    /// Safe to drop: the next one logs in.
    pub(crate) async fn get<F>(&self, log_in: impl FnOnce() -> F) -> Result<Arc<T>, Failure>
    where
        F: Future<Output = Result<Login<T>, Failure>>,
    {
        let mut held = self.0.lock().await;
        let now = clock::now();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(Arc::clone(&held.given));
        }
        let login = match (log_in().await, held.as_ref()) {
            (Ok(login), _) => login,
            (Err(err), Some(held)) if clock::now() < held.end => {
                tracing::warn!(error = %err, "the old login is used on");
                return Ok(Arc::clone(&held.given));
            }
            (Err(err), _) => return Err(err),
        };
        let given = Arc::new(login.given);
        let life = login.life.min(LONGEST);
        *held = (!life.is_zero()).then(|| Held {
            given: Arc::clone(&given),
            renew_at: now + state::usable(life),
            end: now + life,
        });
        Ok(given)
    }

    /// What `ask` answers with the login that `current` gives; once more with another, where the store refused the first.
    ///
    /// # Cancel safety
    /// As [`get`](Self::get).
    pub(crate) async fn asked<A, F, G>(
        &self,
        current: impl Fn() -> F,
        ask: impl Fn(Arc<T>) -> G,
    ) -> Result<A, Failure>
    where
        F: Future<Output = Result<Arc<T>, Failure>>,
        G: Future<Output = Result<A, Refusal>>,
    {
        let login = current().await?;
        let mut answer = ask(Arc::clone(&login)).await;
        if answer.as_ref().is_err_and(|refusal| refusal.stale) {
            self.forget(&login).await;
            answer = ask(current().await?).await;
        }
        answer.map_err(|refusal| refusal.failure)
    }

    /// Drops the login, if it still is the one that was `used`: the store refused it.
    pub(crate) async fn forget(&self, used: &Arc<T>) {
        let mut held = self.0.lock().await;
        if held
            .as_ref()
            .is_some_and(|held| Arc::ptr_eq(&held.given, used))
        {
            *held = None;
        }
    }
}

impl<T> Default for Session<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}
