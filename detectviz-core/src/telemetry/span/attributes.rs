//! The attributes of a span: a fixed number, a fixed size.
use super::text::{Text, cut};
use std::{fmt, mem};

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A text.
    Text(Text),
    /// A whole number.
    I64(i64),
    /// Any number.
    F64(f64),
    /// Yes or no.
    Bool(bool),
}

/// A value, as it is read back.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number.
    I64(i64),
    /// Any number.
    F64(f64),
    /// Yes or no.
    Bool(bool),
}

/// At most [16](Self::CAPACITY) attributes, kept in place.
///
/// Texts that are not `'static` are copied and share [512 bytes](Self::TEXT). An attribute that finds no room is left out, and
/// a text that finds room for its start is cut short; both are counted in [`dropped`](Self::dropped).
#[derive(Clone)]
pub struct Attributes {
    len: u8,
    text_len: u16,
    dropped: u32,
    entries: [Entry; Self::CAPACITY],
    text: [u8; Self::TEXT],
}

#[derive(Clone, Copy)]
struct Entry {
    key: &'static str,
    value: Stored,
}

#[derive(Clone, Copy)]
enum Stored {
    Static(&'static str),
    I64(i64),
    F64(f64),
    Bool(bool),
    /// A range of `Attributes::text`.
    Copied {
        start: u16,
        end: u16,
    },
}

// === impl Value ===

impl Value {
    /// The value, to be read.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Text(text) => ValueRef::Text(text.as_str()),
            Self::I64(value) => ValueRef::I64(*value),
            Self::F64(value) => ValueRef::F64(*value),
            Self::Bool(value) => ValueRef::Bool(*value),
        }
    }
}

impl<T: Into<Text>> From<T> for Value {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

macro_rules! from_number {
    ($($number:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$number> for Value {
            fn from(value: $number) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}

from_number! { i64 => I64, i32 => I64, u32 => I64, u16 => I64, f64 => F64, bool => Bool }

// === impl Attributes ===

impl Attributes {
    /// The largest number of attributes.
    pub const CAPACITY: usize = 16;
    /// How many bytes of copied text one span holds, and the longest text of one attribute.
    pub const TEXT: usize = 512;

    /// No attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            len: 0,
            text_len: 0,
            dropped: 0,
            entries: [Entry::NONE; Self::CAPACITY],
            text: [0; Self::TEXT],
        }
    }

    /// Adds an attribute. The caller sees to it that no key comes twice; where it cannot, [`set`](Self::set) does. A text
    /// that is not `'static` is copied.
    #[inline]
    pub fn push(&mut self, key: &'static str, value: impl Into<Value>) {
        if usize::from(self.len) == Self::CAPACITY {
            self.dropped = self.dropped.saturating_add(1);
        } else if let Some(value) = self.stored(value.into()) {
            self.store(key, value);
        }
    }

    /// Adds an attribute whose text is copied.
    #[inline]
    pub fn push_str(&mut self, key: &'static str, value: &str) {
        if usize::from(self.len) == Self::CAPACITY {
            self.dropped = self.dropped.saturating_add(1);
        } else if let Some(copied) = self.copy(value) {
            self.store(key, copied);
        }
    }

    /// Adds an attribute, or replaces the one of that key.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        let entries = &self.entries[..usize::from(self.len)];
        let Some(found) = entries.iter().position(|entry| entry.key == key) else {
            return self.push(key, value);
        };
        if let Some(value) = self.stored(value.into()) {
            self.entries[found].value = value;
        }
    }

    /// Counts `n` more attributes as left out.
    pub fn drop_more(&mut self, n: u32) {
        self.dropped = self.dropped.saturating_add(n);
    }

    /// How many attributes were left out or cut short.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// How many there are, from 0 to 16.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The attribute of that key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<ValueRef<'_>> {
        self.iter()
            .find_map(|(known, value)| (known == key).then_some(value))
    }

    /// All of them, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, ValueRef<'_>)> {
        let entries = &self.entries[..usize::from(self.len)];
        entries.iter().map(|entry| {
            let value = match entry.value {
                Stored::Static(text) => ValueRef::Text(text),
                Stored::I64(value) => ValueRef::I64(value),
                Stored::F64(value) => ValueRef::F64(value),
                Stored::Bool(value) => ValueRef::Bool(value),
                Stored::Copied { start, end } => {
                    let bytes = &self.text[usize::from(start)..usize::from(end)];
                    ValueRef::Text(str::from_utf8(bytes).unwrap_or_default())
                }
            };
            (entry.key, value)
        })
    }

    /// What is there; there is nothing afterwards. Copies no more than is used.
    pub(super) fn take(&mut self) -> Self {
        let (len, text_len) = (usize::from(self.len), usize::from(self.text_len));
        let mut taken = Self::new();
        taken.entries[..len].copy_from_slice(&self.entries[..len]);
        taken.text[..text_len].copy_from_slice(&self.text[..text_len]);
        taken.len = mem::take(&mut self.len);
        taken.text_len = mem::take(&mut self.text_len);
        taken.dropped = mem::take(&mut self.dropped);
        taken
    }

    #[inline]
    fn stored(&mut self, value: Value) -> Option<Stored> {
        Some(match value {
            Value::Text(Text::Static(text)) => Stored::Static(text),
            Value::Text(text) => return self.copy(text.as_str()),
            Value::I64(value) => Stored::I64(value),
            Value::F64(value) => Stored::F64(value),
            Value::Bool(value) => Stored::Bool(value),
        })
    }

    /// Copies the start of `text` that finds room; `None` when there is no room at all.
    #[inline]
    fn copy(&mut self, text: &str) -> Option<Stored> {
        let start = usize::from(self.text_len);
        let kept = cut(text, Self::TEXT - start);
        if kept.len() < text.len() {
            self.dropped = self.dropped.saturating_add(1);
            if kept.is_empty() {
                return None;
            }
        }
        let end = start + kept.len();
        self.text[start..end].copy_from_slice(kept.as_bytes());
        let (start, end) = (u16::try_from(start).ok()?, u16::try_from(end).ok()?);
        self.text_len = end;
        Some(Stored::Copied { start, end })
    }

    /// The caller has seen that there is room.
    #[inline]
    fn store(&mut self, key: &'static str, value: Stored) {
        if let Some(entry) = self.entries.get_mut(usize::from(self.len)) {
            *entry = Entry { key, value };
            self.len += 1;
        }
    }
}

impl Entry {
    const NONE: Self = Self {
        key: "",
        value: Stored::Bool(false),
    };
}

impl Default for Attributes {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.dropped == other.dropped && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.iter() {
            map.entry(&key, &value);
        }
        map.finish()
    }
}
