//! The names of fields, and what must be known of each.
use super::{redact::is_secret_key, scan::is_plain};
use std::cell::Cell;

/// The longest name that is written whole, in bytes.
pub(super) const MAX_NAME: usize = 256;

/// What is put before a name that is taken.
pub(super) const PREFIX: &str = "fields.";

pub(super) const STANDARD: [&str; 9] = [
    "timestamp",
    "level",
    "caller",
    "target",
    "message",
    "trace_id",
    "span_id",
    "service",
    "truncated",
];

/// A name and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Name<'a> {
    pub(super) text: &'a str,
    /// What stands for the text where names are compared.
    pub(super) hash: NameHash,
    /// Whether what stands under it is masked.
    pub(super) is_secret: bool,
    /// Whether a standard field has it.
    pub(super) is_standard: bool,
    /// Whether it is JSON as it stands.
    pub(super) is_plain: bool,
}

/// A hash of 64 bits: FNV-1a, then mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct NameHash(u64);

/// The names that a line has. Two that have the same hash count as the same, so that, once in 2⁶⁴, a field is called
/// `fields.<name>` for no reason.
#[derive(Debug)]
pub(super) struct Taken {
    /// A bit for each name: where it is not set, nobody needs to look.
    bits: u64,
    hashes: [NameHash; Taken::MOST],
    len: usize,
}

/// Names of the source that this thread has seen, by address. A static text does not change, so that its address and its
/// length stand for it.
struct Seen([[Cell<Name<'static>>; 2]; PLACES]);

const PLACES: usize = 64;

thread_local! {
    static SEEN: Seen = const { Seen([const { [const { Cell::new(EMPTY) }; 2] }; PLACES]) };
}

const EMPTY: Name<'static> = Name {
    text: "",
    hash: NameHash::of(b""),
    is_secret: false,
    is_standard: false,
    is_plain: true,
};

/// Whether a standard field has the name.
pub(super) const fn is_standard(name: &str) -> bool {
    let name = name.as_bytes();
    let mut which = 0;
    while which < STANDARD.len() {
        let standard = STANDARD[which].as_bytes();
        let mut at = 0;
        while standard.len() == name.len() && at < name.len() && standard[at] == name[at] {
            at += 1;
        }
        if at == standard.len() && at == name.len() {
            return true;
        }
        which += 1;
    }
    false
}

// === impl Name ===

impl<'a> Name<'a> {
    /// A name of which nothing is known yet.
    pub(in super::super) fn new(text: &'a str) -> Self {
        Self {
            text,
            hash: NameHash::of(text.as_bytes()),
            is_secret: is_secret_key(text),
            is_standard: is_standard(text),
            is_plain: text.len() <= MAX_NAME && is_plain(text.as_bytes()),
        }
    }

    /// A name of the source, looked at once by each thread.
    #[inline]
    pub(in super::super) fn known(text: &'static str) -> Name<'static> {
        SEEN.try_with(|seen| seen.find(text))
            .unwrap_or_else(|_| Name::new(text))
    }

    pub(in super::super) fn hash(&self) -> NameHash {
        self.hash
    }

    pub(in super::super) fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// Whether it can stand in a line as it is.
    pub(in super::super) fn is_usual(&self) -> bool {
        self.is_plain && !self.is_standard
    }
}

// === impl NameHash ===

impl NameHash {
    pub(in super::super) const fn of(name: &[u8]) -> Self {
        Self::of_both(name, b"")
    }

    /// The hash of `start` followed by `end`.
    pub(super) const fn of_both(start: &[u8], end: &[u8]) -> Self {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut at = 0;
        while at < start.len() + end.len() {
            let byte = if at < start.len() {
                start[at]
            } else {
                end[at - start.len()]
            };
            hash = (hash ^ byte as u64).wrapping_mul(PRIME);
            at += 1;
        }
        Self((hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn bit(self) -> u64 {
        1 << (self.0 >> 58)
    }
}

// === impl Taken ===

impl Taken {
    /// How many names a line has at most.
    pub(super) const MOST: usize = 128;

    pub(super) const fn new() -> Self {
        Self {
            bits: 0,
            hashes: [NameHash(0); Self::MOST],
            len: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.bits = 0;
        self.len = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn has(&self, name: NameHash) -> bool {
        self.bits & name.bit() != 0 && self.hashes.iter().take(self.len).any(|own| *own == name)
    }

    /// Takes the name; `false` when it is taken, or there are too many.
    #[inline]
    pub(super) fn take(&mut self, name: NameHash) -> bool {
        if self.has(name) {
            return false;
        }
        let Some(place) = self.hashes.get_mut(self.len) else {
            return false;
        };
        *place = name;
        self.len += 1;
        self.bits |= name.bit();
        true
    }
}

// === impl Seen ===

impl Seen {
    #[inline]
    fn find(&self, text: &'static str) -> Name<'static> {
        const MIX: usize = 0x9e37_79b9_7f4a_7c15_u64 as usize;
        let address = text.as_ptr().addr() ^ text.len();
        let place = address.wrapping_mul(MIX) >> (usize::BITS - PLACES.ilog2());
        let names = &self.0[place % PLACES];
        for name in names {
            let name = name.get();
            if std::ptr::eq(name.text, text) {
                return name;
            }
        }
        Self::look(text, names)
    }

    /// Looks at a name and puts it first; the one that was second is forgotten.
    #[cold]
    fn look(text: &'static str, [first, second]: &[Cell<Name<'static>>; 2]) -> Name<'static> {
        let name = Name::new(text);
        second.set(first.replace(name));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_name_is_what_it_would_be_when_new() {
        const ALL: &str = "password_level_level_user\"";
        for _ in 0..3 {
            for start in 0..ALL.len() {
                for end in start..=ALL.len() {
                    let (known, new) = (Name::known(&ALL[start..end]), Name::new(&ALL[start..end]));
                    assert_eq!(format!("{known:?}"), format!("{new:?}"));
                }
            }
        }
        assert!(Name::known("password").is_secret && Name::known("level").is_standard);
        assert!(!Name::known("a\"b").is_plain);
    }

    #[test]
    fn exactly_the_standard_names_are_standard() {
        for name in STANDARD {
            assert!(is_standard(name));
            assert!(!is_standard(&name[1..]) && !is_standard(&format!("{name}s")));
        }
        assert!(!is_standard(""));
    }

    #[test]
    fn a_name_is_taken_once() {
        let mut taken = Taken::new();
        let names = (0..Taken::MOST).map(|n| NameHash::of(format!("name{n}").as_bytes()));
        for name in names.clone() {
            assert!(!taken.has(name) && taken.take(name));
        }
        for name in names {
            assert!(taken.has(name) && !taken.take(name));
        }
        assert!(taken.len() == Taken::MOST && !taken.take(NameHash::of(b"one more")));
        taken.clear();
        assert!(taken.take(NameHash::of_both(b"fields.", b"a")));
        assert!(!taken.take(NameHash::of(b"fields.a")));
    }
}
