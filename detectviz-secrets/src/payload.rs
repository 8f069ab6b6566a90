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
            let value = unescaped(text).ok_or(REMEDY)?;
            Secret::from(value.as_str())
        } else if text == "null" {
            continue;
        } else {
            Secret::from(text)
        };
        fields.insert(name, secret);
    }
    Ok(fields)
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

/// The text of a JSON string (RFC 8259, section 7), `quoted` as it stands between and with its quotes. A parser unescapes into
/// a buffer that grows and is not wiped; this leaves no copy behind.
pub(crate) fn unescaped(quoted: &str) -> Option<Zeroizing<String>> {
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut after = escaped.chars();
        let c = match after.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = unit(&mut after)?;
                let units = if matches!(high, 0xd800..=0xdbff) {
                    after = after.as_str().strip_prefix("\\u")?.chars();
                    [high, unit(&mut after)?]
                } else {
                    [high, 0]
                };
                char::decode_utf16(units).next()?.ok()?
            }
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        };
        text.push(c);
        rest = after.as_str();
    }
    text.push_str(rest);
    Some(text)
}

/// Four hexadecimal digits.
fn unit(from: &mut std::str::Chars<'_>) -> Option<u16> {
    (0..4).try_fold(0, |unit, _| {
        let digit = u16::try_from(from.next()?.to_digit(16)?).ok()?;
        Some(unit << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_unescaped_is_what_a_parser_reads(text in ".*", ascii in any::<bool>()) {
            let mut quoted = serde_json::to_string(&text).unwrap();
            if ascii {
                let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                quoted = format!("\"{}\"", units.collect::<String>());
            }
            let found = unescaped(&quoted);
            prop_assert_eq!(found.as_deref().map(String::as_str), Some(text.as_str()));
            prop_assert!(found.is_some_and(|found| found.capacity() <= quoted.len()), "it never grew");
        }
    }

    #[test]
    fn what_is_no_json_string_is_refused() {
        let odd = [
            r"a",
            r#"""#,
            r#""\""#,
            r#""\x""#,
            r#""\u12""#,
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
        ];
        for odd in odd {
            assert!(unescaped(odd).is_none(), "{odd}");
        }
        let slashes = r#""\/\\\"""#;
        assert_eq!(
            unescaped(slashes).as_deref().map(String::as_str),
            Some("/\\\"")
        );
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
