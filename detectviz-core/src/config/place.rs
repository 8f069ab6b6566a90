//! Where a value was written: a file and a line, a variable, a flag, or nowhere.
use std::{fmt, sync::Arc};

/// The layer that a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody wrote it: the default of its type.
    Default,
    /// A file that is part of the program.
    Embedded(Arc<str>),
    /// A file on disk.
    File(Arc<str>),
    /// An environment variable.
    Env(Arc<str>),
    /// A `--set` on the command line, with its path.
    Flag(Arc<str>),
}

/// An origin, and a line where the origin is a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    origin: Origin,
    line: Option<usize>,
    column: Option<usize>,
}

// === impl Origin ===

impl Origin {
    /// Whether it is text that a shell handed over, which cannot tell `"5"` from `5`.
    pub(crate) fn is_shell(&self) -> bool {
        matches!(self, Self::Env(_) | Self::Flag(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Embedded(name) => write!(f, "embedded {name}"),
            Self::File(name) | Self::Env(name) => f.write_str(name),
            Self::Flag(path) => write!(f, "--set {path}"),
        }
    }
}

// === impl Place ===

impl Place {
    /// A place without a line.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            line: None,
            column: None,
        }
    }

    /// The same with a line and a column, both from 1 upwards.
    pub(crate) fn at(origin: &Origin, line: usize, column: usize) -> Self {
        Self {
            origin: origin.clone(),
            line: Some(line),
            column: Some(column),
        }
    }

    /// The layer.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The line, from 1 upwards.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The column in characters, from 1 upwards.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.column
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin.fmt(f)?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}
