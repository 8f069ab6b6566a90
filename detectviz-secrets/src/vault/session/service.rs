//! Keeps the login.
use super::{
    grant::{Token, TokenLife},
    login::Login,
    state::{State, Step},
};
use crate::{
    store::StoreEvents,
    vault::{
        VaultConfig,
        envelope::Envelope,
        failure::{Cause, Failure},
        http::{Call, Transport},
    },
};
use detectviz_core::{clock, secret::SecretsProvider, task::Tasks};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use vaultrs::api::token::requests::{
    LookupTokenSelfRequest, RenewTokenSelfRequest, RevokeTokenSelfRequest,
};

/// How long a login that could not be tried is not tried again for those who ask.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Holds the token for all who call.
///
/// # Clone
/// Clones are the same login.
#[derive(Clone)]
pub(in crate::vault) struct Session(Arc<Shared>);

/// What a call does that was refused.
pub(in crate::vault) enum Verdict {
    /// The token was dead: call again with this one.
    Again(Arc<Token>),
    /// The token is good, and no policy lets it.
    Policy,
}

struct Shared {
    login: Login,
    transport: Arc<Transport>,
    tasks: Tasks,
    state: Mutex<State>,
    /// Held by whoever logs in or looks the token up.
    gate: Arc<tokio::sync::Mutex<Gate>>,
    events: OnceLock<StoreEvents>,
    changed: Arc<Notify>,
    is_closed: AtomicBool,
    is_kept: AtomicBool,
}

#[derive(Default)]
struct Gate {
    /// The last login failed so, and is not tried again before then.
    refused: Option<(Instant, Failure)>,
    /// The session that was found to be good though it may not look itself up.
    cannot_look: u64,
}

// === impl Session ===

impl Session {
    pub(in crate::vault) fn new(
        config: &VaultConfig,
        transport: &Arc<Transport>,
        bootstrap: Arc<dyn SecretsProvider>,
        tasks: &Tasks,
    ) -> Self {
        Self(Arc::new(Shared {
            login: Login::new(config.auth.clone(), bootstrap, tasks),
            transport: Arc::clone(transport),
            tasks: tasks.clone(),
            state: Mutex::default(),
            gate: Arc::default(),
            events: OnceLock::new(),
            changed: Arc::default(),
            is_closed: AtomicBool::new(false),
            is_kept: AtomicBool::new(false),
        }))
    }

    pub(in crate::vault) fn attach(&self, events: StoreEvents) {
        let _ = self.0.events.set(events);
    }

    /// The token; logs in if there is none. All who ask meanwhile wait for the one login, which goes on when they go.
    pub(in crate::vault) async fn token(&self) -> Result<Arc<Token>, Failure> {
        if self.0.is_closed.load(Relaxed) {
            return Err(closed());
        }
        let known = self.0.state().token(clock::now()).cloned();
        match known {
            Some(token) => Ok(token),
            None => {
                self.keep();
                self.apart(None).await
            }
        }
    }

    /// What to do about a 403 to a call that was made with `token`; `is_dead` if Vault said so itself.
    pub(in crate::vault) async fn refused(
        &self,
        token: &Token,
        is_dead: bool,
    ) -> Result<Verdict, Failure> {
        let shared = &self.0;
        let mut gate = Arc::clone(&shared.gate).lock_owned().await;
        let known = shared.state().token(clock::now()).cloned();
        match known {
            // Others were refused before us, and have logged in.
            Some(newer) if newer.session != token.session => return Ok(Verdict::Again(newer)),
            Some(_) if !is_dead => {
                if gate.cannot_look == token.session {
                    return Ok(Verdict::Policy);
                }
                let call = Call::of(LookupTokenSelfRequest {});
                match shared.transport.call(&call, Some(&token.value)).await {
                    Ok(_) => return Ok(Verdict::Policy),
                    Err(failure) if failure.is_passing() => return Err(failure),
                    Err(_) => {}
                }
            }
            _ => {}
        }
        if shared.state().died(token.session) {
            tracing::warn!(
                session = token.session,
                "the token of the login to Vault is dead: logging in again"
            );
        }
        gate.refused = None;
        drop(gate);
        self.apart(None).await.map(Verdict::Again)
    }

    /// A token that is fresh from its login was refused too. If it may not look itself up either, that says nothing about
    /// whether it is dead, and it is not replaced for that again.
    pub(in crate::vault) async fn refused_again(&self, token: &Token) {
        let mut gate = self.0.gate.lock().await;
        let call = Call::of(LookupTokenSelfRequest {});
        let looked = self.0.transport.call(&call, Some(&token.value)).await;
        if looked.is_err_and(|failure| failure.cause == Cause::Denied) {
            gate.cannot_look = token.session;
        }
    }

    /// Whether there is no login although one was tried.
    pub(in crate::vault) async fn has_failed(&self) -> bool {
        let gate = self.0.gate.lock().await;
        gate.refused.is_some() && self.0.state().token(clock::now()).is_none()
    }

    /// Logs out: a token that we logged in for is revoked, with everything that it was lent.
    pub(in crate::vault) async fn close(&self) {
        let shared = &self.0;
        if shared.is_closed.swap(true, Relaxed) {
            return;
        }
        shared.changed.notify_one();
        let _gate = shared.gate.lock().await;
        let token = shared.state().token(clock::now()).cloned();
        let Some(token) = token else { return };
        shared.state().died(token.session);
        if token.is_ours {
            let call = Call::of(RevokeTokenSelfRequest {});
            if let Err(failure) = shared.transport.call(&call, Some(&token.value)).await {
                tracing::warn!(error = %failure, "the token of the login to Vault is not revoked and ends by itself");
            }
        }
    }

