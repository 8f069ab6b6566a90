//! When the token is renewed and when it is replaced: pure, `now` and the jitter are arguments.
//!
//! The times are those of `schedule`. Where Vault's own `LifetimeWatcher` gives up and leaves the login to its user, this one logs
//! in again.
use super::grant::{Granted, Token, TokenLife};
use crate::schedule::{FIRST_PAUSE, pause_after, renew_after, replace_after};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A renewal that grants less than the best so far by more than this share is capped: the end is near that no renewal moves.
const CAPPED_SHARE: f64 = 0.01;

/// Times are whole seconds, rounded by the store.
const ROUNDING: Duration = Duration::from_secs(1);

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Renew,
    Login,
}

/// The login, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct State {
    sessions: u64,
    held: Option<Held>,
    failures: u32,
}

#[derive(Debug)]
struct Held {
    token: Arc<Token>,
    /// `None` never ends.
    ends: Option<Instant>,
    /// The longest that was ever granted at once.
    best: Duration,
    next: Option<(Instant, Step)>,
}

// === impl State ===

impl State {
    /// The token, if it is good at `now`.
    pub(super) fn token(&self, now: Instant) -> Option<&Arc<Token>> {
        let good = |held: &&Held| held.ends.is_none_or(|ends| now < ends);
        self.held.as_ref().filter(good).map(|held| &held.token)
    }

    /// What is to be done next, and when.
    pub(super) fn next(&self) -> Option<(Instant, Step)> {
        self.held.as_ref().and_then(|held| held.next)
    }

    /// A login that was begun at `asked` granted this. Says whether it is a new session: reading a given token again that has
    /// not changed is none.
    pub(super) fn logged_in(
        &mut self,
        granted: Granted,
        asked: Instant,
        jitter: f64,
    ) -> (Arc<Token>, bool) {
        let Granted {
            value,
            is_ours,
            life,
        } = granted;
        self.failures = 0;
        let same = self.held.take().filter(|held| held.token.value == value);
        let is_new = same.is_none();
        let (token, best) = match same {
            Some(held) => (held.token, held.best.max(life.ttl)),
            None => {
                self.sessions += 1;
                let session = self.sessions;
                (
                    Arc::new(Token {
                        value,
                        session,
                        is_ours,
                    }),
                    life.ttl,
                )
            }
        };
        self.held = Some(Held::new(Arc::clone(&token), life, best, asked, jitter));
        (token, is_new)
    }

    /// A renewal of `token` that was begun at `asked` granted this.
    pub(super) fn renewed(&mut self, token: &Token, life: TokenLife, asked: Instant, jitter: f64) {
        let Some(held) = self
            .held
            .take_if(|held| held.token.session == token.session)
        else {
            return;
        };
        self.failures = 0;
        // Less than a second is left.
        if life.ttl.is_zero() && held.ends.is_some() {
            self.held = Some(held);
            return self.unrenewable(token, asked, jitter);
        }
        let slack = held.best.mul_f64(CAPPED_SHARE) + ROUNDING;
        let capped = life.ttl + slack < held.best;
        let life = TokenLife {
            renewable: life.renewable && !capped,
            ..life
        };
        let best = held.best.max(life.ttl);
        self.held = Some(Held::new(held.token, life, best, asked, jitter));
    }

    /// Vault does not renew `token`: it is replaced before it ends.
    pub(super) fn unrenewable(&mut self, token: &Token, now: Instant, jitter: f64) {
        let of = |held: &&mut Held| held.token.session == token.session;
        if let Some(held) = self.held.as_mut().filter(of) {
            let rest = held.ends.map(|ends| ends.saturating_duration_since(now));
            held.next = rest.map(|rest| (now + replace_after(rest, jitter), Step::Login));
        }
    }

    /// The step at `now` failed, and the store asked to be left alone for `retry_after`: it is tried again after a pause,
    /// and before the token ends.
    pub(super) fn failed(&mut self, now: Instant, retry_after: Option<Duration>, jitter: f64) {
        let pause = self.pause(jitter);
        let Some(held) = &mut self.held else { return };
        let rest = held
            .ends
            .map_or(LONGEST_PAUSE, |ends| ends.saturating_duration_since(now));
        let step = match held.next {
            Some((_, step)) if !rest.is_zero() => step,
            _ => Step::Login,
        };
        let pause = if rest.is_zero() {
            pause
        } else {
            pause.min((rest / 3).max(FIRST_PAUSE))
        };
        held.next = Some((now + pause.max(retry_after.unwrap_or_default()), step));
    }

    /// The token of `session` is dead. Says whether it was the current one.
    pub(super) fn died(&mut self, session: u64) -> bool {
        self.held
            .take_if(|held| held.token.session == session)
            .is_some()
    }

    /// The pause after one more failure.
    pub(super) fn pause(&mut self, jitter: f64) -> Duration {
        let pause = pause_after(self.failures, LONGEST_PAUSE, jitter);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

// === impl Held ===

impl Held {
    fn new(
        token: Arc<Token>,
        life: TokenLife,
        best: Duration,
        asked: Instant,
        jitter: f64,
    ) -> Self {
        let TokenLife { ttl, renewable } = life;
        let next = match (ttl.is_zero(), renewable) {
            (true, _) => None,
            (false, true) => Some((asked + renew_after(ttl, jitter), Step::Renew)),
            (false, false) => Some((asked + replace_after(ttl, jitter), Step::Login)),
        };
        Self {
            token,
            ends: (!ttl.is_zero()).then(|| asked + ttl),
            best,
            next,
        }
    }
}
