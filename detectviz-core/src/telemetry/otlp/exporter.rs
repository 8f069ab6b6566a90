//! The exporter as a part of a service.
use super::{
    OtlpConfig, Resource,
    client::Client,
    delivery::Delivery,
    encode_metrics,
    metrics::{Metrics, PointCounters, PointCounts, Source},
    notice::Notice,
    observe,
    state::Attempts,
    stop::Stop,
    target::{Signal, Target},
    traces::Traces,
};
use crate::{
    error::{BoxError, Error, ErrorKind},
    secret::SecretsProvider,
    task::{Component, Tasks},
    telemetry::{
        metrics::Registry,
        span::{SpanCounts, Spans},
    },
};
use async_trait::async_trait;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// Exports the spans and metrics of one runtime to a Collector.
///
/// Spans wait in the queue that the exporter was [built](Self::build) with; metrics are read from the registry. What the
/// exporter does shows as `otel.sdk.…` metrics in the same registry.
///
/// # Cancel safety
/// Every future may be dropped. Dropping the exporter ends the export; what waits counts as dropped at shutdown.
pub struct OtlpExporter {
    config: OtlpConfig,
    resource: Resource,
    spans: Spans,
    source: Source,
    points: Arc<PointCounters>,
    tasks: Tasks,
    stop: watch::Sender<Option<Instant>>,
    jobs: Mutex<Jobs>,
}

/// From clients that have done nothing yet to loops that run.
#[derive(Default)]
struct Jobs {
    traces: Option<Client>,
    metrics: Option<Client>,
    running: Vec<JoinHandle<()>>,
}

/// How long [`Component::stop`] takes at most.
const FLUSH: Duration = Duration::from_secs(2);

// === impl OtlpExporter ===

impl OtlpExporter {
    /// Builds the exporter; nothing is connected yet. `spans` is best made by [`OtlpConfig::spans`]; `secrets` is needed
    /// where `secret_headers` are set.
    ///
    /// # Errors
    /// Of kind `Config`, naming every [problem](OtlpConfig::problems).
    pub fn build(
        config: OtlpConfig,
        resource: Resource,
        spans: Spans,
        registry: &Registry,
        tasks: &Tasks,
        secrets: Option<Arc<dyn SecretsProvider>>,
    ) -> Result<Self, Error> {
        let tasks = tasks.child();
        let connections = tasks.clone();
        let resource = resource.or(&config.resource);
        let (read, from) = (registry.clone(), resource.clone());
        let source: Source = Arc::new(move || encode_metrics::request(&from, &read.snapshot()));
        let enabled = config.enabled;
        let built = Self::build_with(config, resource, spans, source, tasks, move |target| {
            Client::new(target, secrets.clone(), &connections)
        })?;
        if enabled {
            observe::register(registry, &built.spans, &built.points);
        }
        Ok(built)
    }

    pub(super) fn build_with(
        config: OtlpConfig,
        resource: Resource,
        spans: Spans,
        source: Source,
        tasks: Tasks,
        client: impl Fn(Target) -> Client,
    ) -> Result<Self, Error> {
        let problems = config.problems();
        if !problems.is_empty() {
            let lines = problems
                .iter()
                .map(|(key, what, remedy)| format!("otlp.{key} {what}: {remedy}"))
                .collect::<Vec<_>>();
            return Err(Error::new(ErrorKind::Config, lines.join("; ")));
        }
        let target = |signal| {
            Target::new(&config, signal)
                .map(&client)
                .map_err(|fault| Error::new(ErrorKind::Config, format!("otlp.{fault}")))
        };
        let traces = config.enabled && config.traces.enabled && spans.is_recording();
        let metrics = config.enabled && config.metrics.enabled;
        let jobs = Jobs {
            traces: traces.then(|| target(Signal::Traces)).transpose()?,
            metrics: metrics.then(|| target(Signal::Metrics)).transpose()?,
            running: Vec::new(),
        };
        let points = Arc::new(PointCounters::default());
        Ok(Self {
            config,
            resource,
            spans,
            source,
            points,
            tasks,
            stop: watch::Sender::new(None),
            jobs: Mutex::new(jobs),
        })
    }

    /// Resolves the secret headers once, so that a missing secret is found now, and starts to export. Does nothing where
    /// there is nothing to export, or when called again.
    ///
    /// # Errors
    /// Of kind `Unavailable`, when a secret cannot be had.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(&self) -> Result<(), Error> {
        let (traces, metrics) = {
            let mut jobs = self.jobs();
            (jobs.traces.take(), jobs.metrics.take())
        };
        for client in traces.iter().chain(&metrics) {
            client.headers().await.map_err(|err| {
                let signal = client.target().signal.as_str();
                let message = format!("a header for the export of {signal} cannot be set: {err}");
                Error::new(ErrorKind::Unavailable, message).with_source(err)
            })?;
        }
        let mut running = Vec::new();
        if let Some(client) = traces {
            let traces = Traces {
                spans: self.spans.clone(),
                resource: self.resource.clone(),
                batch: self.config.traces.batch,
                delay: self.config.traces.schedule_delay,
                delivery: self.delivery(client),
            };
            running.push(self.tasks.spawn("otlp traces", traces.run()));
        }
        if let Some(client) = metrics {
            let metrics = Metrics {
                source: Arc::clone(&self.source),
                interval: self.config.metrics.interval,
                points: Arc::clone(&self.points),
                delivery: self.delivery(client),
            };
            running.push(self.tasks.spawn("otlp metrics", metrics.run()));
        }
        self.jobs().running.extend(running);
        Ok(())
    }

    /// Exports what waits, and the metrics once more, for at most `within`; counts the rest as dropped at shutdown, and ends
    /// the export for good. Gives the final account of the spans: produced = exported + dropped.
    pub async fn flush(&self, within: Duration) -> SpanCounts {
        let deadline = Instant::now() + within;
        self.stop.send_if_modified(|told| {
            let sooner = told.is_none_or(|told| deadline < told);
            if sooner {
                *told = Some(deadline);
            }
            sooner
        });
        let running = std::mem::take(&mut self.jobs().running);
        for mut job in running {
            if timeout_at(deadline, &mut job).await.is_err() {
                job.abort();
                // What it held counts as lost when it is gone.
                let _ = job.await;
            }
        }
        self.spans.close();
        self.spans.counts()
    }

    /// What became of the data points of metrics so far.
    #[must_use]
    pub fn points(&self) -> PointCounts {
        self.points.read()
    }

    fn delivery(&self, client: Client) -> Delivery {
        let target = client.target();
        let now = Instant::now().into_std();
        Delivery {
            attempts: Attempts::new(self.config.retry.clone(), target.export_timeout, now),
            notice: Notice::new(target.signal, target.endpoint()),
            stop: Stop::new(self.stop.subscribe(), self.tasks.token()),
            client,
        }
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Component for OtlpExporter {
    async fn start(&self) -> Result<(), BoxError> {
        Ok(Self::start(self).await?)
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.flush(FLUSH).await;
        Ok(())
    }
}

impl fmt::Debug for OtlpExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpExporter")
            .field("spans", &self.spans)
            .finish_non_exhaustive()
    }
}
