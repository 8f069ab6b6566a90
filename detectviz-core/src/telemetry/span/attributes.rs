//! The attributes of a span: a fixed number, a fixed size.
use super::text::{Text, cut};
use std::fmt;

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
/// Texts that are copied in share [512 bytes](Self::TEXT). An attribute that finds no room is left out, and a text that finds
/// room for its start is cut short; both are counted in [`dropped`](Self::dropped).
#[derive(Clone)]
pub struct Attributes {
    entries: [Option<(&'static str, Stored)>; Self::CAPACITY],
    len: u8,
    text_len: u16,
    dropped: u32,
    text: [u8; Self::TEXT],
}

#[derive(Clone)]
enum Stored {
    Value(Value),
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
            entries: [const { None }; Self::CAPACITY],
            len: 0,
            text_len: 0,
            dropped: 0,
            text: [0; Self::TEXT],
        }
    }

    /// Adds an attribute. The caller sees to it that no key comes twice; where it cannot, [`set`](Self::set) does.
    pub fn push(&mut self, key: &'static str, value: impl Into<Value>) {
        match value.into() {
            Value::Text(Text::Shared(text)) if text.len() > Self::TEXT => self.push_str(key, &text),
            value => self.store(key, Stored::Value(value)),
        }
    }

    /// Adds an attribute whose text is copied.
    pub fn push_str(&mut self, key: &'static str, value: &str) {
        let start = usize::from(self.text_len);
        let kept = cut(value, Self::TEXT - start);
        let full = usize::from(self.len) == Self::CAPACITY;
        if full || (kept.is_empty() && !value.is_empty()) {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let end = start + kept.len();
        self.text[start..end].copy_from_slice(kept.as_bytes());
        let (Ok(start), Ok(end)) = (u16::try_from(start), u16::try_from(end)) else {
            return;
        };
        self.text_len = end;
        if kept.len() < value.len() {
            self.dropped = self.dropped.saturating_add(1);
        }
        self.store(key, Stored::Copied { start, end });
    }

    /// Adds an attribute, or replaces the one of that key.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        let len = usize::from(self.len);
        let found = self.entries[..len]
            .iter()
            .position(|entry| entry.as_ref().is_some_and(|(known, _)| *known == key));
        match found {
            Some(at) => self.entries[at] = Some((key, Stored::Value(value.into()))),
            None => self.push(key, value),
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
        self.entries.iter().flatten().map(|(key, stored)| {
            let value = match stored {
                Stored::Value(value) => value.as_ref(),
                Stored::Copied { start, end } => {
                    let bytes = &self.text[usize::from(*start)..usize::from(*end)];
                    ValueRef::Text(str::from_utf8(bytes).unwrap_or_default())
                }
            };
            (*key, value)
        })
    }

    fn store(&mut self, key: &'static str, value: Stored) {
        match self.entries.get_mut(usize::from(self.len)) {
            Some(entry) => {
                *entry = Some((key, value));
                self.len += 1;
            }
            None => self.dropped = self.dropped.saturating_add(1),
        }
    }
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
