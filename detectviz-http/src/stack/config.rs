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

// === impl StackConfig ===

impl StackConfig {
    /// Sets how requests are traced.
    #[must_use]
    pub fn trace(mut self, trace: TraceConfig) -> Self {
        self.trace = trace;
        self
    }

    /// Sets how requests are measured and logged.
    #[must_use]
    pub fn observe(mut self, observe: ObserveConfig) -> Self {
        self.observe = observe;
        self
    }

    /// Sets which requests are taken on.
    #[must_use]
    pub fn admission(mut self, admission: AdmissionConfig) -> Self {
        self.admission = admission;
        self
    }
}

impl Section for StackConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        check.nested("trace", &self.trace);
        check.nested("observe", &self.observe);
        check.nested("admission", &self.admission);
    }
}
