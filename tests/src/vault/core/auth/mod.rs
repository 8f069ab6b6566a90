//! Auth methods; each follows its page below <https://developer.hashicorp.com/vault/api-docs/auth>.
mod params;
mod approle;
mod cert;
mod kubernetes;
mod userpass;

use self::{
    approle::Approle, cert::Cert, kubernetes::Kubernetes, params::Params, userpass::Userpass,
};
use super::{
    call::{Ask, Outcome},
    env::Env,
};

/// What stands at a mount below `auth/`.
#[derive(Debug)]
pub(super) enum Method {
    Approle(Approle),
    Cert(Cert),
    Kubernetes(Kubernetes),
    Userpass(Userpass),
}

// === impl Method ===

impl Method {
    pub(super) fn new(kind: &str) -> Option<Self> {
        Some(match kind {
            "approle" => Self::Approle(Approle::default()),
            "cert" => Self::Cert(Cert::default()),
            "kubernetes" => Self::Kubernetes(Kubernetes::default()),
            "userpass" => Self::Userpass(Userpass::default()),
            _ => return None,
        })
    }

    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        match self {
            Self::Approle(method) => method.handle(ask, env),
            Self::Cert(method) => method.handle(ask, env),
            Self::Kubernetes(method) => method.handle(ask, env),
            Self::Userpass(method) => method.handle(ask),
        }
    }
}
