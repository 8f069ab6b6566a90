//! Text made safe for one line, in JSON or on a terminal.
//!
//! Escaped as `\u00xx` are the control characters C0, DEL and C1, the separators U+2028 and U+2029, the marks that turn
//! the direction of text (U+202A–U+202E, U+2066–U+2069) and the byte order mark; `\n`, `\r` and `\t` have their short
//! forms. What is left can neither end a line nor speak to a terminal.
use super::{buf::Buf, scan::plain_start};

/// Whether the quote and the backslash are escaped too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Inside a JSON string.
    Escaped,
    /// In running text on a terminal.
    Plain,
}

/// Bytes that may begin something to escape.
static SPECIAL: [bool; 256] = special();

/// Appends `text` to `out`, escaped, in at most `limit` bytes; it is cut between characters. Returns whether all of it
/// was written.
pub(super) fn escape(out: &mut Buf, text: &str, quotes: Quotes, limit: usize) -> bool {
    let bytes = text.as_bytes();
    let end = out.len().saturating_add(limit);
    let (mut plain, mut at) = (0, plain_start(bytes));
    while at < bytes.len() {
        if !SPECIAL[usize::from(bytes[at])] {
            at += 1 + plain_start(&bytes[at + 1..]);
            continue;
        }
        let Some((code, width)) = escaped_at(&bytes[at..], quotes) else {
            at += 1;
            continue;
        };
        if !append(out, &text[plain..at], end) {
            return false;
        }
        let mut buffer = *b"\\u0000";
        let short = render(code, &mut buffer);
        if out.len() + short.len() > end {
            return false;
        }
        out.put(short);
        at += width;
        plain = at;
    }
    append(out, &text[plain..], end)
}

/// The character at the start of `bytes`, and its width, when it must be escaped.
fn escaped_at(bytes: &[u8], quotes: Quotes) -> Option<(u16, usize)> {
    match bytes {
        [b'"' | b'\\', ..] if quotes == Quotes::Plain => None,
        [0xc2, low @ 0x80..=0x9f, ..] => Some((u16::from(*low), 2)),
        [0xe2, 0x80, low @ 0xa8..=0xae, ..] => Some((0x2000 + u16::from(*low - 0x80), 3)),
        [0xe2, 0x81, low @ 0xa6..=0xa9, ..] => Some((0x2040 + u16::from(*low - 0x80), 3)),
        [0xef, 0xbb, 0xbf, ..] => Some((0xfeff, 3)),
        [0xc2 | 0xe2 | 0xef, ..] | [] => None,
        [byte, ..] => Some((u16::from(*byte), 1)),
    }
}

fn render(code: u16, buffer: &mut [u8; 6]) -> &[u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match code {
        0x22 => b"\\\"",
        0x5c => b"\\\\",
        0x0a => b"\\n",
        0x0d => b"\\r",
        0x09 => b"\\t",
        _ => {
            for (at, digit) in buffer[2..].iter_mut().enumerate() {
                *digit = DIGITS[usize::from(code >> (12 - 4 * at)) & 15];
            }
            buffer
        }
    }
}

/// Appends what fits before `end`.
fn append(out: &mut Buf, text: &str, end: usize) -> bool {
    let room = end.saturating_sub(out.len());
    let fits = text.floor_char_boundary(room.min(text.len()));
    out.put(&text.as_bytes()[..fits]);
    fits == text.len()
}

const fn special() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[0x7f] = true;
    table[0xc2] = true;
    table[0xe2] = true;
    table[0xef] = true;
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, quotes: Quotes, limit: usize, expected: &str) {
        let mut out = Buf::new();
        escape(&mut out, text, quotes, limit);
        assert_eq!(
            str::from_utf8(out.as_slice()).unwrap(),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn what_could_end_a_line_or_speak_to_a_terminal_is_escaped() {
        for (text, expected) in [
            ("plain äöü 漢字 🦀", "plain äöü 漢字 🦀"),
            ("a\"b\\c", r#"a\"b\\c"#),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\0\u{1b}[31m\u{7f}", r"\u0000\u001b[31m\u007f"),
            ("\u{80}\u{85}\u{9f}\u{a0}", "\\u0080\\u0085\\u009f\u{a0}"),
            ("\u{2028}\u{2029}\u{2027}", "\\u2028\\u2029\u{2027}"),
            (
                "\u{202a}\u{202e}\u{2066}\u{2069}",
                r"\u202a\u202e\u2066\u2069",
            ),
            ("\u{feff}", r"\ufeff"),
        ] {
            check(text, Quotes::Escaped, usize::MAX, expected);
        }
        check(
            "say \"hi\" \\ \n",
            Quotes::Plain,
            usize::MAX,
            "say \"hi\" \\ \\n",
        );
    }

    #[test]
    fn text_is_cut_between_characters_and_between_escapes() {
        for (text, limit, expected) in [
            ("abc", 3, "abc"),
            ("abc", 2, "ab"),
            ("äö", 3, "ä"),
            ("a\nb", 2, "a"),
            ("\u{1b}x", 5, ""),
            ("\u{1b}x", 6, r"\u001b"),
            ("abc", 0, ""),
        ] {
            check(text, Quotes::Escaped, limit, expected);
        }
    }
}
