//! What a user may set.
use super::state::{MAX_PATH, ProbeKind};
use detectviz_core::config::{Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which paths are probes. A path is matched as it stands, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ProbeConfig {
    /// Paths that ask whether the process is alive.
    pub live: Vec<String>,
    /// Paths that ask whether the process deserves traffic.
    pub ready: Vec<String>,
    /// Paths that ask whether the process has started.
    pub startup: Vec<String>,
}

impl ProbeConfig {
    /// Sets the paths of the liveness probe.
    #[must_use]
    pub fn live(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.live = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the paths of the readiness probe.
    #[must_use]
    pub fn ready(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ready = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the paths of the startup probe.
    #[must_use]
    pub fn startup(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.startup = paths.into_iter().map(Into::into).collect();
        self
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = (ProbeKind, &str)> {
        let lists = [
            (ProbeKind::Live, &self.live),
            (ProbeKind::Ready, &self.ready),
            (ProbeKind::Startup, &self.startup),
        ];
        lists
            .into_iter()
            .flat_map(|(kind, paths)| paths.iter().map(move |path| (kind, path.as_str())))
    }
}

impl Section for ProbeConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        let mut seen = BTreeSet::new();
        for (kind, path) in self.paths() {
            let mut wrong = |what: &str, remedy| {
                check.problem(kind.key(), format!("`{path}` {what}"), remedy);
            };
            if !path.starts_with('/') || path.contains(['?', '#', ' ']) || !path.is_ascii() {
                wrong("is not a path", "write it like `/livez`");
            } else if path.len() > MAX_PATH {
                wrong("is too long", "write one of at most 63 bytes");
            } else if !seen.insert(path) {
                wrong("is listed twice", "leave it in one list");
            }
        }
    }
}

impl Default for ProbeConfig {
    fn default() -> Self {
        let paths = |paths: &[&str]| paths.iter().map(ToString::to_string).collect();
        Self {
            live: paths(&["/livez", "/healthz", "/health/live", "/health/liveness"]),
            ready: paths(&[
                "/readyz",
                "/health",
                "/health/ready",
                "/health/readiness",
                "/readiness",
            ]),
            startup: paths(&["/startupz"]),
        }
    }
}
