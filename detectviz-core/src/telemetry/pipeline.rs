//! All telemetry of one runtime, joined.
#[cfg(feature = "otlp")]
use super::otlp::{OtlpExporter, Resource};
use super::{
    TelemetryConfig, hub,
    logs::{Logs, LogsConfig, Output},
    metrics::{Desc, Kind, Registry, Unit, build_info, cgroup, executor, process},
    propagation::PropagationConfig,
    span::Spans,
};
use crate::{
    error::Error,
    names,
    secret::SecretsProvider,
    task::{RuntimeId, Tasks},
};
use std::{fmt, path::Path, sync::Arc, time::Duration};
use tracing::Level;

/// The telemetry of one runtime: logs, spans and metrics, and where they go.
///
/// # Clone
/// Clones are the same telemetry. With the last one the runtime leaves the [`hub`].
#[derive(Clone)]
pub struct Telemetry {
    inner: Arc<Inner>,
}

struct Inner {
    logs: Logs,
    spans: Spans,
    metrics: Registry,
    propagation: PropagationConfig,
    #[cfg(feature = "otlp")]
    exporter: OtlpExporter,
    /// Of its own and not of the lifecycle: lines are written, and spans sent, after everything else has ended.
    tasks: Tasks,
    _registration: hub::Registration,
}

/// Who the telemetry is of.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// `service.name`.
    pub name: &'a str,
    /// `service.version`.
    pub version: &'a str,
    /// `service.instance.id`.
    pub instance: &'a str,
    /// `deployment.environment.name`; may be empty.
    pub environment: &'a str,
}

static WRITTEN: Desc = Desc {
    name: names::LOG_WRITTEN,
    help: "Log lines written, by level.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["level"],
    buckets: &[],
};

static DROPPED: Desc = Desc {
    name: names::LOG_DROPPED,
    help: "Log lines dropped, by level: there was no room, or the output refused them.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["level"],
    buckets: &[],
};

static WRITE_ERRORS: Desc = Desc {
    name: names::LOG_WRITE_ERRORS,
    help: "Failed writes of log lines.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
};

// === impl Telemetry ===

impl Telemetry {
    /// Makes the telemetry of `runtime`: its lines go to `output` from now on, its spans and the metrics of `metrics` to a
    /// Collector after [`export`](Self::export). Installs the subscriber of the process when this is its first runtime.
    ///
    /// # Errors
    /// When the writer of the log cannot be started, or a setting is wrong.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn build(
        config: &TelemetryConfig,
        origin: Origin<'_>,
        output: Output,
        runtime: RuntimeId,
        metrics: Registry,
        secrets: &Arc<dyn SecretsProvider>,
    ) -> Result<Self, Error> {
        let tasks = Tasks::for_runtime(runtime);
        let logs = config.logs.build(origin.name, output, &tasks)?;
        observe_logs(&metrics, &logs);
        build_info::register(&metrics, origin.name, origin.version);
        #[cfg(feature = "otlp")]
        let (spans, exporter) = {
            let spans = config.otlp.spans();
            let resource = Resource::new(origin.name)
                .version(origin.version)
                .instance(origin.instance)
                .environment(origin.environment);
            let exporter = OtlpExporter::build(
                config.otlp.clone(),
                resource,
                spans.clone(),
                &metrics,
                &tasks,
                Some(Arc::clone(secrets)),
            )?;
            (spans, exporter)
        };
        #[cfg(not(feature = "otlp"))]
        let spans = {
            let _ = secrets;
            Spans::disabled()
        };
        let outputs = hub::Outputs::new(logs.clone(), spans.clone());
        let registration = hub::register(runtime, outputs);
        if hub::install() == hub::Installed::Foreign {
            let message = "another tracing subscriber is installed: add telemetry::hub::TelemetryLayer to it, or events of `tracing` are not logged here";
            logs.event(
                Level::WARN,
                module_path!(),
                super::logs::Caller::here(),
                None,
                message,
                |_| {},
            );
        }
        Ok(Self {
            inner: Arc::new(Inner {
                logs,
                spans,
                metrics,
                propagation: config.propagation.clone(),
                #[cfg(feature = "otlp")]
                exporter,
                tasks,
                _registration: registration,
            }),
        })
    }

    /// The runtime that this is the telemetry of.
    #[must_use]
    pub fn runtime(&self) -> RuntimeId {
        self.inner.tasks.runtime()
    }

    /// The log.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.inner.logs
    }

    /// Where finished spans go.
    #[must_use]
    pub fn spans(&self) -> &Spans {
        &self.inner.spans
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Registry {
        &self.inner.metrics
    }

    /// Which headers carry trace context and baggage.
    #[must_use]
    pub fn propagation(&self) -> &PropagationConfig {
        &self.inner.propagation
    }

    /// Counts what the system says of the process, its cgroup and the current tokio runtime. `root` is where `proc` and `sys`
    /// are found.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn observe_process(&self, root: &Path) {
        process::register(self.metrics(), root);
        cgroup::register(self.metrics(), root);
        executor::register(self.metrics(), "app", tokio::runtime::Handle::current());
    }

    /// Starts to send spans and metrics to the Collector, where one is configured.
    ///
    /// # Errors
    /// When a secret of its headers cannot be had.
    pub async fn export(&self) -> Result<(), Error> {
        #[cfg(feature = "otlp")]
        self.inner.exporter.start().await?;
        Ok(())
    }

    /// Applies the live keys of the section `telemetry.logs`.
    pub fn apply(&self, logs: &LogsConfig) {
        if let Err(err) = self.logs().levels().set(&logs.level) {
            tracing::error!(error = %err, "the log levels were not changed");
        }
    }

    /// Sends what waits, for at most `within`. What cannot be sent is counted as dropped.
    pub async fn flush(self, within: Duration) {
        #[cfg(feature = "otlp")]
        let begun = tokio::time::Instant::now();
        #[cfg(feature = "otlp")]
        self.inner.exporter.flush(within).await;
        #[cfg(feature = "otlp")]
        // Lines only wait for a thread: a little is enough, and it is there even when the Collector took all the time.
        let within = within
            .saturating_sub(begun.elapsed())
            .max(Duration::from_millis(100));
        let logs = self.logs().clone();
        let flush = self
            .inner
            .tasks
            .spawn_blocking("log flush", move || logs.flush(within));
        let _ = flush.await;
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("runtime", &self.runtime())
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// What the log says of itself.
fn observe_logs(metrics: &Registry, logs: &Logs) {
    let logs = logs.clone();
    metrics.declare(&[&WRITTEN, &DROPPED, &WRITE_ERRORS]);
    metrics.collect(move |collected| {
        for level in [
            Level::ERROR,
            Level::WARN,
            Level::INFO,
            Level::DEBUG,
            Level::TRACE,
        ] {
            let label = level.as_str().to_ascii_lowercase();
            collected.counter(&WRITTEN, &[&label], logs.written(level));
            collected.counter(&DROPPED, &[&label], logs.dropped(level));
        }
        collected.counter(&WRITE_ERRORS, &[], logs.write_errors());
    });
}
