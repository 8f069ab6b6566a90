//! What a user may set.
use crate::{observe::ObserveConfig, trace::TraceConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`Stack`](super::Stack).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StackConfig {
    /// How requests are traced.
    pub trace: TraceConfig,
    /// How requests are measured and logged.
    pub observe: ObserveConfig,
}

impl StackConfig {
    /// What is wrong with the settings: the key below this section, what is wrong, what to write instead.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String, String)> {
        let inner = self.trace.problems().into_iter();
        inner
            .map(|(_, problem, remedy)| ("trace.propagation.formats", problem, remedy))
            .collect()
    }
}
