//! What a user may set.
use super::FileStore;
use detectviz_core::{
    config::{ByteSize, DurationText},
    task::Tasks,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// Settings of [`FileStore`](super::FileStore).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FileConfig {
    /// The directory that a relative path starts from.
    pub root: PathBuf,
    /// How often a watched secret is read again. 500 ms sees a change within a second.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub poll_interval: Duration,
    /// The largest file, or directory of files, that is read; Kubernetes keeps at most 1 MiB in one Secret.
    pub max_size: ByteSize,
}

impl FileConfig {
    /// Sets the directory that a relative path starts from.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// Sets how often a watched secret is read again.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets the size of the largest file, or directory of files, that is read.
    #[must_use]
    pub fn max_size(mut self, size: ByteSize) -> Self {
        self.max_size = size;
        self
    }

    /// Makes the store; it reads on the threads for blocking work of `tasks`.
    #[must_use]
    pub fn build(self, tasks: &Tasks) -> FileStore {
        FileStore::new(self, tasks)
    }
}

impl Default for FileConfig {
    fn default() -> Self {
        Self {
            root: PathBuf::from("/run/secrets"),
            poll_interval: Duration::from_millis(500),
            max_size: ByteSize(1 << 20),
        }
    }
}
