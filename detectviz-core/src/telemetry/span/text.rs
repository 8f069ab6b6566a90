//! Text that a span carries without allocating for it.
use std::{fmt, sync::Arc};

/// A text of a span.
///
/// # Clone
/// Never allocates.
#[derive(Clone)]
pub enum Text {
    /// Known when the program was written.
    Static(&'static str),
    /// Made once and shared, such as the name of a route.
    Shared(Arc<str>),
    /// Short enough to be kept in place.
    Inline(InlineText),
}

/// Up to [22](Self::CAPACITY) bytes of text, kept in place.
#[derive(Clone, Copy)]
pub struct InlineText {
    len: u8,
    bytes: [u8; Self::CAPACITY],
}

/// The name of a span: a text of which more is kept in place.
///
/// A shared text of up to [62](Self::CAPACITY) bytes is copied, which costs less than to count one more owner, above all when
/// several threads do.
///
/// # Clone
/// Never allocates.
#[derive(Clone)]
pub struct SpanName(Kept);

#[derive(Clone)]
enum Kept {
    Text(Text),
    Inline {
        len: u8,
        bytes: [u8; SpanName::CAPACITY],
    },
}

/// The longest start of `text` that has at most `max` bytes and does not split a character.
pub(super) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

// === impl Text ===

impl Text {
    /// Copies `text` in place. What is beyond [`InlineText::CAPACITY`] bytes is cut off, never within a character.
    #[must_use]
    pub fn inline(text: &str) -> Self {
        Self::Inline(InlineText::new(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
            Self::Inline(text) => text.as_str(),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Static("")
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self::Shared(text)
    }
}

impl From<String> for Text {
    /// Kept in place when it is short, else shared, which allocates.
    fn from(text: String) -> Self {
        if text.len() <= InlineText::CAPACITY {
            Self::inline(&text)
        } else {
            Self::Shared(text.into())
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

// === impl InlineText ===

impl InlineText {
    /// The longest text that is kept in place, in bytes.
    pub const CAPACITY: usize = 22;

    /// Copies the start of `text` that fits.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let kept = cut(text, Self::CAPACITY).as_bytes();
        let mut bytes = [0; Self::CAPACITY];
        bytes[..kept.len()].copy_from_slice(kept);
        Self {
            len: u8::try_from(kept.len()).unwrap_or(0),
            bytes,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for InlineText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

// === impl SpanName ===

impl SpanName {
    /// The longest name that is copied, in bytes.
    pub const CAPACITY: usize = 62;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Text(text) => text.as_str(),
            Kept::Inline { len, bytes } => {
                str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
        }
    }
}

impl Default for SpanName {
    fn default() -> Self {
        Self(Kept::Text(Text::default()))
    }
}

impl From<&Arc<str>> for SpanName {
    /// Copied when it is short, else shared.
    #[inline]
    fn from(text: &Arc<str>) -> Self {
        let mut bytes = [0; Self::CAPACITY];
        match bytes.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text.as_bytes());
                let len = u8::try_from(text.len()).unwrap_or(0);
                Self(Kept::Inline { len, bytes })
            }
            None => Self(Kept::Text(Text::Shared(text.clone()))),
        }
    }
}

impl<T: Into<Text>> From<T> for SpanName {
    fn from(text: T) -> Self {
        Self(Kept::Text(text.into()))
    }
}

impl PartialEq for SpanName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SpanName {}

impl fmt::Debug for SpanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
