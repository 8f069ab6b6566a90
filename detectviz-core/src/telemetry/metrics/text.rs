//! Numbers and texts as a scrape shows them, written without allocating.
use super::exemplar::Found;
use std::io::Write;

/// The digits of the numbers from 00 to 99.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

const NANOS: u64 = 1_000_000_000;

/// One line: what stands before the value, and the value.
pub(super) fn sample(out: &mut Vec<u8>, prefix: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(prefix);
    value(out);
    out.push(b'\n');
}

/// A whole number.
pub(super) fn integer(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    while number >= 10 {
        let pair = (number % 100) as usize * 2;
        number /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    // What is left has one digit, or none that counts.
    if number > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + number as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// A number with or without a fraction, in the fewest digits that read back the same.
pub(super) fn float(out: &mut Vec<u8>, number: f64) {
    if number.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if number.is_infinite() {
        let text: &[u8] = if number > 0.0 { b"+Inf" } else { b"-Inf" };
        out.extend_from_slice(text);
    } else {
        let plain = number == 0.0 || (1e-6..1e18).contains(&number.abs());
        // Writing to a vector does not fail.
        let _ = if plain {
            write!(out, "{number}")
        } else {
            write!(out, "{number:e}")
        };
    }
}

/// Nanoseconds as seconds, exactly.
pub(super) fn nanos_as_seconds(out: &mut Vec<u8>, nanos: u64) {
    integer(out, nanos / NANOS);
    fraction(out, nanos % NANOS);
}

/// `.` and nine digits without the zeros at their end; nothing for 0.
fn fraction(out: &mut Vec<u8>, mut billionths: u64) {
    if billionths == 0 {
        return;
    }
    let mut digits = [b'0'; 9];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (billionths % 10) as u8;
        billionths /= 10;
    }
    let used = digits
        .iter()
        .rposition(|d| *d != b'0')
        .map_or(0, |at| at + 1);
    out.push(b'.');
    out.extend_from_slice(&digits[..used]);
}

/// A bound in the canonical form of OpenMetrics, which is that of Go's `%g` with a `.0` on whole numbers.
pub(super) fn canonical(bound: f64) -> String {
    let scientific = format!("{bound:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) || bound == 0.0 {
        format!("{bound:?}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// ` # {trace_id="…",span_id="…"} value time`.
pub(super) fn exemplar(out: &mut Vec<u8>, found: &Found, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b" # {trace_id=\"");
    out.extend_from_slice(&found.trace_id.to_hex());
    out.extend_from_slice(b"\",span_id=\"");
    out.extend_from_slice(&found.span_id.to_hex());
    out.extend_from_slice(b"\"} ");
    value(out);
    out.push(b' ');
    let millis = found.unix_nanos / 1_000_000;
    nanos_as_seconds(out, millis * 1_000_000);
}

/// The value of a label, between quotes.
pub(super) fn label_value(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    escaped(out, value, true);
    out.push(b'"');
}

/// `text` with backslashes and line feeds escaped, and quotes too if `quotes`.
pub(super) fn escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            byte => out.push(byte),
        }
    }
}
