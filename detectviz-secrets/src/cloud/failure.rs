//! What went wrong, before it is known for which reference.
use super::WireError;
use detectviz_core::{
    error::BoxError,
    secret::{SecretError, SecretErrorKind, SecretRef},
};
use std::{error, fmt};

/// What went wrong, and what to change.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: SecretErrorKind,
    pub(crate) remedy: String,
    source: Option<BoxError>,
}

// === impl Failure ===

impl Failure {
    pub(crate) fn new(kind: SecretErrorKind, remedy: impl Into<String>) -> Self {
        Self {
            kind,
            remedy: remedy.into(),
            source: None,
        }
    }

    pub(crate) fn unavailable(remedy: impl Into<String>) -> Self {
        Self::new(SecretErrorKind::Unavailable, remedy)
    }

    pub(crate) fn denied(remedy: impl Into<String>) -> Self {
        Self::new(SecretErrorKind::Denied, remedy)
    }

    /// Adds what caused it, which must not hold a secret.
    pub(crate) fn with_source(self, source: impl Into<BoxError>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The error of whoever asked for `reference`.
    pub(crate) fn of(self, reference: &SecretRef) -> SecretError {
        let err = SecretError::new(self.kind, reference, self.remedy);
        match self.source {
            Some(source) => err.with_source(source),
            None => err,
        }
    }
}

impl From<WireError> for Failure {
    fn from(err: WireError) -> Self {
        Self::unavailable(err.to_string()).with_source(err)
    }
}

impl From<SecretError> for Failure {
    /// What the login is made of is a secret too.
    fn from(err: SecretError) -> Self {
        Self::new(err.kind(), format!("the login needs {err}")).with_source(err)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.remedy)
    }
}

impl error::Error for Failure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
