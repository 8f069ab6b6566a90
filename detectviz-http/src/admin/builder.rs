//! Builds the admin port from settings and from what is not data.
use super::{Admin, AdminConfig, Version, pages::Pages};
use crate::probe::Probes;
use detectviz_core::{
    error::Error,
    runtime::Views,
    task::Tasks,
    telemetry::{logs::Levels, metrics::Registry},
};
use std::sync::Arc;

/// Builds an [`Admin`]. A page is there when what it shows was given.
#[derive(Debug)]
#[must_use]
pub struct AdminBuilder {
    config: AdminConfig,
    pages: Pages,
}

impl AdminBuilder {
    /// Starts with the settings and the probes.
    pub fn new(config: AdminConfig, probes: Probes) -> Self {
        Self {
            config,
            pages: Pages {
                probes,
                metrics: None,
                config: None,
                levels: None,
                views: None,
                version: Version::default(),
            },
        }
    }

    /// Shows the registry at `/metrics`.
    pub fn with_metrics(mut self, metrics: &Registry) -> Self {
        self.pages.metrics = Some(metrics.clone());
        self
    }

    /// Shows what `config` returns at `/config`. Secrets are redacted by whoever makes it.
    pub fn with_config(
        mut self,
        config: impl Fn() -> serde_json::Value + Send + Sync + 'static,
    ) -> Self {
        self.pages.config = Some(Box::new(config));
        self
    }

    /// Shows and changes log levels at `/loglevel`.
    pub fn with_log_levels(mut self, levels: &Levels) -> Self {
        self.pages.levels = Some(levels.clone());
        self
    }

    /// Shows what components show of themselves, a page for each path that they name.
    pub fn with_views(mut self, views: &Views) -> Self {
        self.pages.views = Some(views.clone());
        self
    }

    /// Shows `version` at `/version`.
    pub fn with_version(mut self, version: Version) -> Self {
        self.pages.version = version;
        self
    }

    /// Builds the admin port; nothing is bound before it is started. Its thread and tasks run in a child of `tasks`.
    ///
    /// # Errors
    /// None today.
    pub fn build(self, tasks: &Tasks) -> Result<Admin, Error> {
        Ok(Admin::new(
            &self.config,
            Arc::new(self.pages),
            tasks.child(),
        ))
    }
}
