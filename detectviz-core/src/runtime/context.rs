//! What a component is built from.
use super::{
    Identity, NotProvided,
    provided::Provided,
};
use crate::{
    config::Effective,
    discovery::ServiceDiscoveryProvider,
    health::{Check, CheckConfig, Health, Registration},
    lifecycle::{Failures, PhaseWatch},
    secret::SecretsProvider,
    task::Tasks,
    telemetry::Telemetry,
};
use std::{any::Any, sync::Arc};

/// Everything that the components of one runtime share.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shared {
    /// Who this service is.
    pub identity: Identity,
    /// Logs, spans and metrics.
    pub telemetry: Telemetry,
    /// Health checks, and what the probes answer.
    pub health: Health,
    /// Where this runtime is in its life.
    pub phase: PhaseWatch,
    /// What a component tells when it cannot go on.
    pub failures: Failures,
    /// The effective configuration, as it was loaded or last reloaded.
    pub config: ConfigView,
}

/// The effective configuration, secrets redacted; a live, read-only view.
///
/// # Clone
/// Clones show the same configuration.
#[derive(Clone, Debug)]
pub struct ConfigView {
    pub(super) current: Arc<arc_swap::ArcSwap<Effective>>,
}

/// What a component is built from: what the runtime shares, and what was built before.
#[derive(Debug)]
pub struct BuildContext<'a> {
    pub(super) name: &'a str,
    pub(super) shared: &'a Shared,
    pub(super) tasks: &'a Tasks,
    pub(super) secrets: &'a Arc<dyn SecretsProvider>,
    pub(super) discovery: &'a Arc<dyn ServiceDiscoveryProvider>,
    pub(super) provided: &'a mut Provided,
    pub(super) registrations: &'a mut Vec<Registration>,
}

// === impl ConfigView ===

impl ConfigView {
    /// The configuration as it is now.
    #[must_use]
    pub fn current(&self) -> Arc<Effective> {
        self.current.load_full()
    }
}

// === impl BuildContext ===

impl BuildContext<'_> {
    /// The name of the component in `composition.yaml`, which is also the path of its section in `app_config.yaml`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// What the runtime shares.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        self.shared
    }

    /// The tasks of this component: cancelled and waited for with the runtime.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        self.tasks
    }

    /// Where secrets are kept.
    #[must_use]
    pub fn secrets(&self) -> Arc<dyn SecretsProvider> {
        Arc::clone(self.secrets)
    }

    /// Where services are.
    #[must_use]
    pub fn discovery(&self) -> Arc<dyn ServiceDiscoveryProvider> {
        Arc::clone(self.discovery)
    }

    /// Registers a health check under the component's name, for as long as the runtime lives.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn register_check(&mut self, config: CheckConfig, check: Arc<dyn Check>) {
        let registration = self.shared.health.register(self.name, config, check);
        self.registrations.push(registration);
    }

    /// Gives `value` to the components that are built after this one.
    pub fn provide<T: Any + Send + Sync>(&mut self, value: T) {
        self.provided.insert(self.name, value);
    }

    /// What the component called `name` provides.
    ///
    /// # Errors
    /// [`NotProvided`] when it provides no `T`, or is not built before this one.
    pub fn provided<T: Any + Clone>(&self, name: &str) -> Result<T, NotProvided> {
        self.provided.find(name)
    }
}
