//! A configuration that has been read and found good.
use super::{
    Builder, Identity, ProviderContext, RuntimeConfig, ServiceConfig,
    kind::Prepared,
    runtime::Runtime,
};
use crate::{
    config::{ComponentEntry, Effective, Loaded, Problem, Problems, Section, Sources, load},
    discovery::ServiceDiscoveryProvider,
    error::{BoxError, Error},
    health::HealthConfig,
    lifecycle::{ShutdownConfig, Signals},
    secret::SecretsProvider,
    telemetry::TelemetryConfig,
};
use schemars::Schema;
use std::{fmt, sync::Arc};

/// A provider whose settings have been read; building it is what is left.
pub(super) type PreparedProvider<P> =
    Box<dyn FnOnce(&mut ProviderContext<'_>) -> Result<Arc<P>, BoxError> + Send>;

/// A configuration that has been read and found good. Nothing outside the process was touched.
#[must_use = "nothing is built before `build`"]
pub struct Plan {
    pub(super) identity: Identity,
    pub(super) runtime: RuntimeConfig,
    pub(super) telemetry: TelemetryConfig,
    pub(super) health: HealthConfig,
    pub(super) shutdown: ShutdownConfig,
    pub(super) secrets: Option<PreparedProvider<dyn SecretsProvider>>,
    pub(super) discovery: Option<PreparedProvider<dyn ServiceDiscoveryProvider>>,
    pub(super) components: Vec<(ComponentEntry, Prepared)>,
    pub(super) effective: Effective,
}

/// The sections that every service has, and what they are for.
const SECTIONS: [(&str, fn() -> Schema); 5] = [
    ("service", schema_of::<ServiceConfig>),
    ("runtime", schema_of::<RuntimeConfig>),
    ("telemetry", schema_of::<TelemetryConfig>),
    ("health", schema_of::<HealthConfig>),
    ("shutdown", schema_of::<ShutdownConfig>),
];

// === impl Plan ===

impl Plan {
    pub(super) fn read(builder: &Builder, sources: &Sources) -> Result<Self, Problems> {
        let sources = builder.embedded.clone().over(sources);
        let mut loaded = load(&sources)?;
        let service: ServiceConfig = loaded.section("service");
        let runtime = loaded.section("runtime");
        let telemetry = loaded.section("telemetry");
        let health = loaded.section("health");
        let shutdown = loaded.section("shutdown");
        let secrets = builder.secrets.as_ref().map(|kind| (kind.prepare)(&mut loaded, "secrets"));
        let discovery = builder.discovery.as_ref().map(|kind| (kind.prepare)(&mut loaded, "discovery"));
        let mut components = Vec::new();
        for entry in loaded.composition().to_vec() {
            match builder.kinds.get(entry.kind.as_str()) {
                Some(kind) => {
                    let prepared = kind.prepare(&mut loaded, &entry.name);
                    if entry.enabled {
                        components.push((entry, prepared));
                    }
                }
                None => {
                    let problem = unknown_kind(builder, &entry);
                    loaded.problem(problem);
                }
            }
        }
        let profile = sources.profile_name().map(str::to_owned);
        let effective = loaded.finish()?;
        Ok(Self {
            identity: Identity::new(&service, &builder.name, &builder.version, profile.as_deref()),
            runtime,
            telemetry,
            health,
            shutdown,
            secrets,
            discovery,
            components,
            effective,
        })
    }

    /// Who the service is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The threads that it asks for.
    #[must_use]
    pub fn runtime_config(&self) -> &RuntimeConfig {
        &self.runtime
    }

    /// Every effective value with its origin, secrets redacted.
    #[must_use]
    pub fn effective(&self) -> &Effective {
        &self.effective
    }

    /// Builds every component, in the order of `composition.yaml`. Still nothing outside the process is touched, except
    /// that log lines go to `options`' output.
    ///
    /// # Errors
    /// That of the first component that cannot be built, with its name.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn build(self, options: super::Options) -> Result<Runtime, Error> {
        Runtime::build(self, options)
    }

    /// Builds and runs until `signals` says to end.
    pub async fn run(self, options: super::Options, signals: Signals) -> crate::lifecycle::Outcome {
        match self.build(options) {
            Ok(runtime) => runtime.run(signals).await,
            Err(error) => crate::lifecycle::Outcome::of(error),
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components = self.components.iter().map(|(entry, _)| &entry.name);
        f.debug_struct("Plan")
            .field("identity", &self.identity)
            .field("components", &components.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The schema of one section.
pub(super) fn schema_of<C: Section>() -> Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<C>()
}

fn unknown_kind(builder: &Builder, entry: &ComponentEntry) -> Problem {
    let kinds = builder.kinds.keys().copied().collect::<Vec<_>>().join(", ");
    Problem::new(
        entry.place.clone(),
        format!("components.{}.kind", entry.name),
        format!("`{}` is no kind that this program knows", entry.kind),
        format!("write one of {kinds}"),
    )
}
