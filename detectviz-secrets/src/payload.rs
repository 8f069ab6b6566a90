//! What the bytes of a secret mean: one value, or several under their names.
//!
//! Third-party parsers decode a text into buffers that grow, and leave the outgrown ones in memory. So they are asked for the
//! shape only, and the bytes of a value are decoded here, into one buffer that is wiped.
use crate::store::Fields;
use detectviz_core::secret::Secret;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What to do about a file or an answer that should be a JSON object.
const REMEDY: &str = "write a JSON object whose values are strings";

/// The fields of a JSON object: texts as they are, numbers, booleans and what is nested as it is written; `null` is left
/// out. The error says what is wrong and where, and never repeats the bytes.
pub(crate) fn json(bytes: &[u8]) -> Result<Fields, String> {
    // What is told of another value in its place would repeat it.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(REMEDY.to_owned());
    }
    let not_json = |err: serde_json::Error| {
        let (line, column) = (err.line(), err.column());
        format!("{REMEDY}: line {line}, column {column} is not JSON")
    };
    // Names are decoded as they come: not before it is known that they are names.
    let whole: &RawValue = serde_json::from_slice(bytes).map_err(not_json)?;
    let object: BTreeMap<String, &RawValue> =
        serde_json::from_str(whole.get()).map_err(not_json)?;
    let mut fields = Fields::new();
    for (name, raw) in object {
        let text = raw.get();
        let secret = match text.as_bytes() {
            [b'"', ..] => string(text).ok_or_else(|| {
                format!("{REMEDY}: one has an escape that stands for no character")
            })?,
            b"null" => continue,
            _ => Secret::from(text),
        };
        fields.insert(name, secret);
    }
    Ok(fields)
}

/// The fields of a JSON object, or everything as one value where it is none.
#[cfg(any(test, feature = "aws", feature = "gcp", feature = "azure"))]
pub(crate) fn json_or_value(bytes: &[u8]) -> Fields {
    json(bytes).unwrap_or_else(|_| {
        Fields::from([(
            detectviz_core::secret::SecretBundle::VALUE.to_owned(),
            Secret::new(bytes.to_vec()),
        )])
    })
}

/// The text of a JSON string, with its quotes; `None` when it is none.
pub(crate) fn string(quoted: &str) -> Option<Secret> {
    unescaped(quoted.strip_prefix('"')?.strip_suffix('"')?)
}

/// What stands between double quotes, with the escapes of JSON (RFC 8259, section 7) and YAML (1.2.2, section 5.7) resolved;
/// `None` when an escape stands for no character.
pub(crate) fn unescaped(inner: &str) -> Option<Secret> {
    // The longest that an escape becomes is half as long again as it is written.
    let mut out = Zeroizing::new(Vec::with_capacity(inner.len() + inner.len() / 2 + 1));
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let (c, after) = escape(&rest[at + 1..])?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    Some(Secret::new(std::mem::take(&mut *out)))
}

/// The character that an escape stands for, and what follows it; `text` starts behind the backslash.
fn escape(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let c = match chars.next()? {
        'n' => '\n',
        'r' => '\r',
        't' | '\t' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '0' => '\0',
        'a' => '\u{7}',
        'v' => '\u{b}',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => return hex(chars.as_str(), 2).and_then(scalar),
        'U' => return hex(chars.as_str(), 8).and_then(scalar),
        'u' => return utf16(chars.as_str()),
        c @ ('"' | '\\' | '/' | ' ') => c,
        _ => return None,
    };
    Some((c, chars.as_str()))
}

/// One unit of UTF-16, or the two of a pair, the second as an escape of its own.
fn utf16(text: &str) -> Option<(char, &str)> {
    let (first, after) = hex(text, 4)?;
    if !(0xd800..0xdc00).contains(&first) {
        return scalar((first, after));
    }
    let (second, after) = hex(after.strip_prefix("\\u")?, 4)?;
    let second = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    scalar((0x10000 + ((first - 0xd800) << 10) + second, after))
}

fn hex(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (digits, after) = text.split_at_checked(digits)?;
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    Some((code, after))
}

fn scalar((code, after): (u32, &str)) -> Option<(char, &str)> {
    Some((char::from_u32(code)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_json_object_has_fields_and_everything_else_is_one_value() {
        let text = br#" {"user":"app\n","port":5432,"tls":true,"none":null,"more":{"a":[1]}}"#;
        let fields = json_or_value(text);
        let shown = fields.iter().map(|(k, v)| (k.as_str(), v.expose_str()));
        let expected = [
            ("more", Some(r#"{"a":[1]}"#)),
            ("port", Some("5432")),
            ("tls", Some("true")),
            ("user", Some("app\n")),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        for plain in ["hunter2", "", "[1]", "{broken"] {
            let fields = json_or_value(plain.as_bytes());
            assert_eq!(fields["value"].expose(), plain.as_bytes(), "{plain}");
        }
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place_and_without_its_content() {
        for (text, place) in [
            ("\"canary\"", None),
            (
                "{\"a\":\"canary\",\n\"b\":canary}",
                Some("line 2, column 5"),
            ),
            ("{\"a\":\"canary", Some("line 1")),
            ("{\"a\":\"canary\"} canary", Some("line 1, column 16")),
            (r#"{"a":"canary\ud800"}"#, Some("an escape")),
            (r#"{"a":"canary\ud800\u0041"}"#, Some("an escape")),
        ] {
            let err = json(text.as_bytes()).unwrap_err();
            assert!(!err.contains("canary"), "{text}: {err}");
            assert!(
                place.is_none_or(|place| err.contains(place)),
                "{text}: {err}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read_back(value: String) {
            let text = serde_json::json!({ "a": value }).to_string();
            let fields = json(text.as_bytes()).unwrap();
            prop_assert_eq!(fields["a"].expose(), value.as_bytes());
        }
    }
}
