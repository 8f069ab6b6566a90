//! Builds clients from settings and from what is not data.
use super::{
    Client, ClientConfig, connect::Pools, executor::Executor, housekeeping::Housekeeping,
    in_flight::InFlight, recorder::Recorder, service::Shared, upstreams::Upstreams,
};
use crate::propagation::Propagators;
use detectviz_core::{
    config::check,
    discovery::ServiceDiscoveryProvider,
    error::{Error, ErrorKind},
    resilience::timer::Timer,
    task::Tasks,
    telemetry::{logs::Logs, metrics::Registry, span::Spans},
};
use http::HeaderValue;
use std::{fmt, sync::Arc};

/// Builds a [`Client`].
#[must_use]
pub struct ClientBuilder {
    config: ClientConfig,
    discovery: Option<Arc<dyn ServiceDiscoveryProvider>>,
    spans: Spans,
    metrics: Registry,
    logs: Logs,
    propagators: Propagators,
}

impl ClientBuilder {
    /// Starts with the settings. Without more, hosts go to DNS, and nobody sees spans, metrics and lines.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            config,
            discovery: None,
            spans: Spans::disabled(),
            metrics: Registry::new(),
            logs: Logs::disabled(),
            propagators: Propagators::default(),
        }
    }

    /// Finds services by their names.
    pub fn with_discovery(mut self, provider: Arc<dyn ServiceDiscoveryProvider>) -> Self {
        self.discovery = Some(provider);
        self
    }

    /// Records a span for each call of a sampled trace.
    pub fn with_spans(mut self, spans: Spans) -> Self {
        self.spans = spans;
        self
    }

    /// Counts calls in this registry.
    pub fn with_metrics(mut self, metrics: &Registry) -> Self {
        self.metrics = metrics.clone();
        self
    }

    /// Writes a line for each call whose level is wanted.
    pub fn with_logs(mut self, logs: Logs) -> Self {
        self.logs = logs;
        self
    }

    /// Passes the trace on in these formats; W3C Trace Context and Baggage unless told.
    pub fn with_propagators(mut self, propagators: Propagators) -> Self {
        self.propagators = propagators;
        self
    }

    /// Builds the client. Its connections run in a child of `tasks`.
    ///
    /// # Errors
    /// `Config` when a setting is wrong, or the certificate authorities cannot be read.
    pub fn build(self, tasks: &Tasks) -> Result<Client, Error> {
        let config = self.config;
        check(&config).map_err(|problems| {
            let message = format!("the client cannot be built: {problems}");
            Error::new(ErrorKind::Config, message).with_source(problems)
        })?;
        let user_agent = Some(config.user_agent.as_str()).filter(|name| !name.is_empty());
        let executor = Executor::new(tasks.child());
        let pools = Pools::new(config.clone(), executor.clone())?;
        let own = executor.tasks().clone();
        Ok(Client::new(Arc::new(Shared {
            h2: config.h2,
            user_agent: user_agent.and_then(|name| HeaderValue::from_str(name).ok()),
            pools,
            upstreams: Upstreams::new(self.discovery, config, &self.metrics, own),
            timer: Timer::with_tasks(executor.tasks()),
            executor,
            in_flight: InFlight::default(),
            spans: self.spans,
            recorder: Recorder::new(&self.metrics, self.logs),
            propagators: self.propagators,
            housekeeping: Housekeeping::default(),
        })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("config", &self.config)
            .field("discovery", &self.discovery.as_ref().map(|p| p.name()))
            .finish_non_exhaustive()
    }
}
