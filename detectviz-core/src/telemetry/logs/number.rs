//! Numbers as text, without `fmt`: two digits at a time from a table.
use super::buf::Buf;

/// As much room as a number or an address is given; none takes all of it.
pub(super) const ROOM: usize = 48;

static PAIRS: [[u8; 2]; 100] = pairs();

/// Each byte in decimal, with a full stop after it.
static BYTES: [[u8; 4]; 256] = bytes();

/// Appends `value` in decimal.
#[inline]
pub(super) fn u64(out: &mut Buf, value: u64) {
    out.fill(|room| unsigned(room, value));
}

/// Appends `value` in decimal.
#[inline]
pub(super) fn i64(out: &mut Buf, value: i64) {
    out.fill(|room| signed(room, value));
}

/// Appends what `{:?}` makes of a finite number; quickly when it has at most three decimals.
pub(super) fn f64(out: &mut Buf, value: f64) {
    /// Below it each number of thousandths has its own nearest `f64`, and fits into 15 digits.
    const BOUND: f64 = 1e15;
    let scaled = (value.abs() * 1000.0).round();
    if scaled < BOUND && scaled / 1000.0 == value.abs() {
        if value.is_sign_negative() {
            out.push(b'-');
        }
        // Whole and not negative.
        out.fill(|room| {
            let count = thousandths(room, scaled as u64);
            let zeros = room[..count].iter().rev().take(2);
            count - zeros.take_while(|digit| **digit == b'0').count()
        });
        return;
    }
    // Writing to memory does not fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{value:?}"));
}

/// Writes `value` in decimal and returns its length.
#[inline]
pub(super) fn unsigned(out: &mut [u8; ROOM], value: u64) -> usize {
    digits(out, 0, value)
}

/// Writes `value` in decimal and returns its length.
#[inline]
pub(super) fn signed(out: &mut [u8; ROOM], value: i64) -> usize {
    out[0] = b'-';
    digits(out, usize::from(value < 0), value.unsigned_abs())
}

/// Writes thousandths as a number with exactly three decimals, such as `1.230`, and returns its length.
#[inline]
pub(super) fn thousandths(out: &mut [u8; ROOM], value: u64) -> usize {
    let [tens, ones] = pair(value % 100);
    let hundreds = b'0' + (value / 100 % 10) as u8;
    let start = digits(out, 0, value / 1000);
    put(out, start, [b'.', hundreds, tens, ones])
}

/// Writes an IPv4 address and a port in quotes, and returns their length.
#[inline]
pub(super) fn address(out: &mut [u8; ROOM], octets: [u8; 4], port: u16) -> usize {
    let mut at = put(out, 0, *b"\"");
    for octet in octets {
        put(out, at, BYTES[usize::from(octet)]);
        at += 2 + usize::from(octet > 9) + usize::from(octet > 99);
    }
    // In the place of the last full stop.
    put(out, at - 1, *b":");
    let end = digits(out, at, port.into());
    put(out, end, *b"\"")
}

/// The two digits of a number below 100.
#[inline]
pub(super) fn pair(value: u64) -> [u8; 2] {
    PAIRS[value as usize % 100]
}

/// Puts bytes at a place, and returns where they end.
#[inline]
fn put<const N: usize>(out: &mut [u8; ROOM], at: usize, bytes: [u8; N]) -> usize {
    if let Some(room) = out.get_mut(at..at + N) {
        room.copy_from_slice(&bytes);
    }
    at + N
}

/// Writes `value` from `at` on, and returns where it ends.
#[inline]
fn digits(out: &mut [u8; ROOM], at: usize, value: u64) -> usize {
    if value < 10_000 {
        few_digits(out, at, value)
    } else {
        many_digits(out, at, value)
    }
}

/// Writes a number below 10,000.
#[inline]
fn few_digits(out: &mut [u8; ROOM], at: usize, value: u64) -> usize {
    if value < 100 {
        return top(out, at, value);
    }
    let at = top(out, at, value / 100);
    put(out, at, pair(value % 100))
}

/// Writes a number below 100 without a leading zero.
#[inline]
fn top(out: &mut [u8; ROOM], at: usize, value: u64) -> usize {
    let [tens, ones] = pair(value);
    if value < 10 {
        put(out, at, [ones])
    } else {
        put(out, at, [tens, ones])
    }
}

/// Writes four digits at a time, behind the first one to four.
#[inline(never)]
fn many_digits(out: &mut [u8; ROOM], at: usize, value: u64) -> usize {
    let above = value / 10_000;
    let at = if above < 10_000 {
        few_digits(out, at, above)
    } else {
        many_digits(out, at, above)
    };
    let ([a, b], [c, d]) = (pair(value / 100 % 100), pair(value % 100));
    put(out, at, [a, b, c, d])
}

const fn pairs() -> [[u8; 2]; 100] {
    let mut table = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        table[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    table
}

const fn bytes() -> [[u8; 4]; 256] {
    let mut table = [[b'.'; 4]; 256];
    let mut value = 0;
    while value < 256 {
        let mut at = if value > 99 {
            3
        } else if value > 9 {
            2
        } else {
            1
        };
        let mut rest = value;
        while at > 0 {
            at -= 1;
            table[value][at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        value += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl FnOnce(&mut Buf)) -> String {
        let mut out = Buf::new();
        out.put(b"x");
        write(&mut out);
        String::from_utf8(out.as_slice()[1..].to_vec()).unwrap()
    }

    #[test]
    fn numbers_are_written_as_fmt_writes_them() {
        for digits in 0..20 {
            for value in [
                10_u64.pow(digits),
                10_u64.pow(digits) - 1,
                10_u64.pow(digits) + 7,
            ] {
                assert_eq!(text(|out| u64(out, value)), value.to_string());
            }
        }
        for value in [0, -1, 7, i64::MIN, i64::MAX] {
            assert_eq!(text(|out| i64(out, value)), value.to_string());
        }
        for (value, expected) in [
            (0, "0.000"),
            (7, "0.007"),
            (1234, "1.234"),
            (60_010, "60.010"),
            (u64::MAX, "18446744073709551.615"),
        ] {
            assert_eq!(
                text(|out| out.fill(|room| thousandths(room, value))),
                expected
            );
        }
        for value in [
            0.0,
            -0.0,
            1.0,
            0.5,
            1.234,
            -0.001,
            0.0005,
            1e-7,
            0.1 + 0.2,
            999_999_999_999.999,
            1e12,
            1e15,
            1e16,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            assert_eq!(text(|out| f64(out, value)), format!("{value:?}"));
        }
    }

    proptest! {
        #[test]
        fn any_number_is_written_as_fmt_writes_it(whole: u64, shift in 0_u32..64, float: f64, thousands in 0_u64..1 << 52) {
            prop_assert_eq!(text(|out| u64(out, whole >> shift)), (whole >> shift).to_string());
            prop_assert_eq!(text(|out| i64(out, whole as i64)), (whole as i64).to_string());
            let rounded = thousands as f64 / 1000.0;
            for value in [float, rounded, -rounded] {
                if value.is_finite() {
                    prop_assert_eq!(text(|out| f64(out, value)), format!("{value:?}"));
                }
            }
        }

        #[test]
        fn addresses_are_written_as_fmt_writes_them(octets: [u8; 4], port: u16) {
            let expected = std::net::SocketAddr::from((octets, port)).to_string();
            let shown = text(|out| out.fill(|room| address(room, octets, port)));
            prop_assert_eq!(shown, format!("\"{expected}\""));
        }
    }
}
