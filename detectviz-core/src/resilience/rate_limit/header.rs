//! What a caller is told of its limit, as text on the stack.
use super::Decision;
use std::{fmt, time::Duration};

/// The value of one header, in a buffer of its own: writing it allocates nothing. Printable ASCII.
///
/// `RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers-10: lists of structured fields (RFC 9651),
/// where a policy is a string with parameters. Times are whole seconds, rounded up, so that who waits for them has waited
/// long enough.
#[derive(Clone, Copy)]
pub struct HeaderText {
    bytes: [u8; Self::MOST],
    len: usize,
}

// === impl HeaderText ===

impl HeaderText {
    /// No value is longer, in bytes.
    pub const MOST: usize = 128;

    /// Of the name of a policy no more is shown, in bytes.
    const MOST_NAME: usize = 64;

    /// The value of `RateLimit-Policy`, such as `"api";q=100;w=60`: of the policy `name` the limit, and the seconds in which
    /// as much comes back (at least 1). Beyond 64 bytes the name is cut, and what cannot stand in it becomes `_`.
    #[must_use]
    pub fn policy(name: &str, decision: &Decision) -> Self {
        let mut text = Self::named(name);
        text.push(b";q=").number(decision.limit().into());
        text.push(b";w=").number(seconds(decision.window()).max(1));
        text
    }

    /// The value of `RateLimit`, such as `"api";r=42;t=3`: how many units are left of the policy `name`, and the seconds
    /// until all are there again; when the request is refused, until it would have been allowed, which is also what
    /// [`HeaderText::retry_after`] says (section 5 asks for that).
    #[must_use]
    pub fn limit(name: &str, decision: &Decision) -> Self {
        let until = decision.retry_after().unwrap_or(decision.reset_after());
        let mut text = Self::named(name);
        text.push(b";r=").number(decision.remaining().into());
        text.push(b";t=").number(seconds(until));
        text
    }

    /// The value of `Retry-After` (RFC 9110, section 10.2.3), such as `3`; at least 1.
    #[must_use]
    pub fn retry_after(after: Duration) -> Self {
        let mut text = Self::empty();
        text.number(seconds(after).max(1));
        text
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The bytes of the text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn empty() -> Self {
        Self {
            bytes: [0; Self::MOST],
            len: 0,
        }
    }

    fn named(name: &str) -> Self {
        let mut text = Self::empty();
        text.push(b"\"");
        for byte in name.bytes().take(Self::MOST_NAME) {
            let plain = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
            text.push(&[if plain { byte } else { b'_' }]);
        }
        text.push(b"\"");
        text
    }

    fn push(&mut self, more: &[u8]) -> &mut Self {
        if let Some(room) = self.bytes[self.len..].get_mut(..more.len()) {
            room.copy_from_slice(more);
            self.len += more.len();
        }
        self
    }

    fn number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
