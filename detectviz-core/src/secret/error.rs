//! Why a secret could not be had.
use super::SecretRef;
use crate::error::BoxError;
use std::{error, fmt, sync::Arc};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretErrorKind {
    /// No provider serves the scheme of the reference.
    UnknownScheme,
    /// The store answered that there is no such secret, or the bundle has no such field.
    NotFound,
    /// The secret is there and empty.
    Empty,
    /// The store does not let us read it.
    Denied,
    /// The secret is there and cannot be understood.
    Malformed,
    /// The store could not be asked; trying again may help.
    Unavailable,
}

/// A secret could not be had. Names the reference, never the value.
///
/// # Clone
/// Clones share the source: one failed fetch answers all who waited for it.
#[derive(Clone, Debug)]
pub struct SecretError {
    kind: SecretErrorKind,
    reference: SecretRef,
    remedy: String,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

// === impl SecretErrorKind ===

impl SecretErrorKind {
    /// As the value of a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownScheme => "unknown_scheme",
            Self::NotFound => "not_found",
            Self::Empty => "empty",
            Self::Denied => "denied",
            Self::Malformed => "malformed",
            Self::Unavailable => "unavailable",
        }
    }
}

// === impl SecretError ===

impl SecretError {
    /// Creates an error; `remedy` says what the reader can change.
    #[must_use]
    pub fn new(kind: SecretErrorKind, reference: &SecretRef, remedy: impl Into<String>) -> Self {
        Self {
            kind,
            reference: reference.clone(),
            remedy: remedy.into(),
            source: None,
        }
    }

    /// Adds what caused it. The source must not hold the value.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        let source: BoxError = source.into();
        self.source = Some(Arc::from(source));
        self
    }

    /// The same error for `reference`, such as one of the fields of a bundle that failed as a whole.
    #[must_use]
    pub fn of(mut self, reference: &SecretRef) -> Self {
        self.reference = reference.clone();
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> SecretErrorKind {
        self.kind
    }

    /// Which secret.
    #[must_use]
    pub fn reference(&self) -> &SecretRef {
        &self.reference
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            SecretErrorKind::UnknownScheme => "has a scheme that no provider serves",
            SecretErrorKind::NotFound => "was not found",
            SecretErrorKind::Empty => "is empty",
            SecretErrorKind::Denied => "may not be read",
            SecretErrorKind::Malformed => "could not be understood",
            SecretErrorKind::Unavailable => "could not be asked for",
        };
        write!(f, "{} {what}: {}", self.reference, self.remedy)
    }
}

impl error::Error for SecretError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
