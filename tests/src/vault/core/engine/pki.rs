//! Certificates; follows <https://developer.hashicorp.com/vault/api-docs/secret/pki>: one root of the mount, roles, issue, revoke.
use super::super::{
    call::{Ask, Outcome, Refusal},
    env::Env,
};

/// The authority of a mount.
#[derive(Debug)]
pub(in super::super) struct Pki;

// === impl Pki ===

impl Pki {
    pub(super) fn new(_env: &mut Env) -> Self {
        Self
    }

    pub(super) fn handle(&mut self, _ask: &Ask<'_>, _env: &mut Env) -> Outcome {
        Err(Refusal::no_path())
    }

    pub(super) fn revoke(&mut self, _about: &str, _env: &Env) {}
}
