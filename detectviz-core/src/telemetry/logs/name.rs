//! The names of fields, and what must be known of each.
use super::{redact::is_secret_key, scan::is_plain};
use std::cell::Cell;

/// The longest name that is written whole, in bytes.
pub(super) const MAX_NAME: usize = 256;

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
    /// Whether what stands under it is masked.
    pub(super) is_secret: bool,
    /// Whether a standard field has it.
    pub(super) is_standard: bool,
    /// Whether it is JSON as it stands.
    pub(super) is_plain: bool,
}

/// Names of the source that this thread has seen, by address. A static text does not change, so that its address and its
/// length stand for it.
struct Seen([Cell<Name<'static>>; PLACES]);

const PLACES: usize = 64;

thread_local! {
    static SEEN: Seen = const { Seen([const { Cell::new(EMPTY) }; PLACES]) };
}

const EMPTY: Name<'static> = Name {
    text: "",
    is_secret: false,
    is_standard: false,
    is_plain: true,
};

// === impl Name ===

impl<'a> Name<'a> {
    /// A name of which nothing is known yet.
    pub(in super::super) fn new(text: &'a str) -> Self {
        Self {
            text,
            is_secret: is_secret_key(text),
            is_standard: STANDARD.contains(&text),
            is_plain: text.len() <= MAX_NAME && is_plain(text.as_bytes()),
        }
    }

    /// A name of the source, looked at once by each thread.
    pub(in super::super) fn known(text: &'static str) -> Name<'static> {
        SEEN.try_with(|seen| seen.find(text))
            .unwrap_or_else(|_| Name::new(text))
    }
}

// === impl Seen ===

impl Seen {
    fn find(&self, text: &'static str) -> Name<'static> {
        let address = text.as_ptr().addr();
        let place = &self.0[(address ^ (address >> 6) ^ text.len()) % PLACES];
        let name = place.get();
        if std::ptr::eq(name.text, text) {
            return name;
        }
        let name = Name::new(text);
        place.set(name);
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
}
