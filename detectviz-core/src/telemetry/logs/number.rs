//! Numbers as text, without `fmt`: two digits at a time from a table.
use super::buf::Buf;

/// The most digits of a number of 64 bits.
const MOST: usize = 20;

static PAIRS: [[u8; 2]; 100] = pairs();

/// Each byte in decimal, with a full stop after it.
static BYTES: [[u8; 4]; 256] = bytes();

/// Appends `value` in decimal.
#[inline]
pub(super) fn u64(out: &mut Buf, value: u64) {
    out.fill(|room| render(room, value));
}

/// Appends an IPv4 address.
#[inline]
pub(super) fn ipv4(out: &mut Buf, octets: [u8; 4]) {
    for octet in octets {
        let count = 2 + usize::from(octet > 9) + usize::from(octet > 99);
        out.put_some(&BYTES[usize::from(octet)], count.min(4));
    }
    // The last full stop.
    out.truncate(out.len() - 1);
}

/// Appends `value` in decimal.
pub(super) fn i64(out: &mut Buf, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    u64(out, value.unsigned_abs());
}

/// Appends thousandths as a number with exactly three decimals, such as `1.230`.
#[inline]
pub(super) fn thousandths(out: &mut Buf, value: u64) {
    u64(out, value / 1000);
    let [tens, ones] = pair(value % 100);
    // Below ten, so that it fits.
    let hundreds = b'0' + (value / 100 % 10) as u8;
    out.put_some(&[b'.', hundreds, tens, ones], 4);
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
        thousandths(out, scaled as u64);
        let text = out.as_slice();
        let zeros = text[text.len() - 2..].iter().rev();
        let zeros = zeros.take_while(|digit| **digit == b'0').count();
        out.truncate(out.len() - zeros);
        return;
    }
    // Writing to memory does not fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{value:?}"));
}

/// The two digits of a number below 100.
#[inline]
pub(super) fn pair(value: u64) -> [u8; 2] {
    PAIRS[value as usize % 100]
}

/// Writes `value` over the start of `out` and returns the number of its digits.
#[inline]
fn render(out: &mut [u8; MOST], value: u64) -> usize {
    if value < 10_000 {
        render_top(out, value)
    } else {
        render_long(out, value)
    }
}

/// Writes a number below 100 without a leading zero.
#[inline]
fn top(out: &mut [u8; MOST], value: u64) -> usize {
    let [tens, ones] = pair(value);
    if value < 10 {
        out[0] = ones;
        1
    } else {
        out[..2].copy_from_slice(&[tens, ones]);
        2
    }
}

/// Four digits at a time, behind the first one to four.
#[inline(never)]
fn render_long(out: &mut [u8; MOST], value: u64) -> usize {
    let start = if value < 100_000_000 {
        render_top(out, value / 10_000)
    } else {
        render_long(out, value / 10_000)
    };
    let Some(room) = out
        .get_mut(start..)
        .and_then(|out| out.first_chunk_mut::<4>())
    else {
        return start;
    };
    let ([a, b], [c, d]) = (pair(value / 100 % 100), pair(value % 100));
    *room = [a, b, c, d];
    start + 4
}

/// Writes a number below 10,000.
#[inline]
fn render_top(out: &mut [u8; MOST], value: u64) -> usize {
    if value < 100 {
        return top(out, value);
    }
    let start = top(out, value / 100);
    out[start..start + 2].copy_from_slice(&pair(value % 100));
    start + 2
}

/// The 16 lower-case hexadecimal digits of `value`, eight in a word at a time: the nibbles are spread to a byte each, and
/// those above nine moved on to the letters.
#[inline]
pub(super) fn hex(value: u64) -> [u8; 16] {
    let (high, low) = ((value >> 32) as u32, value as u32);
    let digits = u128::from(eight_digits(high)) << 64 | u128::from(eight_digits(low));
    digits.to_be_bytes()
}

#[inline]
fn eight_digits(value: u32) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from(value);
    let word = (word | word << 16) & 0x0000_ffff_0000_ffff;
    let word = (word | word << 8) & 0x00ff_00ff_00ff_00ff;
    let word = (word | word << 4) & (0x0f * ONES);
    let letters = ((word + 6 * ONES) >> 4) & ONES;
    word + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'9' - 1)
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
        ] {
            assert_eq!(text(|out| thousandths(out, value)), expected);
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
        fn any_number_is_written_as_fmt_writes_it(whole: u64, float: f64, thousands in 0_u64..1 << 52) {
            prop_assert_eq!(text(|out| u64(out, whole)), whole.to_string());
            let rounded = thousands as f64 / 1000.0;
            for value in [float, rounded, -rounded] {
                if value.is_finite() {
                    prop_assert_eq!(text(|out| f64(out, value)), format!("{value:?}"));
                }
            }
        }

        #[test]
        fn ids_are_written_as_fmt_writes_them(value: u64) {
            let digits = hex(value);
            prop_assert_eq!(str::from_utf8(&digits).unwrap(), format!("{value:016x}"));
        }

        #[test]
        fn addresses_are_written_as_fmt_writes_them(octets: [u8; 4]) {
            let address = std::net::Ipv4Addr::from(octets);
            prop_assert_eq!(text(|out| ipv4(out, octets)), address.to_string());
        }
    }
}
