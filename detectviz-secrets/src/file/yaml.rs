//! A map of scalars in YAML.
//!
//! The parser is shown the shape of the file alone, every letter replaced by `0`: it decodes scalars into buffers that grow,
//! and would leave pieces of every secret in memory. Where it finds a scalar, the file itself is read.
use crate::{payload::unescaped, store::Fields};
use detectviz_core::secret::Secret;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use zeroize::Zeroizing;

/// Reads the fields. The error names the line and never repeats it.
pub(super) fn fields(bytes: &[u8]) -> Result<Fields, String> {
    let text = str::from_utf8(bytes).map_err(|err| {
        let line = super::form::line_of(bytes, err.valid_up_to());
        format!("line {line} is not UTF-8: save the file as UTF-8")
    })?;
    // YAML 1.2.2, production [1]: c-printable.
    let refused = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some(at) = text.find(refused) {
        let line = super::form::line_of(bytes, at);
        return Err(format!(
            "line {line} holds a control character: write it as an escape between double quotes"
        ));
    }
    Reader::new(text).fields()
}

/// One file, as it is read.
struct Reader<'a> {
    text: &'a str,
    /// Where in the text the parser stands, in bytes and in characters; it only goes forward.
    at: (usize, usize),
}

/// The file with nothing left of it but what gives it its shape: blanks, indicators, what a backslash escapes, and how far a
/// block is indented. As many characters as the file has.
fn shape(text: &str) -> String {
    const SHAPE: &str = "-?:,[]{}#&*!|>'\"%@`\\.<";
    let (mut shown, mut escaped) = (String::with_capacity(text.len()), false);
    for c in text.chars() {
        let indentation = c.is_ascii_digit() && {
            let sign = shown.trim_end_matches(['+', '-']);
            shown.len() - sign.len() <= 1 && sign.ends_with(['|', '>'])
        };
        let kept = escaped || indentation || c.is_whitespace() || SHAPE.contains(c) || c == '+';
        shown.push(if kept { c } else { '0' });
        escaped = c == '\\' && !escaped;
    }
    shown
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: (0, 0) }
    }

    fn fields(mut self) -> Result<Fields, String> {
        let shape = shape(self.text);
        let mut parser = Parser::new_from_str(&shape);
        let (mut fields, mut key, mut depth, mut documents) = (Fields::new(), None, 0, 0);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|err| {
                let what = format!("not YAML: {}", err.info());
                wrong(*err.marker(), &what)
            })?;
            match event {
                Event::DocumentStart(_) if documents == 1 => {
                    return Err(wrong(span.start, "a second document: keep one in a file"));
                }
                Event::DocumentStart(_) => documents = 1,
                Event::MappingStart(0, None) if depth == 0 => depth = 1,
                Event::MappingEnd => depth = 0,
                Event::Scalar(shown, style, 0, None) if depth == 1 => {
                    let scalar = self.scalar(&shown, style, span)?;
                    let Some(name) = key.take() else {
                        let name = scalar
                            .as_ref()
                            .and_then(Secret::expose_str)
                            .filter(|name| !name.is_empty());
                        let name = name.ok_or_else(|| {
                            wrong(span.start, "a key is no text: write a name before the `:`")
                        })?;
                        if fields.contains_key(name) {
                            return Err(wrong(
                                span.start,
                                "this key was given a value before: keep one of the two",
                            ));
                        }
                        key = Some(name.to_owned());
                        continue;
                    };
                    if let Some(value) = scalar {
                        fields.insert(name, value);
                    }
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                _ if depth == 0 => {
                    return Err(wrong(
                        span.start,
                        "write `name: value` lines: the file is no map",
                    ));
                }
                Event::MappingStart(0, None) | Event::SequenceStart(0, None) => {
                    return Err(wrong(
                        span.start,
                        "a list or a map stands here: write `name: value` with a text as value",
                    ));
                }
                _ => {
                    return Err(wrong(
                        span.start,
                        "an anchor, an alias or a tag: write the value out; between quotes it starts with any character",
                    ));
                }
            }
        }
        Ok(fields)
    }

    /// The scalar at `span`, of which the parser shows its shape; `None` for a null.
    fn scalar(
        &mut self,
        shown: &str,
        style: ScalarStyle,
        span: Span,
    ) -> Result<Option<Secret>, String> {
        let (start, end) = (self.byte_at(span.start), self.byte_at(span.end));
        let source = self.text.get(start..end).unwrap_or_default();
        let one_line = |text: &&str| !text.contains(['\n', '\r']);
        let secret = match style {
            ScalarStyle::Plain => match Some(source.trim()).filter(one_line) {
                Some("~" | "null" | "Null" | "NULL") => return Ok(None),
                text => text.map(Secret::from),
            },
            ScalarStyle::SingleQuoted => quoted(source, '\'').filter(one_line).map(single_quoted),
            ScalarStyle::DoubleQuoted => quoted(source, '"').filter(one_line).and_then(unescaped),
            ScalarStyle::Literal => literal(shown, source),
            ScalarStyle::Folded => None,
        };
        let remedy = "the value goes over several lines, or has an escape that stands for no character: write it on one line, or as a block behind `|`";
        secret.map(Some).ok_or_else(|| wrong(span.start, remedy))
    }

    /// Where the character that `marker` counts to starts.
    fn byte_at(&mut self, marker: Marker) -> usize {
        let (mut byte, mut index) = if marker.index() < self.at.1 {
            (0, 0)
        } else {
            self.at
        };
        let mut rest = self.text[byte..].chars();
        while index < marker.index()
            && let Some(c) = rest.next()
        {
            byte += c.len_utf8();
            index += 1;
        }
        self.at = (byte, index);
        byte
    }
}

/// What stands between the first quotes; blanks and a comment may follow them.
fn quoted(source: &str, quote: char) -> Option<&str> {
    let inner = source.strip_prefix(quote)?;
    let mut chars = inner.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            let doubled = quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == quote);
            if !doubled {
                return Some(&inner[..at]);
            }
        }
        if c == quote || (quote == '"' && c == '\\') {
            chars.next();
        }
    }
    None
}

/// The text between single quotes, where two of them stand for one.
fn single_quoted(inner: &str) -> Secret {
    let mut out = Zeroizing::new(Vec::with_capacity(inner.len()));
    for (n, part) in inner.split("''").enumerate() {
        if n > 0 {
            out.push(b'\'');
        }
        out.extend_from_slice(part.as_bytes());
    }
    Secret::new(std::mem::take(&mut *out))
}

/// The lines of a block. `shown` is the parser's reading of its shape: the same lines without the indentation.
fn literal(shown: &str, source: &str) -> Option<Secret> {
    let mut lines = source.lines().filter(|line| !line.trim().is_empty());
    let mut out = Zeroizing::new(Vec::with_capacity(source.len() + shown.len()));
    for shown in shown.split_inclusive('\n') {
        let text = shown.strip_suffix('\n').unwrap_or(shown);
        if text.trim().is_empty() {
            out.extend_from_slice(shown.as_bytes());
            continue;
        }
        let line = lines.next()?;
        let indented = line.chars().count().checked_sub(text.chars().count())?;
        let (start, _) = line.char_indices().nth(indented)?;
        out.extend_from_slice(&line.as_bytes()[start..]);
        out.extend_from_slice(&shown.as_bytes()[text.len()..]);
    }
    Some(Secret::new(std::mem::take(&mut *out)))
}

fn wrong(at: Marker, what: &str) -> String {
    format!("line {}, column {}: {what}", at.line(), at.col() + 1)
}
