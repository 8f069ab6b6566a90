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
            let value: Zeroizing<String> = serde_json::from_str(text).map_err(|_| REMEDY)?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
