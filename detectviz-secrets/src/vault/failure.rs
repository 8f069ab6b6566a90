//! Why Vault did not give what it was asked for.
use detectviz_core::secret::{SecretError, SecretErrorKind, SecretRef};
use std::{error, fmt, time::Duration};

/// A call that failed: what is wrong and what to do about it, without a secret.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    message: String,
}

/// What a caller does something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The node cannot be asked now; another may.
    Node,
    /// The store cannot be asked now, whichever node.
    Store {
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// Permission denied: the token is dead, or a policy is missing.
    Denied,
    /// Vault knows that the token is dead.
    DeadToken,
    /// There is no token, since the login was refused.
    Login,
    /// Nothing is there.
    NotFound,
    /// Something without a field is there.
    Empty,
    /// What was asked cannot be answered.
    Refused,
    /// The answer is no answer of Vault.
    Malformed,
}

// === impl Failure ===

impl Failure {
    pub(super) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: message.into(),
        }
    }

    /// The same as the failure of a login, with what was tried written before it.
    pub(super) fn of_login(self, what: &str) -> Self {
        let cause = match self.cause {
            Cause::Denied | Cause::DeadToken => Cause::Login,
            cause => cause,
        };
        Self::new(cause, format!("{what}: {self}"))
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self.cause {
            Cause::Store { retry_after } => retry_after,
            _ => None,
        }
    }

    /// Whether asking again may help.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.cause, Cause::Node | Cause::Store { .. })
    }

    pub(super) fn for_secret(self, reference: &SecretRef) -> SecretError {
        let kind = match self.cause {
            Cause::Node | Cause::Store { .. } => SecretErrorKind::Unavailable,
            Cause::Denied | Cause::DeadToken | Cause::Login => SecretErrorKind::Denied,
            Cause::NotFound => SecretErrorKind::NotFound,
            Cause::Empty => SecretErrorKind::Empty,
            Cause::Refused | Cause::Malformed => SecretErrorKind::Malformed,
        };
        SecretError::new(kind, reference, self.message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Failure {}
