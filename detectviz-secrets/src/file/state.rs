//! What the bytes of a file mean.
use crate::flight::Fields;
use detectviz_core::secret::{Secret, SecretBundle};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// How a file holds its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Value,
    Json,
    Dotenv,
}

impl Form {
    /// The form that the name of a file tells.
    pub(super) fn of(name: &str) -> Self {
        match name.rsplit_once('.') {
            Some((_, "json")) => Self::Json,
            Some((_, "env")) => Self::Dotenv,
            _ => Self::Value,
        }
    }
}

/// Reads the fields of a file. The error says what is wrong and never repeats the bytes.
pub(super) fn fields(form: Form, bytes: &[u8]) -> Result<Fields, &'static str> {
    match form {
        Form::Value => Ok(Fields::from([(
            SecretBundle::VALUE.to_owned(),
            value(bytes),
        )])),
        Form::Json => json(bytes),
        Form::Dotenv => dotenv(bytes),
    }
}

/// A file's content without its last line break, which editors and `echo` add.
pub(super) fn value(bytes: &[u8]) -> Secret {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    Secret::new(bytes.to_vec())
}

fn json(bytes: &[u8]) -> Result<Fields, &'static str> {
    let object: BTreeMap<String, Zeroizing<String>> = serde_json::from_slice(bytes)
        .map_err(|_| "write a JSON object whose values are strings")?;
    let secret = |value: Zeroizing<String>| Secret::from(value.as_str());
    Ok(object.into_iter().map(|(k, v)| (k, secret(v))).collect())
}

fn dotenv(bytes: &[u8]) -> Result<Fields, &'static str> {
    const REMEDY: &str = "write lines of the form NAME=value";
    let text = std::str::from_utf8(bytes).map_err(|_| REMEDY)?;
    let mut fields = Fields::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(REMEDY)?;
        let value = value.trim();
        let quoted = |q| value.strip_prefix(q).and_then(|v| v.strip_suffix(q));
        let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
        fields.insert(name.trim().to_owned(), Secret::from(value));
    }
    Ok(fields)
}
