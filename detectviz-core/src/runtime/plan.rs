//! A configuration that has been read and found good.
use super::{
    Builder, Identity, Options, ProviderContext, RuntimeConfig, ServiceConfig, kind::Prepared,
    service::Runtime,
};
use crate::{
    config::{ComponentEntry, Effective, Loaded, Problems, SchemaBuilder, Sources, schema_of},
    discovery::ServiceDiscoveryProvider,
    error::{BoxError, Error},
    health::HealthConfig,
    lifecycle::ShutdownConfig,
    secret::SecretsProvider,
    telemetry::TelemetryConfig,
};
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
    pub(super) components: Vec<Planned>,
    pub(super) effective: Effective,
    /// What was read, for those who take their sections once more.
    pub(super) layers: Loaded,
}

/// One component: what the composition says of it, and its settings.
pub(super) struct Planned {
    pub(super) entry: ComponentEntry,
    pub(super) first: bool,
    pub(super) prepared: Prepared,
}

/// The schemes that the section `secrets` itself may refer to.
const FIRST_SCHEMES: [&str; 2] = ["env", "file"];

// === impl Plan ===

impl Plan {
    pub(super) fn read(builder: &Builder, sources: &Sources) -> Result<Self, Problems> {
        let mut loaded = load_layers(sources)?;
        let layers = loaded.clone();
        // First what the providers of secrets need, which may refer to the simplest stores alone; then the rest.
        loaded.schemes(&FIRST_SCHEMES);
        let secrets = builder.secrets.as_ref();
        let secrets = secrets.map(|kind| (kind.prepare)(&mut loaded, "secrets"));
        loaded.schemes(&builder.schemes);
        let service: ServiceConfig = loaded.section("service");
        let runtime = loaded.section("runtime");
        let telemetry = TelemetryConfig::read(&mut loaded);
        #[cfg(feature = "otlp")]
        let telemetry = telemetry.with_otel_headers(super::otel::headers(sources));
        let health = loaded.section("health");
        let shutdown = loaded.section("shutdown");
        let discovery = builder.discovery.as_ref();
        let discovery = discovery.map(|kind| (kind.prepare)(&mut loaded, "discovery"));
        loaded.kinds(&builder.kinds.keys().copied().collect::<Vec<_>>());
        let mut components = Vec::new();
        for entry in loaded.composition().to_vec() {
            if let Some(kind) = builder
                .kinds
                .get(entry.kind.as_str())
                .filter(|_| entry.enabled)
            {
                let prepared = kind.prepare(&mut loaded, &entry.name);
                components.push(Planned {
                    entry,
                    first: kind.is_first(),
                    prepared,
                });
            }
        }
        let effective = loaded.finish()?;
        Ok(Self {
            identity: Identity::new(&service, &builder.name, &builder.version),
            runtime,
            telemetry,
            health,
            shutdown,
            secrets,
            discovery,
            components,
            effective,
            layers,
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
    pub fn build(self, options: Options) -> Result<Runtime, Error> {
        Runtime::build(self, options)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components = self.components.iter().map(|planned| &planned.entry.name);
        f.debug_struct("Plan")
            .field("identity", &self.identity)
            .field("components", &components.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Lays all layers over each other, what the `OTEL_*` variables say among them.
fn load_layers(sources: &Sources) -> Result<Loaded, Problems> {
    #[cfg(feature = "otlp")]
    return super::otel::load(sources);
    #[cfg(not(feature = "otlp"))]
    crate::config::load(sources)
}

/// Adds the sections that every service has.
pub(super) fn describe(schema: SchemaBuilder) -> SchemaBuilder {
    let schema = schema
        .section(
            "service",
            "What the service calls itself.",
            schema_of::<ServiceConfig>(),
        )
        .section(
            "runtime",
            "The threads of the process.",
            schema_of::<RuntimeConfig>(),
        )
        .section(
            "health",
            "How the process itself is judged.",
            schema_of::<HealthConfig>(),
        )
        .section(
            "shutdown",
            "How much time the end may take.",
            schema_of::<ShutdownConfig>(),
        );
    TelemetryConfig::describe(schema)
}
