//! What a component is built from.
use super::{Identity, NotProvided, Views, kind::Reloads, provided::Provided};
use crate::{
    config::{Effective, Loaded, Section, live_update},
    discovery::ServiceDiscoveryProvider,
    health::{Check, CheckConfig, Health, Registration},
    lifecycle::{Failures, PhaseWatch},
    secret::{AuditedProvider, SecretRef, SecretsProvider},
    task::{Component, Tasks},
    telemetry::{Telemetry, metrics::Registry},
};
use std::{any::Any, fmt, sync::Arc};

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
    /// What components show of themselves.
    pub views: Views,
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
pub struct BuildContext<'a> {
    pub(super) name: &'a str,
    pub(super) shared: &'a Shared,
    pub(super) tasks: &'a Tasks,
    pub(super) secrets: &'a Arc<dyn SecretsProvider>,
    pub(super) discovery: &'a Arc<dyn ServiceDiscoveryProvider>,
    pub(super) provided: &'a mut Provided,
    pub(super) registrations: &'a mut Vec<Registration>,
    pub(super) reloads: &'a mut Reloads,
}

/// What a provider of the whole service is built from.
pub struct ProviderContext<'a> {
    pub(super) section: &'a str,
    pub(super) tasks: &'a Tasks,
    pub(super) metrics: &'a Registry,
    pub(super) health: &'a Health,
    pub(super) views: &'a Views,
    pub(super) references: &'a [SecretRef],
    pub(super) registrations: &'a mut Vec<Registration>,
    pub(super) components: &'a mut Vec<(String, Arc<dyn Component>)>,
    pub(super) reloads: &'a mut Reloads,
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

    /// Where secrets are kept. What the component asks for is audited under its name: see
    /// [`AuditedProvider`].
    #[must_use]
    pub fn secrets(&self) -> Arc<dyn SecretsProvider> {
        Arc::new(AuditedProvider::new(self.name, Arc::clone(self.secrets)))
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

    /// Shows what `read` gives under the component's name at `page` of the admin port: its path, and what it shows in a few
    /// words. See [`Views::add`].
    pub fn show(
        &self,
        page: (&'static str, &'static str),
        read: impl Fn() -> serde_json::Value + Send + Sync + 'static,
    ) {
        self.shared.views.add(page, self.name, read);
    }

    /// Calls `apply` with the section of this component whenever its live keys change; `running` is the section as it was
    /// built from. Keys that wait for a restart keep the values of `running`.
    pub fn on_reload<C: Section>(&mut self, running: C, apply: impl Fn(C) + Send + Sync + 'static) {
        on_reload(self.reloads, self.name, running, apply);
    }
}

impl fmt::Debug for BuildContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildContext")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// === impl ProviderContext ===

impl ProviderContext<'_> {
    /// The tasks of the runtime.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        self.tasks
    }

    /// The metrics of the runtime.
    #[must_use]
    pub fn metrics(&self) -> &Registry {
        self.metrics
    }

    /// Every secret that the configuration refers to, each once.
    #[must_use]
    pub fn references(&self) -> &[SecretRef] {
        self.references
    }

    /// Registers a health check under `name`, for as long as the runtime lives.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn register_check(&mut self, name: &str, config: CheckConfig, check: Arc<dyn Check>) {
        let registration = self.health.register(name, config, check);
        self.registrations.push(registration);
    }

    /// Gives the provider a life of its own, under the name of its section: it starts before every component and the admin
    /// port, and stops after them.
    pub fn add_component(&mut self, component: Arc<dyn Component>) {
        self.components.push((self.section.to_owned(), component));
    }

    /// Shows what `read` gives under the name of the provider's section at `page` of the admin port. See [`Views::add`].
    pub fn show(
        &self,
        page: (&'static str, &'static str),
        read: impl Fn() -> serde_json::Value + Send + Sync + 'static,
    ) {
        self.views.add(page, self.section, read);
    }

    /// Calls `apply` with the section of this provider whenever its live keys change; `running` is the section as it was
    /// built from.
    pub fn on_reload<C: Section>(&mut self, running: C, apply: impl Fn(C) + Send + Sync + 'static) {
        on_reload(self.reloads, self.section, running, apply);
    }
}

impl fmt::Debug for ProviderContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderContext")
            .field("section", &self.section)
            .finish_non_exhaustive()
    }
}

/// Has `apply` called with `section` when the configuration is read again.
pub(super) fn on_reload<C: Section>(
    reloads: &mut Reloads,
    section: &str,
    running: C,
    apply: impl Fn(C) + Send + Sync + 'static,
) {
    let path = section.to_owned();
    let reload = move |loaded: &mut Loaded| {
        let newer: C = loaded.section(&path);
        if let Some(next) = live_update(&running, &newer) {
            apply(next);
        }
    };
    reloads.push((section.to_owned(), Box::new(reload)));
}
