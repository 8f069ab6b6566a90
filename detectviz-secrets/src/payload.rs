//! What the bytes of a secret mean: one value, or several under their names.
use crate::store::Fields;
use detectviz_core::secret::{Secret, SecretBundle};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The fields of a JSON object: texts as they are, numbers, booleans and what is nested as it is written; `null` is left
/// out. The error says what is wrong and never repeats the bytes.
pub(crate) fn json(bytes: &[u8]) -> Result<Fields, &'static str> {
    const REMEDY: &str = "write a JSON object whose values are strings";
    let object: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).map_err(|_| REMEDY)?;
    let mut fields = Fields::new();
    for (name, raw) in object {
        let text = raw.get();
        let secret = if text.starts_with('"') {
            string(text).ok_or(REMEDY)?
        } else if text == "null" {
            continue;
        } else {
            Secret::from(text)
        };
        fields.insert(name, secret);
    }
    Ok(fields)
}

/// The value of a JSON string that is well-formed but for halves of surrogates. serde_json would leave what has escapes, such as
/// every PEM, behind in a buffer of its own.
fn string(quoted: &str) -> Option<Secret> {
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = Zeroizing::new(Vec::with_capacity(rest.len()));
    while let Some((plain, escaped)) = rest.split_once('\\') {
        value.extend_from_slice(plain.as_bytes());
        let kind = escaped.chars().next()?;
        rest = &escaped[kind.len_utf8()..];
        let character = match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = hex(rest)?;
                rest = &rest[4..];
                let pair = (0xd800..0xdc00).contains(&first);
                let second = match rest.strip_prefix("\\u").filter(|_| pair) {
                    Some(low) => {
                        let code = hex(low)?;
                        rest = &low[4..];
                        code.checked_sub(0xdc00).filter(|low| *low < 0x400)
                    }
                    None => None,
                };
                let code = second.map(|low| 0x10000 + ((first - 0xd800) << 10) + low);
                char::from_u32(code.unwrap_or(first))?
            }
            other => other,
        };
        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    value.extend_from_slice(rest.as_bytes());
    Some(Secret::new(value.to_vec()))
}

/// The four digits that `text` starts with.
fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.get(..4)?, 16).ok()
}

/// The fields of a JSON object, or everything as one value where it is none.
#[cfg_attr(
    not(any(test, feature = "aws", feature = "gcp", feature = "azure")),
    expect(
        dead_code,
        reason = "only the stores of clouds have secrets without a form"
    )
)]
pub(crate) fn json_or_value(bytes: &[u8]) -> Fields {
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    let object = if is_object { json(bytes).ok() } else { None };
    object.unwrap_or_else(|| {
        Fields::from([(SecretBundle::VALUE.to_owned(), Secret::new(bytes.to_vec()))])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_string_is_what_serde_json_makes_of_it() {
        for text in [
            r#""""#,
            r#""plain ä\u20ac""#,
            r#""-----BEGIN-----\nMIIB\/+=\r\n\t\b\f\"\\""#,
            r#""\ud83d\ude00 and \u0041""#,
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\u0041""#,
            r#""\ude00""#,
        ] {
            let expected: Option<String> = serde_json::from_str(text).ok();
            let found = string(text);
            let found = found.as_ref().and_then(Secret::expose_str);
            assert_eq!(found, expected.as_deref(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_string_survives(text in ".*", odd in proptest::collection::vec(any::<char>(), 0..20)) {
            let text: String = text.chars().chain(odd).collect();
            let found = string(&serde_json::to_string(&text).unwrap()).unwrap();
            prop_assert_eq!(found.expose_str(), Some(text.as_str()));
        }
    }

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
}
