//! Why levels were refused.
use std::{borrow::Cow, error, fmt};

/// Directives or a time to live that cannot be taken; the message says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLevels(Cow<'static, str>);

// === impl InvalidLevels ===

impl InvalidLevels {
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for InvalidLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for InvalidLevels {}
