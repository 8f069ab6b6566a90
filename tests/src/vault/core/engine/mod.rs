//! Secrets engines; each follows its page below <https://developer.hashicorp.com/vault/api-docs/secret>.
mod cubbyhole;
mod database;
mod kv1;
mod kv2;
mod pki;

pub(super) use self::{cubbyhole::Cubbyhole, database::Database, kv1::Kv1, kv2::Kv2, pki::Pki};
use super::{
    call::{Ask, Grant, Outcome, Refusal},
    env::Env,
};
use serde_json::{Map, Value};
use std::time::Duration;

/// What stands at a mount.
#[derive(Debug)]
pub(super) enum Engine {
    Cubbyhole(Cubbyhole),
    Database(Database),
    Kv1(Kv1),
    Kv2(Kv2),
    Pki(Box<Pki>),
}

// === impl Engine ===

impl Engine {
    pub(super) fn new(kind: &str, options: &Map<String, Value>, env: &mut Env) -> Option<Self> {
        let version = options.get("version").and_then(Value::as_str);
        Some(match (kind, version) {
            ("kv", Some("2")) => Self::Kv2(Kv2::default()),
            ("kv" | "generic", _) => Self::Kv1(Kv1::default()),
            ("database", _) => Self::Database(Database::default()),
            ("pki", _) => Self::Pki(Box::new(Pki::new(env))),
            ("cubbyhole", _) => Self::Cubbyhole(Cubbyhole::default()),
            _ => return None,
        })
    }

    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        match self {
            Self::Cubbyhole(engine) => engine.handle(ask),
            Self::Database(engine) => engine.handle(ask, env),
            Self::Kv1(engine) => engine.handle(ask),
            Self::Kv2(engine) => engine.handle(ask, env),
            Self::Pki(engine) => engine.handle(ask, env),
        }
    }

    /// Whether a write to `path` creates: only engines that look have the capability `create` apart from `update`.
    pub(super) fn creates(&self, path: &str) -> bool {
        match self {
            Self::Kv1(engine) => !engine.holds(path),
            Self::Kv2(engine) => !engine.holds(path),
            _ => false,
        }
    }

    /// What a lease on `about` gets anew; refused where its role is gone.
    pub(super) fn renew(&self, about: &str) -> Result<Grant, Refusal> {
        match self {
            Self::Database(engine) => engine.renew(about),
            _ => Err(Refusal::bad("lease is not renewable")),
        }
    }

    /// The lease on `about` is over.
    pub(super) fn revoke(&mut self, about: &str, env: &Env) {
        match self {
            Self::Database(engine) => engine.revoke(about),
            Self::Pki(engine) => engine.revoke(about, env),
            _ => {}
        }
    }

    /// What the clock does.
    pub(super) fn tick(&mut self, now: Duration, env: &mut Env) {
        if let Self::Database(engine) = self {
            engine.tick(now, env);
        }
    }
}
