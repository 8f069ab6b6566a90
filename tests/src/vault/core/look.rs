//! What a test sees and does behind the API: no page documents it.
use super::{Core, engine::Engine};
use std::time::Duration;

/// A token, as tests see it.
#[derive(Clone, Debug)]
pub struct TokenView {
    /// Its accessor: what logs may show.
    pub accessor: String,
    /// `display_name`.
    pub display_name: String,
    /// Where it was made: `auth/approle/login`.
    pub path: String,
    /// Names of its policies.
    pub policies: Vec<String>,
    /// Seconds that are left; `None` for ever.
    pub ttl: Option<u64>,
}

/// A lease, as tests see it.
#[derive(Clone, Debug)]
pub struct LeaseView {
    /// `lease_id`.
    pub id: String,
    /// The accessor of the token that it goes with.
    pub accessor: String,
    /// Seconds that are left.
    pub ttl: u64,
    /// When it was issued, in Vault's time since the start.
    pub issued: Duration,
    /// When it was renewed last.
    pub renewed: Option<Duration>,
}

// === impl Core ===

impl Core {
    /// Whether a database of one of the engines lets them in at `now`.
    pub fn is_valid(&mut self, user: &str, password: &str, now: Duration) -> bool {
        self.pass(now);
        let mut all = self.mounts.0.values();
        all.any(|mount| match &mount.backend {
            Engine::Database(engine) => engine.is_valid(user, password),
            _ => false,
        })
    }

    /// All tokens that live at `now`.
    pub fn tokens(&mut self, now: Duration) -> Vec<TokenView> {
        self.pass(now);
        let tokens = self.tokens.all().map(|token| TokenView {
            accessor: token.accessor.clone(),
            display_name: token.display_name.clone(),
            path: token.path.clone(),
            policies: token.policies.clone(),
            ttl: token.expires.map(|_| token.ttl(self.env.now)),
        });
        tokens.collect()
    }

    /// All leases that live at `now`.
    pub fn lease_views(&mut self, now: Duration) -> Vec<LeaseView> {
        self.pass(now);
        let holder = |id: &str| self.tokens.get(id).map(|token| token.accessor.clone());
        let leases = self.leases.values().map(|lease| LeaseView {
            id: lease.id.clone(),
            accessor: holder(&lease.token).unwrap_or_default(),
            ttl: lease.ttl(self.env.now),
            issued: lease.issued,
            renewed: lease.renewed,
        });
        leases.collect()
    }

    /// The accessor of a token.
    #[must_use]
    pub fn accessor(&self, token: &str) -> Option<String> {
        self.tokens.get(token).map(|token| token.accessor.clone())
    }

    /// Ends the token of `accessor` and its leases, as if its time were over; `false` without one.
    pub fn expire_token(&mut self, accessor: &str) -> bool {
        let found = self.tokens.by_accessor(accessor);
        let id = found.map(|token| token.id.clone());
        id.is_some_and(|id| self.revoke_token(&id))
    }

    /// Ends a lease; `false` without one.
    pub fn end_lease(&mut self, id: &str) -> bool {
        self.revoke_lease(id)
    }

    /// Takes a policy of the root namespace away: the tokens stay and may less.
    pub fn remove_policy(&mut self, name: &str) {
        self.policies.remove(&(String::new(), name.to_owned()));
    }

    /// Removes a key of a KV mount with all its versions; `key` is the path without `data/`.
    pub fn delete_key(&mut self, mount: &str, key: &str) {
        let at = format!("{}/", mount.trim_matches('/'));
        match self.mounts.0.get_mut(&at).map(|mount| &mut mount.backend) {
            Some(Engine::Kv1(engine)) => engine.remove(key),
            Some(Engine::Kv2(engine)) => engine.remove(key),
            _ => {}
        }
    }

    /// Seals or unseals.
    pub fn set_sealed(&mut self, sealed: bool) {
        self.seal.sealed = sealed;
    }

    /// From now on the calendar says `unix`, in seconds since 1970; leases and tokens do not care.
    pub fn set_unix(&mut self, unix: u64, now: Duration) {
        self.pass(now);
        self.env.unix_start = unix.saturating_sub(self.env.now.as_secs());
    }

    fn pass(&mut self, now: Duration) {
        self.env.now = self.env.now.max(now);
        self.tick();
    }
}
