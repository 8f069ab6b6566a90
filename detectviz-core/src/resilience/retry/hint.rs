//! What a server says about when to come back.
use std::time::{Duration, SystemTime};

/// What a server says about when to come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Nothing, or nothing that can be understood.
    #[default]
    None,
    /// After this time.
    After(Duration),
    /// Never: the call is not retried.
    Never,
}

// === impl Hint ===

impl Hint {
    /// Reads the value of a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date in any of the three forms
    /// of HTTP. `now` is the wall clock, for a date; one that has passed means at once. Anything else is no hint.
    #[must_use]
    pub fn retry_after(value: &[u8], now: SystemTime) -> Self {
        let value = value.trim_ascii();
        if let Some(seconds) = number(value) {
            return Self::After(Duration::from_secs(seconds));
        }
        let text = std::str::from_utf8(value).ok();
        match text.and_then(|text| httpdate::parse_http_date(text).ok()) {
            Some(date) => Self::After(date.duration_since(now).unwrap_or_default()),
            None => Self::None,
        }
    }

    /// Reads the value of `grpc-retry-pushback-ms` in the trailers of a gRPC answer (proposal A6): milliseconds. What is
    /// negative or not a number means never.
    #[must_use]
    pub fn grpc_pushback(value: &[u8]) -> Self {
        number(value.trim_ascii()).map_or(Self::Never, |ms| Self::After(Duration::from_millis(ms)))
    }
}

/// A number without a sign; one that is too large is the largest.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |n: u64, d: &u8| n.saturating_mul(10).saturating_add(u64::from(d - b'0'));
    Some(text.iter().fold(0, digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_after_is_seconds_or_a_date_in_any_form() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let after = |seconds| Hint::After(Duration::from_secs(seconds));
        for (value, before, expected) in [
            ("3", 0, after(3)),
            (" 120 ", 0, after(120)),
            ("0", 0, after(0)),
            ("99999999999999999999999", 0, after(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 3, after(3)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 7, after(7)),
            ("Sun Nov  6 08:49:37 1994", 60, after(60)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0, after(0)),
            ("abc", 0, Hint::None),
            ("", 0, Hint::None),
            ("-3", 0, Hint::None),
            ("+3", 0, Hint::None),
            ("1.5", 0, Hint::None),
            ("3 s", 0, Hint::None),
            ("Sun, 32 Nov 1994 08:49:37 GMT", 0, Hint::None),
        ] {
            let now = date - Duration::from_secs(before);
            assert_eq!(
                Hint::retry_after(value.as_bytes(), now),
                expected,
                "{value}"
            );
        }
        let later = date + Duration::from_secs(9);
        let passed = Hint::retry_after(b"Sun, 06 Nov 1994 08:49:37 GMT", later);
        assert_eq!(passed, after(0));
        assert_eq!(Hint::retry_after(b"\xff", date), Hint::None);
    }

    #[test]
    fn a_push_back_that_is_not_understood_means_never() {
        for (value, expected) in [
            ("250", Hint::After(Duration::from_millis(250))),
            ("0", Hint::After(Duration::ZERO)),
            ("-1", Hint::Never),
            ("soon", Hint::Never),
            ("", Hint::Never),
        ] {
            assert_eq!(Hint::grpc_pushback(value.as_bytes()), expected, "{value}");
        }
    }
}
