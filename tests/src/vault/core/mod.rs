//! Vault without its transport: requests in, answers out, and time is an argument.
//!
//! [`Core::handle`] is a pure function of what was asked before: it reads no clock, no environment and no socket, and its
//! randomness comes from the seed. Tables of time are tested here, without waiting.
//!
//! ```
//! use detectviz_tests::vault::core::{Call, Core};
//! use serde_json::json;
//! use std::time::Duration;
//!
//! let mut vault = Core::new(7, 1_798_761_600);
//! let root = vault.root_token().to_owned();
//! let write = |path: &str, body| Call::new("POST", path).token(&root).body(body);
//! let start = Duration::ZERO;
//! vault.handle(&write("sys/mounts/database", json!({ "type": "database" })), start);
//! vault.handle(&write("database/config/db", json!({ "plugin_name": "p", "allowed_roles": "*" })), start);
//! vault.handle(&write("database/roles/app", json!({ "db_name": "db", "default_ttl": "20m" })), start);
//!
//! let lent = vault.handle(&Call::new("GET", "database/creds/app").token(&root), start);
//! let (user, password) = (lent.text("/data/username"), lent.text("/data/password"));
//! assert!(vault.is_valid(&user, &password, Duration::from_secs(1_199)));
//! assert!(!vault.is_valid(&user, &password, Duration::from_secs(1_200)));
//! ```
mod call;
mod env;
mod text;
mod der;
mod ttl;
mod policy;
mod token;
mod engine;
mod auth;
mod mount;
mod lease;
mod wrapping;
mod tokens_api;
mod sys;
mod request;
mod look;

use self::{
    auth::Method, engine::Engine, env::Env, lease::Lease, mount::Mounts, policy::Policy, sys::Seal,
    token::Tokens, wrapping::Wrapped,
};
pub use self::{
    call::{Answer, Call, Verb},
    look::{LeaseView, TokenView},
    sys::Station,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What `version` says: the API that is followed.
const VERSION: &str = "1.20.0";

/// A Vault.
#[derive(Debug)]
pub struct Core {
    env: Env,
    seal: Seal,
    root_token: String,
    /// Errors of tokens as older releases have them.
    old_errors: bool,
    namespaces: BTreeSet<String>,
    policies: BTreeMap<(String, String), Policy>,
    mounts: Mounts<Engine>,
    auths: Mounts<Method>,
    tokens: Tokens,
    leases: BTreeMap<String, Lease>,
    wrapped: BTreeMap<String, Wrapped>,
}

// === impl Core ===

impl Core {
    /// An unsealed one with a root token, and no engine but the cubbyhole; `unix` is what a calendar says at time zero, in
    /// seconds since 1970, and everything random follows from `seed`.
    ///
    /// # Panics
    /// Never: the built-in policy is well-formed.
    #[must_use]
    pub fn new(seed: u64, unix: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let mut env = Env {
            now: Duration::ZERO,
            unix_start: unix,
            rng,
        };
        let default = Policy::parse(policy::DEFAULT).expect("the built-in policy is well-formed");
        let root_token = format!("hvs.{}", env.word(24));
        let mut mounts = Mounts::default();
        let enabled = mounts.enable("cubbyhole", "cubbyhole", &Value::Null, &mut env);
        enabled.expect("an empty table takes a mount");
        let seal = Seal {
            initialized: true,
            sealed: false,
            key: env.word(44),
        };
        let mut core = Self {
            env,
            seal,
            root_token: root_token.clone(),
            old_errors: false,
            namespaces: BTreeSet::new(),
            policies: BTreeMap::from([((String::new(), "default".into()), default)]),
            mounts,
            auths: Mounts::default(),
            tokens: Tokens::default(),
            leases: BTreeMap::new(),
            wrapped: BTreeMap::new(),
        };
        core.make_root(root_token);
        core
    }

    /// Not initialized: `sys/init` has to be called.
    #[must_use]
    pub fn uninitialized(mut self) -> Self {
        self.seal.initialized = false;
        self.seal.sealed = true;
        self
    }

    /// With errors of tokens as older releases have them: no "invalid token".
    #[must_use]
    pub fn old_errors(mut self) -> Self {
        self.old_errors = true;
        self
    }

    /// The root token, which never ends.
    #[must_use]
    pub fn root_token(&self) -> &str {
        &self.root_token
    }

    /// The one unseal key.
    #[must_use]
    pub fn unseal_key(&self) -> &str {
        &self.seal.key
    }
}

/// Seconds of a header: `30` or `5m`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    text::duration(text)
}
