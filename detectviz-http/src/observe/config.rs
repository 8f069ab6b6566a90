//! What a user may set.
use detectviz_core::config::Section;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How requests are measured and logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ObserveConfig {
    /// Whether each request writes a line of target `http.access`.
    pub access_log: bool,
    /// Whether probes and admin pages write one too.
    pub log_probes: bool,
}

impl Section for ObserveConfig {}

impl Default for ObserveConfig {
    fn default() -> Self {
        Self {
            access_log: true,
            log_probes: false,
        }
    }
}
