//! Timeouts as they stand in headers: `grpc-timeout`, and `x-request-timeout-ms`.
use std::{error, fmt, time::Duration};

/// A header that is no timeout; the request is treated as if it had none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedTimeout;

/// A timeout as text, kept in place: at most 20 ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimeoutText {
    text: [u8; 20],
    start: u8,
}

/// A `grpc-timeout` has at most eight digits.
const GRPC_MOST: u64 = 99_999_999;

/// gRPC's units and how much longer each is than the one before, from the shortest on.
const GRPC_UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1000),
    (b'm', 1000),
    (b'S', 1000),
    (b'M', 60),
    (b'H', 60),
];

/// Reads a `grpc-timeout` (gRPC over HTTP2, *Timeout*): one to eight digits and a unit: `H`, `M` and `S` are hours, minutes
/// and seconds, `m`, `u` and `n` are milli-, micro- and nanoseconds.
///
/// # Errors
/// [`MalformedTimeout`] for everything else. Zero, which the specification excludes, is read as grpc-go reads it: the
/// caller waits no longer.
pub fn parse_grpc_timeout(header: &[u8]) -> Result<Duration, MalformedTimeout> {
    let (unit, digits) = header.split_last().ok_or(MalformedTimeout)?;
    if digits.len() > 8 {
        return Err(MalformedTimeout);
    }
    let value = decimal(digits)?;
    Ok(match unit {
        b'H' => Duration::from_secs(value * 3600),
        b'M' => Duration::from_secs(value * 60),
        b'S' => Duration::from_secs(value),
        b'm' => Duration::from_millis(value),
        b'u' => Duration::from_micros(value),
        b'n' => Duration::from_nanos(value),
        _ => return Err(MalformedTimeout),
    })
}

/// Reads an `x-request-timeout-ms`: milliseconds as decimal digits, at most 19 of them.
///
/// # Errors
/// [`MalformedTimeout`] for everything else; a sign, a fraction and white space are not read.
pub fn parse_timeout_ms(header: &[u8]) -> Result<Duration, MalformedTimeout> {
    if header.len() > 19 {
        return Err(MalformedTimeout);
    }
    decimal(header).map(Duration::from_millis)
}

/// A number of at most 19 digits, which a `u64` holds.
fn decimal(digits: &[u8]) -> Result<u64, MalformedTimeout> {
    if digits.is_empty() {
        return Err(MalformedTimeout);
    }
    digits.iter().try_fold(0, |value, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10)
            .then(|| value * 10 + u64::from(digit))
            .ok_or(MalformedTimeout)
    })
}

// === impl TimeoutText ===

impl TimeoutText {
    /// The `grpc-timeout` of `timeout`: in the shortest unit in which eight digits are enough, never rounded up, and in a
    /// longer unit when that says the same. More than 99,999,999 hours become that.
    #[must_use]
    pub fn grpc(timeout: Duration) -> Self {
        let nanos = u64::try_from(timeout.as_nanos());
        // 584 years in nanoseconds are more than eight digits of any unit but hours and minutes, which seconds count well.
        let (mut value, from) = match nanos {
            Ok(nanos) => (nanos, 0),
            Err(_) => (timeout.as_secs(), 3),
        };
        let mut unit = from;
        for (longer, (_, factor)) in GRPC_UNITS.iter().enumerate().skip(from + 1) {
            let exact = value != 0 && value.is_multiple_of(*factor);
            if value <= GRPC_MOST && !exact {
                break;
            }
            value /= factor;
            unit = longer;
        }
        let mut text = Self::empty();
        text.push_front(GRPC_UNITS[unit].0);
        text.push_decimal(value.min(GRPC_MOST));
        text
    }

    /// The `x-request-timeout-ms` of `timeout`: whole milliseconds, never rounded up. More than 2⁶⁴ become that.
    #[must_use]
    pub fn millis(timeout: Duration) -> Self {
        let mut text = Self::empty();
        text.push_decimal(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        text
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[usize::from(self.start)..]
    }

    fn empty() -> Self {
        Self {
            text: [0; 20],
            start: 20,
        }
    }

    fn push_front(&mut self, byte: u8) {
        self.start -= 1;
        self.text[usize::from(self.start)] = byte;
    }

    fn push_decimal(&mut self, mut value: u64) {
        loop {
            self.push_front(b'0' + (value % 10) as u8);
            value /= 10;
            if value == 0 {
                return;
            }
        }
    }
}

impl AsRef<[u8]> for TimeoutText {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for TimeoutText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(self.as_bytes()).unwrap_or_default())
    }
}

