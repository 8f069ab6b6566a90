//! Names that announce a secret.

/// A part of a name, and whether it counts only as a word of its own.
struct Needle {
    text: &'static [u8],
    alone: Alone,
}

#[derive(PartialEq, Eq)]
enum Alone {
    /// Counts anywhere in a name.
    No,
    /// Counts when the name, or a word of it, ends here.
    AtEnd,
    /// Counts when it is a word of the name.
    Both,
}

/// Words that, last in a name, say that it is about a secret and not the secret itself.
const HARMLESS: [&[u8]; 12] = [
    b"count", b"len", b"length", b"size", b"ttl", b"type", b"kind", b"name", b"version",
    b"expires", b"expiry", b"total",
];

/// Whether what stands under `key` is masked: `password`, `X-Api-Key`, `refreshToken`, `set-cookie`, …, but neither
/// `token_count` nor `secret_name`. Case does not matter; `-`, `_`, `.` and a space are the same.
pub(in super::super) fn is_secret_key(key: &str) -> bool {
    let key = key.as_bytes();
    (0..key.len()).any(|at| needles(key[at]).iter().any(|needle| needle.is_at(key, at)))
}

const fn needle(text: &'static [u8], alone: Alone) -> Needle {
    Needle { text, alone }
}

/// The needles that begin with a letter.
fn needles(first: u8) -> &'static [Needle] {
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

fn normal(byte: u8) -> u8 {
    match byte {
        b'-' | b'.' | b' ' => b'_',
        _ => byte.to_ascii_lowercase(),
    }
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| normal(*a) == *b)
}

// === impl Needle ===

impl Needle {
    fn is_at(&self, key: &[u8], at: usize) -> bool {
        let Some(rest) = key[at..].split_at_checked(self.text.len()) else {
            return false;
        };
        if !same(rest.0, self.text) {
            return false;
        }
        let mut rest = rest.1;
        if let [b's' | b'S', after @ ..] = rest {
            rest = after;
        }
        let ends = rest.first().is_none_or(|b| !b.is_ascii_lowercase());
        let starts =
            at == 0 || !key[at - 1].is_ascii_alphanumeric() || key[at].is_ascii_uppercase();
        let counts = match self.alone {
            Alone::No => true,
            Alone::AtEnd => ends,
            Alone::Both => starts && ends,
        };
        counts && !is_harmless(rest)
    }
}

/// Whether the last word of what follows a needle takes the secret out of it.
fn is_harmless(rest: &[u8]) -> bool {
    let word = match rest.iter().rposition(|b| normal(*b) == b'_') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    HARMLESS.iter().any(|harmless| same(word, harmless))
}
