//! What a store of a cloud answered in place of a secret.
use super::Failure;

/// What a store answered in place of a secret.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) failure: Failure,
    /// Whether a new login may help.
    pub(crate) stale: bool,
}

impl From<Failure> for Refusal {
    /// A new login does not help.
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            stale: false,
        }
    }
}
