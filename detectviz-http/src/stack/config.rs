//! What a user may set.
use crate::{admission::AdmissionConfig, observe::ObserveConfig, trace::TraceConfig};
use detectviz_core::config::{Checker, Section};
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
    /// Which requests are taken on.
    pub admission: AdmissionConfig,
}

impl Section for StackConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        check.nested("trace", &self.trace);
        check.nested("observe", &self.observe);
        check.nested("admission", &self.admission);
    }
}