impl fmt::Debug for TimeoutText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeoutText({self})")
    }
}

// === impl MalformedTimeout ===

impl fmt::Display for MalformedTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a timeout")
    }
}

impl error::Error for MalformedTimeout {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grpc_timeouts_are_read_as_the_specification_says() {
        for (header, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("300m", Some(Duration::from_millis(300))),
            ("4u", Some(Duration::from_micros(4))),
            ("00000005n", Some(Duration::from_nanos(5))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("0m", Some(Duration::ZERO)),
            ("", None),
            ("m", None),
            ("5", None),
            ("5s", None),
            ("5h", None),
            ("100000000n", None),
            ("000000001n", None),
            ("+5m", None),
            ("-5m", None),
            (" 5m", None),
            ("5m ", None),
            ("5 m", None),
            ("1.5S", None),
            ("0x5m", None),
            ("5mm", None),
            ("٣m", None),
        ] {
            let read = parse_grpc_timeout(header.as_bytes()).ok();
            assert_eq!(read, expected, "{header:?}");
        }
    }

    #[test]
    fn timeouts_in_milliseconds_are_digits_and_nothing_else() {
        for (header, expected) in [
            ("0", Some(0)),
            ("1500", Some(1500)),
            ("0001500", Some(1500)),
            ("9999999999999999999", Some(9_999_999_999_999_999_999)),
            ("00000000000000000001", None),
            ("18446744073709551616", None),
            ("", None),
            ("1500ms", None),
            ("1.5", None),
            ("-1", None),
            ("1_000", None),
        ] {
            let read = parse_timeout_ms(header.as_bytes()).ok();
            assert_eq!(read, expected.map(Duration::from_millis), "{header:?}");
        }
    }

    #[test]
    fn timeouts_are_written_as_precisely_as_eight_digits_allow() {
        for (timeout, grpc, millis) in [
            (Duration::ZERO, "0n", "0"),
            (Duration::from_nanos(1), "1n", "0"),
            (Duration::from_nanos(99_999_999), "99999999n", "99"),
            (Duration::from_nanos(179_999_999), "179999u", "179"),
            (Duration::from_millis(180), "180m", "180"),
            (Duration::from_millis(1500), "1500m", "1500"),
            (Duration::from_secs(1), "1S", "1000"),
            (Duration::from_secs(7200), "2H", "7200000"),
            (Duration::new(99_999, 999_999_999), "99999999m", "99999999"),
            (Duration::new(100_000, 1), "100000S", "100000000"),
            (Duration::from_secs(100_000_001), "1666666M", "100000001000"),
            (Duration::MAX, "99999999H", "18446744073709551615"),
        ] {
            assert_eq!(TimeoutText::grpc(timeout).to_string(), grpc);
            assert_eq!(TimeoutText::millis(timeout).to_string(), millis);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_never_longer(
            secs in prop_oneof![Just(0), 0..10_u64, 0..1_000_000_u64, 0..300_000_000_000_u64],
            nanos in 0..1_000_000_000_u32,
        ) {
            let timeout = Duration::new(secs, nanos);
            let read = parse_grpc_timeout(TimeoutText::grpc(timeout).as_bytes()).unwrap();
            prop_assert!(read <= timeout);
            // Eight digits, of which the first is not 0 where there was a choice.
            prop_assert!(timeout - read <= timeout / 1_000_000 * 60 + Duration::from_nanos(1), "{read:?}");
            let read = parse_timeout_ms(TimeoutText::millis(timeout).as_bytes()).unwrap();
            prop_assert!(read <= timeout && timeout - read < Duration::from_millis(1));
        }

        #[test]
        fn reading_never_panics(header in proptest::collection::vec(any::<u8>(), 0..24)) {
            let _ = parse_grpc_timeout(&header);
            let _ = parse_timeout_ms(&header);
        }
    }
}
