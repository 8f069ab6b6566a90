//! The section `discovery` of a service.
use crate::fixed::{StaticConfig, StaticProvider};
use detectviz_core::config::{Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where the services that a service calls are known from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DiscoveryConfig {
    /// A list in the configuration.
    #[serde(rename = "static")]
    pub fixed: StaticConfig,
}

impl DiscoveryConfig {
    /// Makes the provider.
    #[must_use]
    pub fn build(self) -> Arc<StaticProvider> {
        Arc::new(self.fixed.build())
    }
}

impl Section for DiscoveryConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        check.nested("static", &self.fixed);
    }
}
