//! The section `secrets` of a service.
use crate::{
    composite::CompositeProvider,
    env::{EnvProvider, process_environment},
    file::FileConfig,
};
use detectviz_core::{
    config::{Checker, Section},
    secret::SecretsProvider,
    task::Tasks,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Where the secrets of a service are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SecretsConfig {
    /// `${secret:file:…}`.
    pub file: FileConfig,
}

impl SecretsConfig {
    /// The schemes that [`build`](Self::build) serves.
    pub const SCHEMES: [&str; 2] = ["env", "file"];

    /// Makes the provider of every scheme; what they run in the background runs on `tasks`. Variables are those of the
    /// process.
    #[must_use]
    pub fn build(self, tasks: &Tasks) -> Arc<dyn SecretsProvider> {
        let [env, file] = Self::SCHEMES;
        Arc::new(
            CompositeProvider::new()
                .with(env, Arc::new(EnvProvider::new(process_environment())))
                .with(file, Arc::new(self.file.build(tasks))),
        )
    }
}

impl Section for SecretsConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        check.nested("file", &self.file);
    }
}

impl Section for FileConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.poll_interval < Duration::from_millis(1) {
            check.problem(
                "poll_interval",
                "reads without a pause",
                "write at least `1ms`; `500ms` sees a change within a second",
            );
        }
        if self.max_size.0 == 0 {
            check.problem(
                "max_size",
                "no file is that small",
                "write a size such as `1MiB`",
            );
        }
    }
}
