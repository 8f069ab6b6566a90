//! What a user may set.
use detectviz_core::{config::Section, secret::SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the service itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OrdersConfig {
    /// The token that whoever orders shows as `Authorization: Bearer`.
    pub token: SecretRef,
}

impl Default for OrdersConfig {
    fn default() -> Self {
        Self {
            token: "file:orders-token".parse().expect("a valid reference"),
        }
    }
}

impl Section for OrdersConfig {}
