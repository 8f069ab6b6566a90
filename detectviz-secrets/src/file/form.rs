//! What the bytes of a file mean.
use super::{dotenv, yaml};
use crate::{payload, store::Fields};
use detectviz_core::secret::{Secret, SecretBundle};

/// How a file holds its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Value,
    Json,
    Yaml,
    Dotenv,
}

/// U+FEFF in UTF-8, which editors of Windows put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Form {
    /// Every form by the name that a reference may give it.
    pub(super) const NAMES: [(&str, Self); 4] = [
        ("value", Self::Value),
        ("json", Self::Json),
        ("yaml", Self::Yaml),
        ("dotenv", Self::Dotenv),
    ];

    /// The form that the name of a file tells.
    pub(super) fn of(name: &str) -> Self {
        match name.rsplit_once('.') {
            Some((_, "json")) => Self::Json,
            Some((_, "yaml" | "yml")) => Self::Yaml,
            Some((_, "env")) => Self::Dotenv,
            _ => Self::Value,
        }
    }
}

/// Reads the fields of a file. The error says what is wrong and where, and never repeats the bytes.
pub(super) fn fields(form: Form, bytes: &[u8]) -> Result<Fields, String> {
    if form == Form::Value {
        return Ok(Fields::from([(
            SecretBundle::VALUE.to_owned(),
            value(bytes)?,
        )]));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    // Neither is told apart from nothing by the reader of a form.
    if bytes.trim_ascii().is_empty() {
        return Ok(Fields::new());
    }
    match form {
        Form::Dotenv => dotenv::fields(bytes),
        Form::Yaml => yaml::fields(bytes),
        Form::Json | Form::Value => payload::json(bytes),
    }
}

/// A file's content without its last line break, which editors and `echo` add. Bytes of every kind are a value, but for a
/// byte order mark, which nobody means as part of a password.
pub(super) fn value(bytes: &[u8]) -> Result<Secret, String> {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return Err("save the file without a byte order mark (U+FEFF)".to_owned());
    }
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    Ok(Secret::new(bytes.to_vec()))
}

/// The number of the line that the byte `at` stands in, from 1.
pub(super) fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at].iter().filter(|b| **b == b'\n').count()
}
