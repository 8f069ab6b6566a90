//! The name of a field, judged and rendered when the program is compiled.
use super::{
    name::{NameHash, PREFIX, is_standard},
    output::LineFormat,
    redact::is_secret_key,
};

/// The name of a field: whether it announces a secret, whether a standard field has it, and how it is written, all found out
/// once.
///
/// Made as a `static`, it costs nothing when a line is written:
///
/// ```
/// use detectviz_core::telemetry::logs::Key;
///
/// static BYTES_OUT: Key = Key::new("bytes_out");
/// # assert_eq!(BYTES_OUT.name(), "bytes_out");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Key {
    name: &'static str,
    pub(super) hash: NameHash,
    /// Whether what stands under it is masked.
    pub(super) is_secret: bool,
    json: Rendered,
    text: Rendered,
}

/// A name and what stands around it; the first `len` bytes count.
#[derive(Clone, Copy, Debug)]
struct Rendered {
    bytes: [u8; ROOM],
    len: usize,
}

/// How much is copied for a key, whatever its length: three vectors.
pub(super) const ROOM: usize = 48;

// === impl Key ===

impl Key {
    /// The longest name, in bytes.
    pub const LONGEST: usize = 40;

    /// A key. A name that a standard field has (`level`, `message`, …) becomes `fields.<name>`.
    ///
    /// # Panics
    /// For a name that is empty, longer than [`LONGEST`](Self::LONGEST), or not made of printable ASCII without quotes and
    /// backslashes; in a `static`, that is an error of the compiler.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        match Self::of(name) {
            Some(key) => key,
            None => panic!("a key is 1 to 40 printable ASCII characters, without quotes"),
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// A key; `None` where [`new`](Self::new) panics.
    pub(in super::super) const fn of(name: &'static str) -> Option<Self> {
        if !is_possible(name.as_bytes()) {
            return None;
        }
        let prefix = if is_standard(name) { PREFIX } else { "" };
        let (prefix, bytes) = (prefix.as_bytes(), name.as_bytes());
        Some(Self {
            name,
            hash: NameHash::of_both(prefix, bytes),
            is_secret: is_secret_key(name),
            json: render([b",\"", prefix, bytes, b"\":"]),
            text: render([b" ", prefix, bytes, b"="]),
        })
    }

    /// What is written before the value, and how much of it counts.
    #[inline]
    pub(super) fn rendered(&self, format: LineFormat) -> (&[u8; ROOM], usize) {
        let rendered = match format {
            LineFormat::Json => &self.json,
            LineFormat::Text => &self.text,
        };
        (&rendered.bytes, rendered.len)
    }
}

const fn is_possible(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !(name[at].is_ascii_graphic() || name[at] == b' ') || matches!(name[at], b'"' | b'\\') {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= Key::LONGEST
}

/// Puts the parts together; they are no longer than [`ROOM`].
const fn render(parts: [&[u8]; 4]) -> Rendered {
    let (mut bytes, mut len) = ([b' '; ROOM], 0);
    let mut which = 0;
    while which < parts.len() {
        let mut at = 0;
        while at < parts[which].len() {
            bytes[len] = parts[which][at];
            len += 1;
            at += 1;
        }
        which += 1;
    }
    Rendered { bytes, len }
}

#[cfg(test)]
mod tests {
    use super::{
        super::name::{Name, STANDARD},
        *,
    };

    #[test]
    fn a_key_knows_what_a_name_knows() {
        let longest = "a".repeat(Key::LONGEST).leak();
        for text in ["user", "password", "http.route", "a b", longest] {
            let (key, name) = (Key::of(text).unwrap(), Name::new(text));
            assert_eq!((key.hash, key.is_secret), (name.hash, name.is_secret));
            assert!(name.is_plain && !name.is_standard);
            let (json, len) = key.rendered(LineFormat::Json);
            assert_eq!(
                str::from_utf8(&json[..len]).unwrap(),
                format!(",\"{text}\":")
            );
            let (plain, len) = key.rendered(LineFormat::Text);
            assert_eq!(str::from_utf8(&plain[..len]).unwrap(), format!(" {text}="));
        }
        for text in STANDARD {
            let (key, expected) = (Key::new(text), format!("fields.{text}"));
            assert_eq!(key.hash, Name::new(&expected).hash);
            let (json, len) = key.rendered(LineFormat::Json);
            assert_eq!(json[..len], *format!(",\"{expected}\":").as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_a_key_is_none() {
        let long = "a".repeat(Key::LONGEST + 1).leak();
        for text in ["", "a\"b", "a\\b", "a\nb", "é", long] {
            assert!(Key::of(text).is_none(), "{text}");
        }
    }
}
