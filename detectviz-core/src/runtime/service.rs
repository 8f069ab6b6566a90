//! A service that has been built, and its life.
use super::{
    BuildContext, ConfigView, NotProvided, Options, Plan, ProviderContext, Shared, Views,
    context::on_reload,
    kind::Reloads,
    nobody::{NoDiscovery, NoSecrets},
    plan::{Planned, PreparedProvider},
    provided::Provided,
    reload::Reloading,
};
use crate::{
    error::{BoxError, Error, ErrorKind},
    health::{Health, Registration},
    lifecycle::{Lifecycle, Outcome, Running, Signals},
    resilience::policy,
    secret::AuditedProvider,
    task::{Component, Tasks},
    telemetry::{Telemetry, TelemetryConfig, hub, metrics::Registry},
};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use std::{any::Any, fmt, sync::Arc};

/// A service whose components are built and have not started.
#[must_use = "nothing starts before `start` or `run`"]
pub struct Runtime {
    shared: Shared,
    tasks: Tasks,
    lifecycle: Lifecycle,
    provided: Provided,
    registrations: Vec<Registration>,
    reloading: Option<(Reloading, Reloads)>,
}

/// A service that has started.
#[must_use = "nothing drains or stops before `run` or `shutdown`"]
pub struct Started {
    shared: Shared,
    running: Running,
    provided: Provided,
    _registrations: Vec<Registration>,
}

/// Starts to send spans and metrics, once secrets can be had.
struct Export(Telemetry);

/// The name of that part of a life, which is the name of a section, so that no component has it.
const EXPORT: &str = "telemetry";

// === impl Runtime ===

impl Runtime {
    pub(super) fn build(plan: Plan, options: Options) -> Result<Self, Error> {
        let tasks = Tasks::new();
        let Plan {
            identity,
            telemetry,
            health,
            shutdown,
            secrets,
            discovery,
            mut components,
            effective,
            ..
        } = plan;
        let mut reloads = Reloads::new();
        let metrics = Registry::with_limit(telemetry.metrics.cardinality_limit);
        let health = Health::new(&health, &tasks, &metrics);
        let views = Views::default();
        let references = effective.secret_references();
        let mut registrations = Vec::new();
        let mut first_of_all = Vec::new();
        let mut providers = ProviderContext {
            section: "secrets",
            tasks: &tasks,
            metrics: &metrics,
            health: &health,
            views: &views,
            references: &references,
            registrations: &mut registrations,
            components: &mut first_of_all,
            reloads: &mut reloads,
        };
        let secrets =
            provider("secrets", secrets, &mut providers)?.unwrap_or_else(|| Arc::new(NoSecrets));
        providers.section = "discovery";
        let discovery = provider("discovery", discovery, &mut providers)?
            .unwrap_or_else(|| Arc::new(NoDiscovery));
        let config = telemetry;
        let telemetry = Telemetry::build(
            &config,
            identity.origin(),
            options.output,
            tasks.runtime(),
            metrics,
            &(Arc::new(AuditedProvider::new(EXPORT, Arc::clone(&secrets))) as _),
        )?;
        telemetry.observe_process(&options.root);
        let live = telemetry.clone();
        on_reload(
            &mut reloads,
            TelemetryConfig::logs_path(),
            config.logs,
            move |logs| live.apply(&logs),
        );
        policy::register(telemetry.metrics());
        let flush = telemetry.clone();
        let mut lifecycle = Lifecycle::new(shutdown, &tasks)
            .in_kubernetes(options.in_kubernetes)
            .with_health(health.clone())
            .with_flush(move |within| flush.clone().flush(within));
        if options.process {
            hub::install_panic_hook();
            lifecycle = lifecycle.with_watchdog();
        }
        let shared = Shared {
            identity,
            telemetry,
            health,
            phase: lifecycle.phase(),
            failures: lifecycle.failures(),
            config: ConfigView {
                current: Arc::new(ArcSwap::from_pointee(effective)),
            },
            views,
        };
        order(&mut components)?;
        let mut before = Vec::new();
        for (name, component) in first_of_all {
            lifecycle = lifecycle.add(name.clone(), before.clone(), component);
            before.push(name);
        }
        let export = Arc::new(Export(shared.telemetry.clone()));
        lifecycle = lifecycle.add(EXPORT, before.clone(), export);
        before.push(EXPORT.to_owned());
        let first: Vec<String> = names(&components, true);
        let mut provided = Provided::default();
        for Planned {
            entry,
            first: is_first,
            prepared,
        } in components
        {
            let tasks = tasks.child();
            let mut cx = BuildContext {
                name: &entry.name,
                shared: &shared,
                tasks: &tasks,
                secrets: &secrets,
                discovery: &discovery,
                provided: &mut provided,
                registrations: &mut registrations,
                reloads: &mut reloads,
            };
            let component = prepared(&mut cx).map_err(|err| not_built(&entry.name, err))?;
            let mut after = entry.after;
            after.extend(first.iter().filter(|_| !is_first).cloned());
            after.extend(before.iter().cloned());
            lifecycle = lifecycle.add(entry.name, after, component);
        }
        lifecycle.check()?;
        Ok(Self {
            shared,
            tasks,
            lifecycle,
            provided,
            registrations,
            reloading: options.reloading.map(|reloading| (reloading, reloads)),
        })
    }

