//! The methods that a metric may name.
use http::Method;

/// A method as metrics name it: one of RFC 9110's and PATCH, or `_OTHER`.
///
/// What a client sends is not bounded; OpenTelemetry's semantic conventions ask for `_OTHER` in place of what is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MethodName(u8);

const NAMES: [&str; MethodName::COUNT] = [
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "_OTHER",
];

// === impl MethodName ===

impl MethodName {
    /// How many names there are.
    pub const COUNT: usize = 10;

    /// The name of every method that is not known.
    pub const OTHER: Self = Self(9);

    /// The name of `method`.
    #[must_use]
    pub fn of(method: &Method) -> Self {
        Self(match *method {
            Method::GET => 0,
            Method::POST => 1,
            Method::PUT => 2,
            Method::DELETE => 3,
            Method::PATCH => 4,
            Method::HEAD => 5,
            Method::OPTIONS => 6,
            Method::CONNECT => 7,
            Method::TRACE => 8,
            _ => return Self::OTHER,
        })
    }

    /// The text, in upper case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES[self.index()]
    }

    /// From 0 to [`COUNT`](Self::COUNT) - 1, for tables.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}
