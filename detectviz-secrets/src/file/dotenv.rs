//! Files of `NAME=value` lines.
//!
//! The syntax is that of Docker Compose's env files (docs.docker.com, "Env file syntax") without interpolation: a `$` is a
//! `$`. What tools read differently, such as unknown escapes and values over several lines, is refused.
use super::form::line_of;
use crate::store::Fields;
use detectviz_core::secret::Secret;
use zeroize::Zeroizing;

/// Reads the lines. The error names the line and never repeats it.
pub(super) fn fields(bytes: &[u8]) -> Result<Fields, String> {
    if let Some(at) = bytes.iter().position(|b| *b == b'\0') {
        let line = line_of(bytes, at);
        return Err(format!("line {line} holds a NUL byte: remove it"));
    }
    let mut fields = Fields::new();
    for (line, text) in bytes.split(|b| *b == b'\n').enumerate() {
        let wrong = |what: &str| format!("line {}: {what}", line + 1);
        let text = text.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let (name, value) = assignment(text).ok_or_else(|| wrong("write NAME=value"))?;
        let value = value_of(value).map_err(wrong)?;
        if fields.insert(name.to_owned(), value).is_some() {
            return Err(wrong(
                "this name was given a value before: keep one of the two",
            ));
        }
    }
    Ok(fields)
}

/// The name and what stands behind its `=`.
fn assignment(text: &[u8]) -> Option<(&str, &[u8])> {
    let text = match text.strip_prefix(b"export") {
        Some(rest) if rest.starts_with(b" ") || rest.starts_with(b"\t") => rest.trim_ascii_start(),
        _ => text,
    };
    let at = text.iter().position(|b| *b == b'=')?;
    let (name, value) = (str::from_utf8(&text[..at]).ok()?, &text[at + 1..]);
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let valid =
        name.bytes().all(known) && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    valid.then_some((name, value))
}

fn value_of(text: &[u8]) -> Result<Secret, &'static str> {
    let text = text.trim_ascii_start();
    let Some(quote @ (b'"' | b'\'')) = text.first().copied() else {
        return Ok(unquoted(text));
    };
    let inner = &text[1..];
    let mut out = Zeroizing::new(Vec::with_capacity(inner.len()));
    let mut bytes = inner.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b if *b == quote => {
                let after = &inner[at + 1..];
                let spaced = after.starts_with(b" ") || after.starts_with(b"\t");
                let comment = spaced && after.trim_ascii_start().starts_with(b"#");
                if after.is_empty() || comment {
                    return Ok(Secret::new(std::mem::take(&mut *out)));
                }
                return Err("something follows the closing quote: write a quote in the value as `\\\"`, between double quotes");
            }
            b'\\' if quote == b'"' => out.push(match bytes.next().map(|(_, b)| b) {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b @ (b'\\' | b'"' | b'$' | b'`')) => *b,
                _ => return Err("an unknown escape: write a backslash as `\\\\`, or the value between single quotes"),
            }),
            b => out.push(*b),
        }
    }
    Err(
        "the closing quote is missing: a value ends on its line; write a line break as `\\n`, between double quotes",
    )
}

/// Without quotes, what follows ` #` is a comment and all else is as it is written.
fn unquoted(text: &[u8]) -> Secret {
    let comment = text
        .windows(2)
        .position(|pair| pair[0].is_ascii_whitespace() && pair[1] == b'#');
    let text = if text.starts_with(b"#") {
        b""
    } else {
        &text[..comment.unwrap_or(text.len())]
    };
    Secret::new(text.trim_ascii_end().to_vec())
}