    /// What the runtime shares with its components.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What the component called `name` provides.
    ///
    /// # Errors
    /// [`NotProvided`] when it provides no `T`.
    pub fn provided<T: Any + Clone>(&self, name: &str) -> Result<T, NotProvided> {
        self.provided.find(name)
    }

    /// Starts every component, in order.
    ///
    /// # Errors
    /// The outcome of a life that ended here: a component did not start, or a signal came.
    pub async fn start(self, signals: &mut Signals) -> Result<Started, Outcome> {
        let Self {
            shared,
            tasks,
            lifecycle,
            provided,
            registrations,
            reloading,
        } = self;
        shared.health.watch_progress(&tasks);
        let running = tasks.runtime().scope(lifecycle.start(signals)).await?;
        if let Some((reloading, reloads)) = reloading {
            reloading.start(&tasks, shared.config.clone(), reloads);
        }
        Ok(Started {
            shared,
            running,
            provided,
            _registrations: registrations,
        })
    }

    /// Starts, serves until a signal comes or a component breaks, and ends in order.
    pub async fn run(self, mut signals: Signals) -> Outcome {
        match self.start(&mut signals).await {
            Ok(started) => started.run(signals).await,
            Err(outcome) => outcome,
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("identity", &self.shared.identity)
            .field("lifecycle", &self.lifecycle)
            .finish_non_exhaustive()
    }
}

// === impl Started ===

impl Started {
    /// What the runtime shares with its components.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What the component called `name` provides.
    ///
    /// # Errors
    /// [`NotProvided`] when it provides no `T`.
    pub fn provided<T: Any + Clone>(&self, name: &str) -> Result<T, NotProvided> {
        self.provided.find(name)
    }

    /// Serves until a signal comes or a component breaks, and ends in order. A second signal aborts.
    pub async fn run(self, signals: Signals) -> Outcome {
        let id = self.shared.telemetry.runtime();
        id.scope(self.running.run(signals)).await
    }

    /// Ends in order, now.
    pub async fn shutdown(self, signals: &mut Signals) -> Outcome {
        let id = self.shared.telemetry.runtime();
        id.scope(self.running.shutdown(signals)).await
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started")
            .field("identity", &self.shared.identity)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

// === impl Export ===

#[async_trait]
impl Component for Export {
    async fn start(&self) -> Result<(), BoxError> {
        Ok(self.0.export().await?)
    }
}

fn provider<P: ?Sized>(
    section: &str,
    prepared: Option<PreparedProvider<P>>,
    cx: &mut ProviderContext<'_>,
) -> Result<Option<Arc<P>>, Error> {
    let built = prepared.map(|prepared| prepared(cx)).transpose();
    built.map_err(|err| not_built(section, err))
}

fn not_built(name: &str, err: BoxError) -> Error {
    Error::new(ErrorKind::Config, format!("`{name}` could not be built")).with_source(err)
}

fn names(components: &[Planned], first: bool) -> Vec<String> {
    let chosen = components.iter().filter(|planned| planned.first == first);
    chosen.map(|planned| planned.entry.name.clone()).collect()
}

/// Puts every component behind those that it names under `after`, and otherwise keeps the order of the file.
fn order(components: &mut Vec<Planned>) -> Result<(), Error> {
    let mut rest = std::mem::take(components);
    rest.sort_by_key(|planned| !planned.first);
    while !rest.is_empty() {
        let ready = rest.iter().position(|planned| {
            let waits = |name: &String| rest.iter().any(|other| other.entry.name == *name);
            !planned.entry.after.iter().any(waits)
        });
        let Some(at) = ready else {
            let names = rest.iter().map(|planned| planned.entry.name.as_str());
            let message = format!(
                "the components {} wait for each other: remove one `after` in composition.yaml",
                names.collect::<Vec<_>>().join(", ")
            );
            return Err(Error::new(ErrorKind::Config, message));
        };
        components.push(rest.remove(at));
    }
    Ok(())
}
