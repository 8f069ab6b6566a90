//! Texts looked at many bytes at a time: is there anything in them that needs a closer look?

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes are looked at together. The compiler makes one vector of them.
const BLOCK: usize = 16;

/// How much room behind a text [`copy`] may write to.
pub(super) const BEHIND: usize = BLOCK;

/// What a text holds that needs a closer look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found([u8; BLOCK]);

// === impl Found ===

impl Found {
    const ESCAPE: u8 = 1;
    const CLUE: u8 = 2;
    const SPACE: u8 = 4;

    /// Nothing: the text is JSON as it stands, and no secret can be in it.
    #[inline]
    pub(super) fn nothing(self) -> bool {
        self.all() == 0
    }

    /// Nothing but spaces perhaps, and none of those stands behind the name of a scheme that a secret follows.
    #[inline]
    pub(super) fn is_harmless(self, text: &[u8]) -> bool {
        const OTHERS: u128 = u128::from_ne_bytes([Found::ESCAPE | Found::CLUE; BLOCK]);
        self.nothing() || (self.all() & OTHERS == 0 && !names_scheme(text))
    }

    /// Something that may have to be escaped: not printable ASCII, a quote or a backslash.
    #[inline]
    pub(super) fn escapes(self) -> bool {
        const ESCAPES: u128 = u128::from_ne_bytes([Found::ESCAPE; BLOCK]);
        self.all() & ESCAPES != 0
    }

    #[inline]
    fn all(self) -> u128 {
        u128::from_ne_bytes(self.0)
    }
}

/// Copies `text` to the start of `out`, which is longer by [`BEHIND`] bytes at least, and says what it holds. A space, `:`
/// or `=` may give a secret away.
#[inline]
pub(super) fn copy(out: &mut [u8], text: &[u8]) -> Found {
    let mut found = [0; BLOCK];
    let (out, _) = out.as_chunks_mut::<BLOCK>();
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (out, block) in out.iter_mut().zip(blocks) {
        *out = *block;
        judge(block, &mut found);
    }
    if !rest.is_empty()
        && let Some(out) = out.get_mut(blocks.len())
    {
        let last = last(rest);
        *out = last;
        judge(&last, &mut found);
    }
    Found(found)
}

/// Says what `text` holds.
#[inline]
pub(super) fn look(text: &[u8]) -> Found {
    let mut found = [0; BLOCK];
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for block in blocks {
        judge(block, &mut found);
    }
    judge(&last(rest), &mut found);
    Found(found)
}

/// Whether `bytes` are ASCII without control characters, quotes and backslashes: JSON as they stand.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [b'x'; 8];
    last[..rest.len()].copy_from_slice(rest);
    words.iter().all(is_plain_word) && is_plain_word(&last)
}

/// How many bytes at the start are plain, in steps of eight.
pub(super) fn plain_start(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    8 * words.iter().take_while(|word| is_plain_word(word)).count()
}

/// Whether a space stands behind what the names of two schemes end with, `Bearer` and `Basic`.
#[inline(never)]
fn names_scheme(text: &[u8]) -> bool {
    let ends_name = |space: usize| {
        let before = text.get(..space).and_then(<[u8]>::last_chunk::<3>);
        before.is_some_and(|name| {
            matches!(
                name.map(|b| b | 0x20),
                [b'r', b'e', b'r'] | [b's', b'i', b'c']
            )
        })
    };
    let in_word = |start: usize, word: &[u8; 8]| {
        let mut spaces = equal(u64::from_le_bytes(*word), b' ');
        // A false hit, which there may be above a true one, is as good as a space.
        while spaces != 0 {
            if ends_name(start + spaces.trailing_zeros() as usize / 8) {
                return true;
            }
            spaces &= spaces - 1;
        }
        false
    };
    let (words, rest) = text.as_chunks::<8>();
    if words
        .iter()
        .enumerate()
        .any(|(at, word)| in_word(8 * at, word))
    {
        return true;
    }
    match text.last_chunk::<8>() {
        Some(last) => !rest.is_empty() && in_word(text.len() - 8, last),
        None => (0..text.len()).any(|at| text[at] == b' ' && ends_name(at)),
    }
}

/// The first space, `:` or `=` from `from` on.
pub(super) fn next_clue(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (words, last) = rest.as_chunks::<8>();
    let clues = |word: u64| equal(word, b' ') | equal(word, b':') | equal(word, b'=');
    for (at, word) in words.iter().enumerate() {
        // The lowest hit is exact; only above it there can be false ones.
        let hits = clues(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(from + 8 * at + hits.trailing_zeros() as usize / 8);
        }
    }
    let start = from + rest.len() - last.len();
    let at = last.iter().position(|b| matches!(b, b' ' | b':' | b'='))?;
    Some(start + at)
}

