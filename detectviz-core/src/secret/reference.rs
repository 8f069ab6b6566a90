//! Where a secret is kept.
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, error, fmt, str::FromStr};

/// Where a secret is kept: `${secret:<scheme>:<path>#<field>}`, the field being optional.
///
/// The braces are how it is written in configuration; the bare `<scheme>:<path>#<field>` is read too. A reference is no
/// secret: it may be logged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretRef {
    scheme: String,
    path: String,
    field: Option<String>,
}

/// A text that is not a reference to a secret. It does not repeat the text, which may be a secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSecretRef(&'static str);

// === impl SecretRef ===

impl SecretRef {
    /// Which store: `env`, `file`, `vault` and so on; in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Where in the store.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Which field of the bundle, if the reference names one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The same path and field in the store of another scheme, which must be a lower-case word.
    ///
    /// # Errors
    /// [`InvalidSecretRef`] when it is not.
    pub fn with_scheme(&self, scheme: &str) -> Result<Self, InvalidSecretRef> {
        valid_scheme(scheme)?;
        Ok(Self {
            scheme: scheme.to_owned(),
            ..self.clone()
        })
    }

    /// The same place without a field: what a provider fetches once for all the fields of it.
    #[must_use]
    pub fn bundle(&self) -> Self {
        Self {
            field: None,
            ..self.clone()
        }
    }
}

impl FromStr for SecretRef {
    type Err = InvalidSecretRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = match text.strip_prefix("${secret:") {
            Some(rest) => rest
                .strip_suffix('}')
                .ok_or(InvalidSecretRef("the closing `}` is missing"))?,
            None => text,
        };
        let (scheme, rest) = bare
            .split_once(':')
            .ok_or(InvalidSecretRef("the scheme is missing"))?;
        valid_scheme(scheme)?;
        let (path, field) = match rest.rsplit_once('#') {
            Some((_, "")) => return Err(InvalidSecretRef("nothing follows the `#`")),
            Some((path, field)) => (path, Some(field.to_owned())),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(InvalidSecretRef("the path is missing"));
        }
        if rest.contains(['{', '}', '\n', '\0']) {
            return Err(InvalidSecretRef("it holds a brace or a control character"));
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            path: path.to_owned(),
            field,
        })
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{secret:{}:{}", self.scheme, self.path)?;
        if let Some(field) = &self.field {
            write!(f, "#{field}")?;
        }
        f.write_str("}")
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    /// Accepts the form with braces only, so that a password written in by mistake is refused.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if !text.starts_with("${secret:") {
            return Err(de::Error::custom(InvalidSecretRef(
                "it does not start with `${secret:`",
            )));
        }
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A reference to a secret: `${secret:<scheme>:<path>#<field>}`.",
            "x-secret": "reference",
            "pattern": r"^\$\{secret:[a-z0-9-]+:[^{}#\n]+(#[^{}\n]+)?\}$",
        })
    }
}

// === impl InvalidSecretRef ===

impl fmt::Display for InvalidSecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not a reference to a secret: {}; write `${{secret:<scheme>:<path>#<field>}}`, for example \
             `${{secret:file:/run/secrets/db#password}}`",
            self.0
        )
    }
}

impl error::Error for InvalidSecretRef {}

fn valid_scheme(scheme: &str) -> Result<(), InvalidSecretRef> {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if scheme.is_empty() || !scheme.bytes().all(known) {
        return Err(InvalidSecretRef("the scheme is not a lower-case word"));
    }
    Ok(())
}
