//! Names that announce a secret.

/// A part of a name, and whether it counts only as a word of its own.
struct Needle {
    text: &'static [u8],
    alone: Alone,
}

#[derive(Clone, Copy)]
enum Alone {
    /// Counts anywhere in a name.
    No,
    /// Counts when the name, or a word of it, ends here.
    AtEnd,
    /// Counts when it is a word of the name.
    Both,
}

/// The shortest of all needles.
const SHORTEST: usize = 3;

/// Words that, last in a name, say that it is about a secret and not the secret itself.
const HARMLESS: [&[u8]; 12] = [
    b"count", b"len", b"length", b"size", b"ttl", b"type", b"kind", b"name", b"version",
    b"expires", b"expiry", b"total",
];

/// Whether what stands under `key` is masked: `password`, `X-Api-Key`, `refreshToken`, `set-cookie`, …, but neither
/// `token_count` nor `secret_name`. Case does not matter; `-`, `_`, `.` and a space are the same.
pub(in super::super) const fn is_secret_key(key: &str) -> bool {
    let key = key.as_bytes();
    let mut at = 0;
    while at + SHORTEST <= key.len() {
        let needles = needles(key[at]);
        let mut which = 0;
        while which < needles.len() {
            if needles[which].is_at(key, at) {
                return true;
            }
            which += 1;
        }
        at += 1;
    }
    false
}

const fn needle(text: &'static [u8], alone: Alone) -> Needle {
    Needle { text, alone }
}

/// The needles that begin with a letter.
const fn needles(first: u8) -> &'static [Needle] {
    const P: [Needle; 6] = [
        needle(b"password", Alone::No),
        needle(b"passwd", Alone::No),
        needle(b"passphrase", Alone::No),
        needle(b"private_key", Alone::No),
        needle(b"privatekey", Alone::No),
        needle(b"pwd", Alone::Both),
    ];
    const S: [Needle; 3] = [
        needle(b"secret", Alone::No),
        needle(b"signature", Alone::Both),
        needle(b"sig", Alone::Both),
    ];
    const T: [Needle; 1] = [needle(b"token", Alone::AtEnd)];
    const A: [Needle; 5] = [
        needle(b"authorization", Alone::No),
        needle(b"api_key", Alone::No),
        needle(b"apikey", Alone::No),
        needle(b"access_key", Alone::No),
        needle(b"accesskey", Alone::No),
    ];
    const C: [Needle; 2] = [
        needle(b"cookie", Alone::No),
        needle(b"credential", Alone::No),
    ];
    match first {
        b'p' | b'P' => &P,
        b's' | b'S' => &S,
        b't' | b'T' => &T,
        b'a' | b'A' => &A,
        b'c' | b'C' => &C,
        _ => &[],
    }
}

const fn normal(byte: u8) -> u8 {
    match byte {
        b'-' | b'.' | b' ' => b'_',
        _ => byte.to_ascii_lowercase(),
    }
}

/// Whether `word` stands at `at`.
const fn stands_at(key: &[u8], at: usize, word: &[u8]) -> bool {
    if key.len() < at + word.len() {
        return false;
    }
    let mut offset = 0;
    while offset < word.len() {
        if normal(key[at + offset]) != word[offset] {
            return false;
        }
        offset += 1;
    }
    true
}

// === impl Needle ===

impl Needle {
    const fn is_at(&self, key: &[u8], at: usize) -> bool {
        if !stands_at(key, at, self.text) {
            return false;
        }
        let mut end = at + self.text.len();
        if end < key.len() && matches!(key[end], b's' | b'S') {
            end += 1;
        }
        let ends = end == key.len() || !key[end].is_ascii_lowercase();
        let starts =
            at == 0 || !key[at - 1].is_ascii_alphanumeric() || key[at].is_ascii_uppercase();
        let counts = match self.alone {
            Alone::No => true,
            Alone::AtEnd => ends,
            Alone::Both => starts && ends,
        };
        counts && !is_harmless(key, end)
    }
}

/// Whether the last word of what follows a needle, from `from` on, takes the secret out of it.
const fn is_harmless(key: &[u8], from: usize) -> bool {
    let mut word = key.len();
    while word > from && normal(key[word - 1]) != b'_' {
        word -= 1;
    }
    let mut which = 0;
    while which < HARMLESS.len() {
        let harmless = HARMLESS[which];
        if key.len() - word == harmless.len() && stands_at(key, word, harmless) {
            return true;
        }
        which += 1;
    }
    false
}