/// Adds what is in the block to what was found before, lane by lane.
#[inline]
fn judge(block: &[u8; BLOCK], found: &mut [u8; BLOCK]) {
    for (byte, found) in block.iter().zip(found) {
        let printable = byte.wrapping_sub(b' ') < 0x7f - b' ';
        let escape = !printable | (*byte == b'"') | (*byte == b'\\');
        let clue = (*byte == b':') | (*byte == b'=');
        let space = *byte == b' ';
        *found |= if escape { Found::ESCAPE } else { 0 };
        *found |= if clue { Found::CLUE } else { 0 };
        *found |= if space { Found::SPACE } else { 0 };
    }
}

/// The bytes, fewer than a block, and then nothing of interest. It is put together from pieces that may overlap: where they
/// do, they are the same.
#[inline]
fn last(rest: &[u8]) -> [u8; BLOCK] {
    const FILL: u64 = u64::from_ne_bytes([b'x'; 8]);
    let bits = 8 * rest.len() as u32;
    let (low, high) = match (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            // The part of the last eight that lies behind the first.
            let behind = last.unbounded_shr(128 - bits);
            (first, behind | FILL.unbounded_shl(bits - 64))
        }
        _ => (few(rest) | FILL.unbounded_shl(bits), FILL),
    };
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

/// Fewer than eight bytes, as a number, the first the lowest.
#[inline]
fn few(rest: &[u8]) -> u64 {
    let Some(end) = rest.len().checked_sub(1) else {
        return 0;
    };
    if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << (8 * (rest.len() - 4));
    }
    // One, two or three: the first, the middle and the last.
    let middle = rest.len() / 2;
    [0, middle, end]
        .into_iter()
        .fold(0, |all, at| all | u64::from(rest[at]) << (8 * at))
}

fn is_plain_word(word: &[u8; 8]) -> bool {
    let word = u64::from_ne_bytes(*word);
    let hits = equal(word, b'"')
        | equal(word, b'\\')
        | equal(word, 0x7f)
        | (word & HIGH)
        | below(word, 0x20);
    hits == 0
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
    use proptest::prelude::*;

    #[test]
    fn each_byte_is_judged_at_each_place() {
        for byte in 0..=u8::MAX {
            for length in 1..40 {
                for at in 0..length {
                    let mut bytes = vec![b'x'; length];
                    bytes[at] = byte;
                    let plain = (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte);
                    assert_eq!(is_plain(&bytes), plain, "{byte} at {at} of {length}");
                    let start = plain_start(&bytes);
                    assert!(is_plain(&bytes[..start]) && start.is_multiple_of(8));
                    assert!(!plain || start == length / 8 * 8);
                    let clue = b" :=".contains(&byte);
                    let space = byte == b' ';
                    let mut out = vec![0; length + BEHIND];
                    let found = copy(&mut out, &bytes);
                    assert_eq!(out[..length], bytes);
                    assert_eq!(found.0, look(&bytes).0);
                    assert_eq!(found.escapes(), !plain, "{byte} at {at} of {length}");
                    assert_eq!(
                        found.nothing(),
                        plain && !clue,
                        "{byte} at {at} of {length}"
                    );
                    assert_eq!(found.is_harmless(&bytes), plain && (!clue || space));
                    assert_eq!(next_clue(&bytes, 0), clue.then_some(at));
                    assert_eq!(next_clue(&bytes, at + 1), None);
                }
            }
        }
        assert!(is_plain(b"") && copy(&mut [], b"").nothing());
        assert_eq!(next_clue(b"", 1), None);
    }

    #[test]
    fn a_space_behind_the_name_of_a_scheme_is_noticed_at_each_place() {
        for (text, named) in [
            ("bearer x", true),
            ("BASIC x", true),
            ("Bearer ", true),
            ("Bearer", false),
            ("rer", false),
            (" er x", false),
            ("order accepted for the user", false),
            ("", false),
        ] {
            for before in 0..20 {
                let text = format!("{}{text}", " a".repeat(before));
                assert_eq!(names_scheme(text.as_bytes()), named, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_copied_and_its_clues_are_found_in_order(text in "(?s)([ :=;9<!]|.){0,70}") {
            let bytes = text.as_bytes();
            let mut out = vec![0; bytes.len() + BEHIND];
            copy(&mut out, bytes);
            prop_assert_eq!(&out[..bytes.len()], bytes);
            let clues = (0..bytes.len()).filter(|at| b" :=".contains(&bytes[*at]));
            let mut found = Vec::new();
            while let Some(at) = next_clue(bytes, found.last().map_or(0, |last| last + 1)) {
                found.push(at);
            }
            prop_assert_eq!(found, clues.collect::<Vec<_>>());
        }
    }
}
