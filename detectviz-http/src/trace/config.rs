//! What a user may set.
use detectviz_core::config::Section;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How requests are traced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TraceConfig {
    /// Whether traces and baggage of callers are continued. `false` at the edge of a system, where callers are strangers:
    /// then every request starts a trace, and what its headers say is ignored.
    pub trust_remote: bool,
}

// === impl TraceConfig ===

impl Section for TraceConfig {}

impl Default for TraceConfig {
    fn default() -> Self {
        Self { trust_remote: true }
    }
}
