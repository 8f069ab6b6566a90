//! Tokens: who they are, how long, and what goes with them; follows
//! <https://developer.hashicorp.com/vault/docs/concepts/tokens>. Service tokens only: batch tokens have no leases to lose.
use super::{call::Login, env::Env, ttl::Terms};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// A service token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub id: String,
    pub accessor: String,
    pub namespace: String,
    /// The accessor of the token that made it; `None` for orphans.
    pub parent: Option<String>,
    /// Where it was made: `auth/approle/login`.
    pub path: String,
    pub display_name: String,
    pub policies: Vec<String>,
    pub meta: Map<String, Value>,
    pub issued: Duration,
    pub renewed: Option<Duration>,
    /// `None` lives for ever: the root token.
    pub expires: Option<Duration>,
    pub creation_ttl: u64,
    pub renewable: bool,
    pub login: Login,
    /// `default_lease_ttl` and `max_lease_ttl` of the mount that made it.
    pub limits: (u64, u64),
    /// Uses that are left; `None` for any number.
    pub uses: Option<u64>,
    /// A response-wrapping token, which opens nothing but its answer.
    pub wrapping: bool,
}

/// All live tokens, by their id.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<String, Token>);

// === impl Token ===

impl Token {
    pub(super) fn ttl(&self, now: Duration) -> u64 {
        let left = self.expires.map(|end| end.saturating_sub(now));
        left.unwrap_or_default().as_secs()
    }

    pub(super) fn is_root(&self) -> bool {
        self.policies.iter().any(|policy| policy == "root")
    }

    /// What a renewal is measured by.
    pub(super) fn terms(&self, increment: u64) -> Terms {
        Terms {
            increment,
            ttl: self.login.ttl,
            period: self.login.period,
            max_ttl: self.login.max_ttl,
            explicit_max_ttl: self.login.explicit_max_ttl,
            default: self.limits.0,
            max: self.limits.1,
            start: self.issued,
        }
    }

    /// The `auth` of an answer.
    pub(super) fn auth(&self, now: Duration) -> Value {
        json!({
            "client_token": self.id, "accessor": self.accessor, "policies": self.policies,
            "token_policies": self.policies, "metadata": self.meta, "lease_duration": self.ttl(now),
            "renewable": self.renewable, "entity_id": "", "token_type": "service",
            "orphan": self.parent.is_none(), "mfa_requirement": null, "num_uses": self.login.num_uses,
        })
    }

    /// What a lookup shows.
    pub(super) fn show(&self, env: &Env) -> Value {
        let mut shown = json!({
            "accessor": self.accessor, "creation_time": env.unix(self.issued),
            "creation_ttl": self.creation_ttl, "display_name": self.display_name, "entity_id": "",
            "expire_time": self.expires.map(|at| env.date(at)),
            "explicit_max_ttl": self.login.explicit_max_ttl, "id": self.id, "meta": self.meta,
            "num_uses": self.uses.unwrap_or_default(), "orphan": self.parent.is_none(),
            "path": self.path, "policies": self.policies, "ttl": self.ttl(env.now), "type": "service",
        });
        if self.expires.is_some() {
            shown["issue_time"] = env.date(self.issued).into();
            shown["renewable"] = self.renewable.into();
        }
        if self.login.period > 0 {
            shown["period"] = self.login.period.into();
        }
        if let Some(at) = self.renewed {
            shown["last_renewal"] = env.date(at).into();
            shown["last_renewal_time"] = env.unix(at).into();
        }
        if !self.namespace.is_empty() {
            shown["namespace_path"] = self.namespace.as_str().into();
        }
        shown
    }
}

// === impl Tokens ===

impl Tokens {
    pub(super) fn insert(&mut self, token: Token) {
        self.0.insert(token.id.clone(), token);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Token> {
        self.0.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Token> {
        self.0.get_mut(id)
    }

    pub(super) fn by_accessor(&self, accessor: &str) -> Option<&Token> {
        self.0.values().find(|token| token.accessor == accessor)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Token> {
        self.0.values()
    }

    /// Takes the token and all that it made out; orphans stay. Empty when it is not there.
    pub(super) fn take_tree(&mut self, id: &str) -> Vec<Token> {
        let mut taken: Vec<Token> = self.0.remove(id).into_iter().collect();
        let mut next = 0;
        while let Some(parent) = taken.get(next).map(|token| token.accessor.clone()) {
            let children = self
                .0
                .extract_if(.., |_, t| t.parent.as_ref() == Some(&parent));
            let children: Vec<Token> = children.map(|(_, token)| token).collect();
            taken.extend(children);
            next += 1;
        }
        taken
    }

    /// Takes one out, and makes orphans of what it made.
    pub(super) fn take_one(&mut self, id: &str) -> Option<Token> {
        let taken = self.0.remove(id)?;
        for token in self.0.values_mut() {
            if token.parent.as_ref() == Some(&taken.accessor) {
                token.parent = None;
            }
        }
        Some(taken)
    }

    /// The ids of those whose time is over.
    pub(super) fn expired(&self, now: Duration) -> Vec<String> {
        let over = |token: &&Token| token.expires.is_some_and(|end| end <= now);
        let over = self.0.values().filter(over);
        over.map(|token| token.id.clone()).collect()
    }
}