    /// Starts what renews the token, once.
    fn keep(&self) {
        let shared = &self.0;
        if !shared.is_kept.swap(true, Relaxed) {
            let changed = Arc::clone(&shared.changed);
            let keeping = keep(Arc::downgrade(shared), changed, shared.tasks.clone());
            shared.tasks.spawn("vault token", keeping);
        }
    }

    /// Logs in within a task of its own: who waits may go, and a wrapped secret that was opened is not lost.
    async fn apart(&self, planned: Option<u64>) -> Result<Arc<Token>, Failure> {
        let this = self.clone();
        let login = self
            .0
            .tasks
            .spawn("vault login", async move { this.log_in(planned).await });
        let cut_short = || Failure::new(Cause::Node, "try again: the login was cut short");
        login.await.unwrap_or_else(|_| Err(cut_short()))
    }

    /// Logs in, unless another has; `planned` is the session that is to be replaced though it is good.
    async fn log_in(&self, planned: Option<u64>) -> Result<Arc<Token>, Failure> {
        let shared = &self.0;
        let mut gate = shared.gate.lock().await;
        if shared.is_closed.load(Relaxed) {
            return Err(closed());
        }
        let asked = clock::now();
        let known = shared.state().token(asked).cloned();
        if let Some(token) = known.filter(|token| planned != Some(token.session)) {
            return Ok(token);
        }
        if let Some((until, failure)) = &gate.refused
            && planned.is_none()
            && asked < *until
        {
            return Err(failure.clone());
        }
        let granted = match shared.login.login(&shared.transport).await {
            Ok(granted) => granted,
            Err(failure) => {
                let now = clock::now();
                // Whoever asks for a secret is told at once for a while; a refusal may lock a user out, so it is not
                // repeated as fast.
                let pause = if failure.is_passing() {
                    SHORTEST_PAUSE.max(failure.retry_after().unwrap_or_default())
                } else {
                    shared.state().pause(fastrand::f64())
                };
                tracing::warn!(error = %failure, "there is no login to Vault");
                gate.refused = Some((now + pause, failure.clone()));
                return Err(failure);
            }
        };
        gate.refused = None;
        let (token, is_new) = shared.state().logged_in(granted, asked, fastrand::f64());
        if is_new {
            tracing::info!(session = token.session, "logged in to Vault");
            if let Some(events) = shared.events.get() {
                events.session(token.session);
            }
        }
        shared.changed.notify_one();
        Ok(token)
    }

    /// Does what is due.
    async fn step(&self, step: Step) {
        let shared = &self.0;
        let known = shared.state().token(clock::now()).cloned();
        let result = match (step, known) {
            (Step::Renew, Some(token)) => self.renew(&token).await,
            (_, token) => {
                let planned = token.map(|token| token.session);
                self.apart(planned).await.map(|_| ())
            }
        };
        if let Err(failure) = result {
            let now = clock::now();
            shared
                .state()
                .failed(now, failure.retry_after(), fastrand::f64());
            tracing::warn!(error = %failure, "the token of the login to Vault is not renewed");
        }
    }

    async fn renew(&self, token: &Token) -> Result<(), Failure> {
        let shared = &self.0;
        let asked = clock::now();
        let call = Call::of(RenewTokenSelfRequest { increment: None });
        match shared.transport.call(&call, Some(&token.value)).await {
            Ok(answer) => {
                let life = TokenLife::of_renewal(Envelope::read(&answer.body)?.auth)?;
                shared.state().renewed(token, life, asked, fastrand::f64());
                tracing::debug!(session = token.session, ttl = ?life.ttl, "the token of the login to Vault is renewed");
                Ok(())
            }
            Err(failure) if failure.is_passing() => Err(failure),
            Err(failure) if matches!(failure.cause, Cause::Denied | Cause::DeadToken) => {
                let is_dead = failure.cause == Cause::DeadToken;
                match self.refused(token, is_dead).await? {
                    Verdict::Again(_) => {}
                    Verdict::Policy => self.unrenewable(token, &failure),
                }
                Ok(())
            }
            Err(failure) => {
                self.unrenewable(token, &failure);
                Ok(())
            }
        }
    }

    fn unrenewable(&self, token: &Token, failure: &Failure) {
        tracing::warn!(error = %failure, "Vault does not renew the token: there will be a new login before it ends");
        self.0
            .state()
            .unrenewable(token, clock::now(), fastrand::f64());
    }
}

// === impl Shared ===

impl Drop for Shared {
    fn drop(&mut self) {
        self.changed.notify_one();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews the token and replaces it, until the store is closed or dropped.
async fn keep(shared: Weak<Shared>, changed: Arc<Notify>, tasks: Tasks) {
    let stopping = tasks.token();
    loop {
        let open = shared
            .upgrade()
            .filter(|shared| !shared.is_closed.load(Relaxed));
        let Some(next) = open.map(|shared| shared.state().next()) else {
            return;
        };
        let due = async {
            match next {
                Some((at, step)) => {
                    tokio::time::sleep_until(at.into()).await;
                    step
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = changed.notified() => {}
            step = due => {
                if let Some(shared) = shared.upgrade() {
                    Session(shared).step(step).await;
                }
            }
        }
    }
}

fn closed() -> Failure {
    let cause = Cause::Store { retry_after: None };
    Failure::new(cause, "ask before the service stops: the store is closed")
}
