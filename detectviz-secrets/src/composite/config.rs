//! What a user may set.
use detectviz_core::secret::SecretErrorKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where else a secret is looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FallbackConfig {
    /// The schemes that are asked for the same path and field, in this order.
    pub to: Vec<String>,
    /// What makes them be asked.
    pub on: Vec<FallbackReason>,
}

/// Why another store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FallbackReason {
    /// The first could not be asked.
    Unavailable,
    /// The first has no such secret.
    NotFound,
    /// The first does not let us read it.
    Denied,
}

impl Default for FallbackConfig {
    /// To nothing; on `unavailable` alone, since what a store refuses on purpose should not be had elsewhere by accident.
    fn default() -> Self {
        Self {
            to: Vec::new(),
            on: vec![FallbackReason::Unavailable],
        }
    }
}

impl FallbackConfig {
    /// Falls back to `schemes`, in this order.
    #[must_use]
    pub fn to(mut self, schemes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.to = schemes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what makes them be asked.
    #[must_use]
    pub fn on(mut self, reasons: impl Into<Vec<FallbackReason>>) -> Self {
        self.on = reasons.into();
        self
    }
}

impl FallbackReason {
    pub(super) fn kind(self) -> SecretErrorKind {
        match self {
            Self::Unavailable => SecretErrorKind::Unavailable,
            Self::NotFound => SecretErrorKind::NotFound,
            Self::Denied => SecretErrorKind::Denied,
        }
    }
}
