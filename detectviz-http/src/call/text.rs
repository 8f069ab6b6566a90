//! Short texts that are put together without allocating.
use std::{
    fmt::{self, Write},
    net::IpAddr,
};

/// Up to `N` bytes of text, kept in place; what does not fit is left out.
pub(crate) struct InlineText<const N: usize> {
    len: usize,
    bytes: [u8; N],
}

impl<const N: usize> InlineText<N> {
    pub(crate) fn new() -> Self {
        Self {
            len: 0,
            bytes: [0; N],
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.put(&text.as_bytes()[..text.floor_char_boundary(N - self.len)]);
    }

    /// Adds bytes that are a text by themselves, if there is room.
    fn put(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
            self.len = end;
        }
    }

    /// A number in decimal.
    pub(crate) fn push_number(&mut self, number: u16) {
        let mut digits = [0; 5];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        // As much as fits: a digit is a character.
        let room = N - self.len;
        self.put(&digits[at..][..room.min(digits.len() - at)]);
    }

    /// An address. That of version 4, also when it is mapped into version 6, is written by hand, which is faster.
    pub(crate) fn push_ip(&mut self, ip: IpAddr) {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                for (at, octet) in ip.octets().into_iter().enumerate() {
                    if at > 0 {
                        self.put(b".");
                    }
                    self.push_number(octet.into());
                }
            }
            IpAddr::V6(ip) => {
                let _ = write!(self, "{ip}");
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl<const N: usize> Write for InlineText<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// The three digits of a status.
pub(crate) fn digits(status: u16, out: &mut [u8; 3]) -> &str {
    let digit = |n: u16| b'0' + u8::try_from(n % 10).unwrap_or(0);
    *out = [digit(status / 100), digit(status / 10), digit(status)];
    str::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_the_standard_library_does() {
        for (ip, shown) in [
            ("10.0.200.1", "10.0.200.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let mut text = InlineText::<64>::new();
            text.push_ip(ip.parse().unwrap());
            assert_eq!(text.as_str(), shown);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_between_characters() {
        let mut text = InlineText::<4>::new();
        text.push("abc");
        text.push("é");
        text.push_number(12);
        assert_eq!(text.as_str(), "abc1");
    }
}
