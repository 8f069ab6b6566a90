//! Who this service is.
use super::ServiceConfig;
use crate::telemetry::{Origin, context::SpanId};
use serde::Serialize;

/// What a service calls itself, in every log line, metric and span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// `service.name`.
    pub name: String,
    /// `service.version`.
    pub version: String,
    /// `service.instance.id`.
    pub instance: String,
    /// `deployment.environment.name`; empty when it is not told.
    pub environment: String,
}

impl Identity {
    /// What `config` says, and where it is silent what the program was built with.
    #[must_use]
    pub fn new(config: &ServiceConfig, name: &str, version: &str) -> Self {
        let or = |told: &str, built: &str| if told.is_empty() { built } else { told }.to_owned();
        let instance = match config.instance.as_str() {
            "" => SpanId::random().to_string(),
            told => told.to_owned(),
        };
        Self {
            name: or(&config.name, name),
            version: or(&config.version, version),
            instance,
            environment: config.environment.clone(),
        }
    }

    /// The same, as telemetry tells it.
    #[must_use]
    pub fn origin(&self) -> Origin<'_> {
        Origin {
            name: &self.name,
            version: &self.version,
            instance: &self.instance,
            environment: &self.environment,
        }
    }
}
