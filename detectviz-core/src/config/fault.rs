//! Why a value does not fit its type, in the words of serde; the message is made where the value and its place are known.
use super::path::Step;
use serde::de::{Error, Expected, Unexpected};
use std::{error, fmt};

/// Why, and the steps down to where, the innermost first.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum FaultKind {
    /// The type refused it in its own words.
    Refused(String),
    /// Something else is written there: what was wanted, and how to write it.
    Wanted {
        wanted: String,
        remedy: String,
    },
    /// A whole number that does not fit.
    Range {
        from: i128,
        to: i128,
    },
    UnknownKey(&'static [&'static str]),
    UnknownVariant {
        found: Option<String>,
        known: &'static [&'static str],
    },
    Missing(String),
}

// === impl Fault ===

impl Fault {
    pub(crate) fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            steps: Vec::new(),
        }
    }

    pub(crate) fn wanted(wanted: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(FaultKind::Wanted {
            wanted: wanted.into(),
            remedy: remedy.into(),
        })
    }

    pub(crate) fn below(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(FaultKind::Refused(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = plainly(&expected.to_string());
        let remedy = format!("write {wanted}");
        Self::wanted(wanted, remedy)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let wanted = plainly(&expected.to_string());
        Self::new(FaultKind::Refused(format!(
            "it has {length} entries, not {wanted}; write {wanted}"
        )))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self::new(FaultKind::UnknownVariant {
            found: Some(found.to_owned()),
            known,
        })
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(FaultKind::UnknownKey(known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(FaultKind::Missing(field.to_owned()))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::custom(format_args!(
            "the key `{field}` is written twice, perhaps under its old name; keep one of the two"
        ))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl error::Error for Fault {}

/// serde's names of types in the words of YAML.
fn plainly(expected: &str) -> String {
    let (min, max) = match expected {
        "a string" | "a borrowed string" | "string" | "a character" => return "text".to_owned(),
        "a boolean" => return "`true` or `false`".to_owned(),
        "a sequence" => return "a list".to_owned(),
        "a map" => return "a map".to_owned(),
        "f32" | "f64" => return "a number".to_owned(),
        "unit" | "null" => return "nothing".to_owned(),
        "a nonzero u8" => ("1", u8::MAX.to_string()),
        "a nonzero u16" => ("1", u16::MAX.to_string()),
        "a nonzero u32" => ("1", u32::MAX.to_string()),
        "a nonzero u64" | "a nonzero usize" => ("1", u64::MAX.to_string()),
        _ => {
            let structure =
                expected.starts_with("struct ") || expected.starts_with("internally tagged enum ");
            return if structure { "a map" } else { expected }.to_owned();
        }
    };
    format!("a whole number from {min} to {max}")
}
