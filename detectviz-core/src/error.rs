//! The errors of the trunk, and how to find a cause inside any of them.
//!
//! At the seam between two layers an error is a [`BoxError`]; what went wrong is a small public struct somewhere in its
//! chain of sources, and [`cause_ref`] finds it through any wrapping. What `main` sees is an [`Error`], whose
//! [`kind`](Error::kind) decides the exit code of the process.
//!
//! ```
//! use detectviz_core::error::{BoxError, Error, ErrorKind, cause_ref};
//!
//! let io = std::io::Error::from(std::io::ErrorKind::AddrInUse);
//! let err = Error::new(ErrorKind::Unavailable, "port 8080 is in use: choose another with --set http.port=8081")
//!     .with_source(io);
//! assert_eq!(err.kind().exit_code(), 69);
//! assert!(cause_ref::<std::io::Error>(&err).is_some());
//! ```
use std::{borrow::Cow, error, fmt, process::ExitCode};

/// Any error, as it crosses the seam between two layers.
pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// Finds the first cause of type `T` in the chain that starts at `err` itself.
#[must_use]
pub fn cause_ref<'a, T: error::Error + 'static>(
    err: &'a (dyn error::Error + 'static),
) -> Option<&'a T> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref::<T>() {
            return Some(found);
        }
        next = err.source();
    }
    None
}

/// Why a service could not run, or could not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line or the configuration is wrong; nothing was bound. Exit code 64 (`EX_USAGE`).
    Config,
    /// Something outside the process that the service cannot start without is not there. Exit code 69
    /// (`EX_UNAVAILABLE`).
    Unavailable,
    /// A fault of the service itself. Exit code 70 (`EX_SOFTWARE`).
    Internal,
    /// Work was still in flight when the grace period ended. Exit code 75 (`EX_TEMPFAIL`).
    DrainDeadline,
}

/// An error of the trunk: what kind it is, what the reader can change, and what caused it.
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<BoxError>,
}

// === impl ErrorKind ===

impl ErrorKind {
    /// The exit code of a process that ends for this reason, after BSD's `sysexits.h`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Config => 64,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::DrainDeadline => 75,
        }
    }
}

impl From<ErrorKind> for ExitCode {
    fn from(kind: ErrorKind) -> Self {
        Self::from(kind.exit_code())
    }
}

// === impl Error ===

impl Error {
    /// Creates an error. `message` names the thing and the remedy.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_through_any_wrapping() {
        let root = std::io::Error::other("root");
        let inner = Error::new(ErrorKind::Internal, "inner").with_source(root);
        let outer = Error::new(ErrorKind::Config, "outer").with_source(inner);
        let boxed: BoxError = outer.into();
        assert!(cause_ref::<std::io::Error>(&*boxed).is_some());
        assert_eq!(
            cause_ref::<Error>(&*boxed).map(Error::kind),
            Some(ErrorKind::Config)
        );
        assert!(cause_ref::<fmt::Error>(&*boxed).is_none());
    }
}
