//! Why endpoints could not be had.
use crate::error::BoxError;
use std::{error, fmt};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiscoveryErrorKind {
    /// Nobody knows a service of that name.
    UnknownService,
    /// The source could not be asked; trying again may help.
    Unavailable,
    /// The source does not let us.
    Denied,
    /// The provider cannot do this: a static list takes no registrations.
    Unsupported,
}

/// Endpoints of a service could not be had or told.
#[derive(Debug)]
pub struct DiscoveryError {
    kind: DiscoveryErrorKind,
    service: String,
    remedy: String,
    source: Option<BoxError>,
}

impl DiscoveryError {
    /// Creates an error; `remedy` says what the reader can change.
    #[must_use]
    pub fn new(
        kind: DiscoveryErrorKind,
        service: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            service: service.into(),
            remedy: remedy.into(),
            source: None,
        }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> DiscoveryErrorKind {
        self.kind
    }

    /// Which service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            DiscoveryErrorKind::UnknownService => "is not known",
            DiscoveryErrorKind::Unavailable => "could not be asked for",
            DiscoveryErrorKind::Denied => "may not be asked for",
            DiscoveryErrorKind::Unsupported => "cannot be registered here",
        };
        write!(f, "service `{}` {what}: {}", self.service, self.remedy)
    }
}

impl error::Error for DiscoveryError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
