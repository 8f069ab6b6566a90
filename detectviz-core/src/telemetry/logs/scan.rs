//! Eight bytes at a time: is there anything in a text that needs a closer look?

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Whether `bytes` are ASCII without control characters, quotes and backslashes: JSON as they stand.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    all(bytes, |word| special(word) | below(word, 0x20))
}

/// Whether they are plain and hold none of the bytes that could give away a secret: space, `:` and `=`.
pub(super) fn is_harmless(bytes: &[u8]) -> bool {
    all(bytes, |word| {
        special(word) | below(word, 0x21) | equal(word, b':') | equal(word, b'=')
    })
}

/// How many bytes at the start are plain, in steps of eight.
pub(super) fn plain_start(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let is_plain = |word: &&[u8; 8]| is_plain(word.as_slice());
    8 * words.iter().take_while(is_plain).count()
}

fn all(bytes: &[u8], found: impl Fn(u64) -> u64) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [b'x'; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hits = words
        .iter()
        .fold(0, |hits, word| hits | found(u64::from_ne_bytes(*word)));
    hits | found(u64::from_ne_bytes(last)) == 0
}

/// Quote, backslash, DEL, or not ASCII.
fn special(word: u64) -> u64 {
    equal(word, b'"') | equal(word, b'\\') | equal(word, 0x7f) | (word & HIGH)
}

/// Not zero when a byte of `word` is `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    let zero = word ^ (ONES * u64::from(byte));
    zero.wrapping_sub(ONES) & !zero & HIGH
}

/// Not zero when a byte of `word` is less than `bound`, which is at most 0x80.
fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_judged_at_each_place() {
        for byte in 0..=u8::MAX {
            for length in 1..20 {
                for at in 0..length {
                    let mut bytes = vec![b'x'; length];
                    bytes[at] = byte;
                    let plain = (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte);
                    assert_eq!(is_plain(&bytes), plain, "{byte} at {at} of {length}");
                    let harmless = plain && !b" :=".contains(&byte);
                    assert_eq!(is_harmless(&bytes), harmless, "{byte} at {at} of {length}");
                    let start = plain_start(&bytes);
                    assert!(is_plain(&bytes[..start]) && start.is_multiple_of(8));
                    assert!(!plain || start == length / 8 * 8);
                }
            }
        }
        assert!(is_plain(b"") && is_harmless(b""));
    }
}
