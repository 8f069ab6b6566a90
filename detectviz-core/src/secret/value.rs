//! A value that never shows itself.
use std::{fmt, str};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret value: redacted in `Debug`, without `Display` and `Serialize`, compared in constant time, wiped on drop.
///
/// Wiping covers the memory that this value owns. Copies that a caller made from [`expose`](Self::expose), that a
/// third-party client kept, or that the operating system swapped out are out of its reach.
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes ownership of `value`; its spare capacity is wiped and given back.
    #[must_use]
    pub fn new(value: Vec<u8>) -> Self {
        if value.len() == value.capacity() {
            return Self(Zeroizing::new(value.into_boxed_slice()));
        }
        // Shrinking in place may move the bytes and leave the old ones behind, so copy and wipe.
        let value = Zeroizing::new(value);
        Self(Zeroizing::new(Box::from(value.as_slice())))
    }

    /// The bytes. Pass them on; do not keep them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The value as text, or `None` when it is not UTF-8.
    #[must_use]
    pub fn expose_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }

    /// Whether the value is `shown`, compared in time that depends on the lengths alone.
    #[must_use]
    pub fn matches(&self, shown: &[u8]) -> bool {
        self.expose().ct_eq(shown).into()
    }

    /// Whether the value is empty, which for a secret is nearly always a mistake.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self(Zeroizing::new(Box::from(value.as_bytes())))
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value.into_bytes())
    }
}

impl From<Vec<u8>> for Secret {
    fn from(value: Vec<u8>) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl PartialEq for Secret {
    /// Compares in time that depends on the lengths alone.
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.expose())
    }
}

impl Eq for Secret {}
