//! Secrets inside a text: the user part of a URL, `key=value`, `"key": "value"`, and what follows `Bearer` or `Basic`.
use super::{MASK, is_secret_key};
use crate::telemetry::logs::scan::next_clue;
use std::ops::Range;

/// A text that is searched for secrets.
struct Text<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// Whether more would have followed.
    cut: bool,
}

/// How far ahead a password with an unescaped slash is looked for, and how far back the name of a value.
const AHEAD: usize = 1024;
const BACK: usize = 64;

/// Words that follow `Bearer` or `Basic` in prose.
const PROSE: [&str; 9] = [
    "auth",
    "authentication",
    "authorization",
    "challenge",
    "credentials",
    "realm",
    "scheme",
    "token",
    "tokens",
];

/// `text` without its secrets: itself when there are none, else a copy in `scratch`. `cut` says that `text` is only the
/// beginning of what was to be logged; a user part that is open at its end is then masked too.
pub(in super::super) fn masked<'a>(text: &'a str, cut: bool, scratch: &'a mut String) -> &'a str {
    let search = Text {
        text,
        bytes: text.as_bytes(),
        cut,
    };
    let (mut copied, mut at) = (0, 0);
    while let Some(clue) = next_clue(search.bytes, at) {
        let Some(hit) = search.secret_at(clue) else {
            at = clue + 1;
            continue;
        };
        if copied == 0 {
            scratch.clear();
        }
        scratch.push_str(&text[copied..hit.start]);
        scratch.push_str(MASK);
        (copied, at) = (hit.end, hit.end);
    }
    if copied == 0 {
        return text;
    }
    scratch.push_str(&text[copied..]);
    scratch
}

// === impl Text ===

impl Text<'_> {
    /// The secret that the byte at `at` gives away; never empty.
    fn secret_at(&self, at: usize) -> Option<Range<usize>> {
        let hit = match self.bytes[at] {
            b':' if self.bytes[at..].starts_with(b"://") => self.user_part(at + 3),
            b' ' => self.credentials(at),
            _ => self.value(at),
        }?;
        (!hit.is_empty()).then_some(hit)
    }

    /// `user:password` before the `@` of a URL whose authority begins at `start`.
    fn user_part(&self, start: usize) -> Option<Range<usize>> {
        let end = self.end(start, |b| {
            matches!(b, b'/' | b'?' | b'#') || is_delimiter(b)
        });
        if let Some(at) = self.bytes[start..end].iter().rposition(|b| *b == b'@') {
            return Some(start..start + at);
        }
        let colon = start + self.bytes[start..end].iter().position(|b| *b == b':')?;
        if self.bytes[colon + 1..end].iter().all(u8::is_ascii_digit) && end < self.bytes.len() {
            return None;
        }
        let last = self.bytes.len().min(start + AHEAD);
        let end = self.end(start, is_delimiter).min(last);
        match self.bytes[colon..end].iter().position(|b| *b == b'@') {
            Some(at) => Some(start..colon + at),
            None => (self.cut && end == self.bytes.len()).then_some(start..end),
        }
    }

    /// What follows `Bearer` or `Basic`, when `at` is the space between.
    fn credentials(&self, at: usize) -> Option<Range<usize>> {
        // Most spaces are told by the one letter before them.
        if !matches!(
            self.bytes.get(at.wrapping_sub(1)),
            Some(b'r' | b'R' | b'c' | b'C')
        ) {
            return None;
        }
        let is_scheme = |name: &[u8]| {
            let start = at.checked_sub(name.len())?;
            let bounded = start == 0 || !self.bytes[start - 1].is_ascii_alphanumeric();
            (bounded && self.bytes[start..at].eq_ignore_ascii_case(name)).then_some(())
        };
        is_scheme(b"bearer").or_else(|| is_scheme(b"basic"))?;
        let start = self.skip_spaces(at);
        let end = self.end(start, is_delimiter);
        let word = self.text.get(start..end)?;
        let plain = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let prose = PROSE.iter().any(|prose| plain.eq_ignore_ascii_case(prose));
        (!prose).then_some(start..end)
    }

    /// The value beside a `=` or `:` at `at`, when a secret's name stands before it.
    fn value(&self, at: usize) -> Option<Range<usize>> {
        let assigns = self.bytes[at] == b'=';
        if let Some(b'=' | b'>' | b':') = self.bytes.get(at + 1) {
            return None;
        }
        let (key, key_is_quoted) = self.key_before(at)?;
        if !is_secret_key(key) {
            return None;
        }
        let mut start = self.skip_spaces(at + 1);
        if self.bytes[start..].starts_with(b"Some(") {
            start += 5;
        }
        let rest = &self.bytes[start..];
        if rest.starts_with(b"\\\"") {
            let inner = start + 2;
            let end = self.text[inner..].find("\\\"");
            return Some(inner..end.map_or(self.bytes.len(), |end| inner + end));
        }
        if let Some(quote @ (b'"' | b'\'')) = rest.first() {
            return Some(start + 1..self.closing(start + 1, *quote));
        }
        let is_header = ["authorization", "cookie"]
            .iter()
            .any(|header| ends_with(key, header));
        if is_header {
            let ends = |b| matches!(b, b'"' | b'\n' | b'\r');
            return Some(start..self.end(start, ends));
        }
        if !assigns && !key_is_quoted {
            return None;
        }
        let ends =
            |b| matches!(b, b'&' | b';' | b',' | b')' | b'}' | b']' | b'#') || is_delimiter(b);
        let end = self.end(start, ends);
        let follows_scheme = self.bytes.get(end) == Some(&b' ') && self.credentials(end).is_some();
        Some(if follows_scheme {
            start..self.end(self.skip_spaces(end), is_delimiter)
        } else {
            start..end
        })
    }

    /// The name that ends before `at`, and whether it is in quotes.
    fn key_before(&self, at: usize) -> Option<(&str, bool)> {
        let mut end = at;
        while end > 0 && self.bytes[end - 1] == b' ' && at - end < 2 {
            end -= 1;
        }
        let quoted = end > 0 && matches!(self.bytes[end - 1], b'"' | b'\'');
        if quoted {
            end -= 1;
            if end > 0 && self.bytes[end - 1] == b'\\' {
                end -= 1;
            }
        }
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let length = self.bytes[end.saturating_sub(BACK)..end]
            .iter()
            .rev()
            .take_while(|b| is_name(b))
            .count();
        let key = self.text.get(end - length..end)?;
        Some((key, quoted))
    }

    fn skip_spaces(&self, from: usize) -> usize {
        self.end(from, |b| b != b' ')
    }

    /// The first byte from `from` on that `ends`, or the end of the text.
    fn end(&self, from: usize, ends: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|b| ends(*b)).unwrap_or(rest.len())
    }

    /// The closing quote, or the end of the text.
    fn closing(&self, from: usize, quote: u8) -> usize {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                _ if *byte == quote => return at,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }
}

/// What ends a word: white space, a control character or a quote.
fn is_delimiter(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>')
}

fn ends_with(key: &str, end: &str) -> bool {
    let start = key.len().checked_sub(end.len());
    start
        .and_then(|start| key.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}
