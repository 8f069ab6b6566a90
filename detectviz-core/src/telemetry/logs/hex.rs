//! Ids as lower-case hexadecimal digits.

/// The digits of a trace id and then of a span id, which are given as bytes, in one go.
#[inline]
pub(super) fn ids(trace_id: [u8; 16], span_id: [u8; 8]) -> [u8; 64] {
    let (mut bytes, mut out) = ([0; 32], [[0; 2]; 32]);
    bytes[..16].copy_from_slice(&trace_id);
    bytes[16..24].copy_from_slice(&span_id);
    digits(&bytes, &mut out);
    let mut flat = [0; 64];
    flat.copy_from_slice(out.as_flattened());
    flat
}

/// Writes each byte as two digits. It is not inlined, where the compiler would know the length and look at each byte alone:
/// so it makes vectors of them.
#[inline(never)]
fn digits(bytes: &[u8], out: &mut [[u8; 2]]) {
    let digit = |nibble: u8| nibble + b'0' + if nibble > 9 { b'a' - b'9' - 1 } else { 0 };
    for (pair, byte) in out.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_written_as_fmt_writes_them(trace_id: u128, span_id: u64) {
            let digits = ids(trace_id.to_be_bytes(), span_id.to_be_bytes());
            let expected = format!("{trace_id:032x}{span_id:016x}");
            prop_assert_eq!(str::from_utf8(&digits[..48]).unwrap(), expected);
        }
    }
}
