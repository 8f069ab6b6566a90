//! Why a call was refused.
use crate::error::BoxError;
use std::{error, fmt};

/// The call failed in a way that is worth another attempt, which the budget refused; the failure is the
/// [`source`](error::Error::source).
#[derive(Debug)]
pub struct BudgetExhausted {
    failure: BoxError,
}

impl BudgetExhausted {
    /// The refusal to retry after `failure`.
    #[must_use]
    pub fn new(failure: impl Into<BoxError>) -> Self {
        let failure = failure.into();
        Self { failure }
    }

    /// Takes the failure out.
    #[must_use]
    pub fn into_failure(self) -> BoxError {
        self.failure
    }
}

impl fmt::Display for BudgetExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not retried: the retry budget is exhausted")
    }
}

impl error::Error for BudgetExhausted {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.failure)
    }
}
