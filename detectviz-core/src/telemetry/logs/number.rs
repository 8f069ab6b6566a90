//! Numbers as text, without `fmt`.

/// Appends `value` in decimal.
pub(super) fn u64(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = digit(value % 10);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends `value` in decimal.
pub(super) fn i64(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    u64(out, value.unsigned_abs());
}

/// Writes `value` in decimal over all of `out`, with leading zeros.
pub(super) fn padded(out: &mut [u8], mut value: u64) {
    for place in out.iter_mut().rev() {
        *place = digit(value % 10);
        value /= 10;
    }
}

fn digit(value: u64) -> u8 {
    b"0123456789"[usize::try_from(value).unwrap_or(0) % 10]
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_written_as_fmt_writes_them() {
        for value in [0, 1, 9, 10, 99, 100, 12_345, u64::MAX] {
            let mut out = Vec::new();
            super::u64(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
        for value in [0, -1, 7, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            super::i64(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
        let mut out = [0; 4];
        super::padded(&mut out, 42);
        assert_eq!(&out, b"0042");
    }
}
