//! One value, as JSON, in a bounded number of bytes.
use super::{
    buf::Buf,
    escape::{Quotes, escape},
    number,
    redact::{MASK, masked},
    scan::{self, BEHIND},
};
use std::{
    error::Error,
    fmt::{self, Write},
    io,
};

/// What a field can hold.
#[derive(Clone, Copy)]
pub(in super::super) enum Value<'a> {
    Str(&'a str),
    Bytes(&'a [u8]),
    U64(u64),
    I64(i64),
    U128(u128),
    I128(i128),
    F64(f64),
    Bool(bool),
    Display(&'a dyn fmt::Display),
    Debug(&'a dyn fmt::Debug),
    /// An error and its sources.
    Error(&'a (dyn Error + 'static)),
    /// What must not be shown.
    Redacted,
}

/// Where texts are put together before they are escaped; kept by the thread, so that nothing is allocated when warm.
#[derive(Debug, Default)]
pub(in super::super) struct Texts {
    formatted: Buf,
    masked: String,
}

/// Takes at most `left` bytes and then refuses, which ends most `fmt` implementations.
struct Bounded<'a> {
    out: &'a mut Buf,
    left: usize,
    cut: bool,
}

/// The most bytes of a number, a boolean or a masked value.
pub(super) const SHORT: usize = 48;

/// How much more of a text is formatted than shown, so that what masks a secret is not cut away from it.
const BEYOND: usize = 1024;

// === impl Texts ===

impl Texts {
    pub(super) const fn new() -> Self {
        Self {
            formatted: Buf::new(),
            masked: String::new(),
        }
    }

    /// Where a text is put together whose secrets are masked.
    pub(super) fn for_masked(&mut self) -> &mut String {
        &mut self.masked
    }
}

// === impl Value ===

impl Value<'_> {
    /// The value as it may be shown under a name that announces a secret, or does not.
    pub(in super::super) fn under(self, is_secret: bool) -> Self {
        match is_secret {
            true => Self::Redacted,
            false => self,
        }
    }

    /// Appends the value in at most `limit` bytes, and at least [`SHORT`]. Returns whether all of it was written; what
    /// was is valid JSON either way.
    #[inline]
    pub(in super::super) fn write(&self, out: &mut Buf, texts: &mut Texts, limit: usize) -> bool {
        match *self {
            Self::Str(text) => quoted(out, text, false, &mut texts.masked, limit),
            Self::U64(v) => {
                number::u64(out, v);
                true
            }
            Self::I64(v) => {
                number::i64(out, v);
                true
            }
            _ => self.write_other(out, texts, limit),
        }
    }

    #[inline(never)]
    fn write_other(&self, out: &mut Buf, texts: &mut Texts, limit: usize) -> bool {
        match *self {
            Self::U64(v) => number::u64(out, v),
            Self::I64(v) => number::i64(out, v),
            Self::Bool(true) => out.put(b"true"),
            Self::Bool(false) => out.put(b"false"),
            Self::F64(v) if v.is_finite() => number::f64(out, v),
            Self::F64(v) => append_fmt(out, format_args!("\"{v}\"")),
            Self::U128(v) => append_fmt(out, format_args!("\"{v}\"")),
            Self::I128(v) => append_fmt(out, format_args!("\"{v}\"")),
            Self::Redacted => append_fmt(out, format_args!("\"{MASK}\"")),
            Self::Str(text) => return quoted(out, text, false, &mut texts.masked, limit),
            Self::Bytes(_) | Self::Display(_) | Self::Debug(_) | Self::Error(_) => {
                return self.write_formatted(out, texts, limit);
            }
        }
        true
    }

    /// Gives `read` the first `limit` bytes of the value as text, secrets masked. Returns what `read` returns, or `false`
    /// when there was more.
    pub(in super::super) fn with_text(
        &self,
        texts: &mut Texts,
        limit: usize,
        read: impl FnOnce(&str) -> bool,
    ) -> bool {
        let Texts {
            formatted,
            masked: scratch,
        } = texts;
        if let Self::Str(text) = *self {
            let end = text.floor_char_boundary(text.len().min(limit + BEYOND));
            let cut = end < text.len();
            return read(masked(&text[..end], cut, scratch)) && !cut;
        }
        formatted.clear();
        let cut = self.format(formatted, limit + BEYOND);
        read(masked(text_of(formatted.as_slice()), cut, scratch)) && !cut
    }

    /// Formats the value where it is to stand, and looks at it there. Only what is to be escaped or masked is copied.
    fn write_formatted(&self, out: &mut Buf, texts: &mut Texts, limit: usize) -> bool {
        let limit = limit.max(SHORT);
        let start = out.len();
        out.push(b'"');
        let cut = self.format(out, limit - 2 + BEYOND);
        let text = &out.as_slice()[start + 1..];
        if !cut && text.len() + 2 <= limit && scan::look(text).is_harmless(text) {
            out.push(b'"');
            return true;
        }
        let Texts { formatted, masked } = texts;
        formatted.clear();
        formatted.put(text);
        out.truncate(start);
        quoted(out, text_of(formatted.as_slice()), cut, masked, limit)
    }

    /// Appends the first `limit` bytes of the value as it is. Returns whether there was more.
    fn format(&self, out: &mut Buf, limit: usize) -> bool {
        let mut out = Bounded {
            out,
            left: limit,
            cut: false,
        };
        // An error here means that the value is cut, or that the user's `fmt` gave up: what there is, is logged.
        let _ = match *self {
            Self::Str(text) => out.write_str(text),
            Self::Bytes(bytes) => out.lossy(bytes),
            Self::Display(value) => write!(out, "{value}"),
            Self::Debug(value) => write!(out, "{value:?}"),
            Self::Error(err) => out.chain(err),
            Self::U64(value) => write!(out, "{value}"),
            Self::I64(value) => write!(out, "{value}"),
            Self::U128(value) => write!(out, "{value}"),
            Self::I128(value) => write!(out, "{value}"),
            Self::F64(value) => write!(out, "{value}"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Redacted => out.write_str(MASK),
        };
        out.cut
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}

/// Appends `text` in quotes, in at most `limit` bytes and at least [`SHORT`], secrets masked. `cut` says that more would
/// have followed. Returns whether all of it was written.
#[inline]
pub(super) fn quoted(
    out: &mut Buf,
    text: &str,
    cut: bool,
    scratch: &mut String,
    limit: usize,
) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() + 2 <= limit && !cut {
        let room = out.room(bytes.len() + 2 + BEHIND);
        room[0] = b'"';
        let found = scan::copy(&mut room[1..], bytes);
        if found.is_harmless(bytes) {
            room[1 + bytes.len()] = b'"';
            out.keep(bytes.len() + 2);
            return true;
        }
    }
    quoted_closely(out, text, cut, scratch, limit)
}

/// The same for a text that needs a closer look.
#[inline(never)]
fn quoted_closely(
    out: &mut Buf,
    text: &str,
    cut: bool,
    scratch: &mut String,
    limit: usize,
) -> bool {
    let limit = limit.max(SHORT) - 2;
    let end = text.floor_char_boundary(text.len().min(limit + BEYOND));
    let cut = cut || end < text.len();
    let shown = masked(&text[..end], cut, scratch);
    out.push(b'"');
    let complete = escape(out, shown, Quotes::Escaped, limit);
    out.push(b'"');
    complete && !cut
}

/// What was put together from texts is one.
fn text_of(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

fn append_fmt(out: &mut Buf, args: fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = io::Write::write_fmt(out, args);
}

// === impl Bounded ===

impl Bounded<'_> {
    fn lossy(&mut self, bytes: &[u8]) -> fmt::Result {
        for chunk in bytes.utf8_chunks() {
            self.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                self.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }

    fn chain(&mut self, err: &(dyn Error + 'static)) -> fmt::Result {
        write!(self, "{err}")?;
        let mut next = err.source();
        while let Some(source) = next {
            write!(self, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left {
            self.left -= text.len();
            self.out.put(text.as_bytes());
            return Ok(());
        }
        let fits = text.floor_char_boundary(self.left);
        self.out.put(&text.as_bytes()[..fits]);
        (self.left, self.cut) = (0, true);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: Value<'_>, limit: usize) -> (String, bool) {
        let mut out = Buf::new();
        let complete = value.write(&mut out, &mut Texts::default(), limit);
        (
            String::from_utf8(out.as_slice().to_vec()).unwrap(),
            complete,
        )
    }

    #[test]
    fn every_value_is_strict_json() {
        let err = crate::error::Error::new(crate::error::ErrorKind::Internal, "outer")
            .with_source(io::Error::other("inner"));
        for (value, expected) in [
            (Value::Str("a\"\u{1b}"), r#""a\"\u001b""#),
            (Value::Bytes(b"a\xff\xfe\n"), "\"a\u{fffd}\u{fffd}\\n\""),
            (Value::U64(7), "7"),
            (Value::I64(-7), "-7"),
            (
                Value::U128(u128::MAX),
                "\"340282366920938463463374607431768211455\"",
            ),
            (Value::I128(-1), "\"-1\""),
            (Value::F64(1.5), "1.5"),
            (Value::F64(1e300), "1e300"),
            (Value::F64(f64::NAN), "\"NaN\""),
            (Value::F64(f64::NEG_INFINITY), "\"-inf\""),
            (Value::Bool(true), "true"),
            (Value::Display(&"x\ny"), r#""x\ny""#),
            (Value::Debug(&"x"), r#""\"x\"""#),
            (Value::Error(&err), r#""outer: inner""#),
            (Value::Redacted, "\"[redacted]\""),
        ] {
            let (text, complete) = json(value, 1000);
            assert_eq!((text.as_str(), complete), (expected, true));
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }

    #[test]
    fn a_long_value_is_cut_and_says_so() {
        let long = "ä".repeat(100_000);
        for value in [
            Value::Str(&long),
            Value::Bytes(long.as_bytes()),
            Value::Display(&long),
            Value::Debug(&long),
        ] {
            let (text, complete) = json(value, 99);
            assert!(!complete && text.len() <= 99 && text.len() > 90, "{text}");
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }

    #[test]
    fn lg4_a_secret_is_not_cut_away_from_what_masks_it() {
        let url = format!("{}postgres://app:{}@db", "x".repeat(80), "p".repeat(900));
        let (text, _) = json(Value::Str(&url), 110);
        assert!(!text.contains("pp"), "{text}");
    }
}
