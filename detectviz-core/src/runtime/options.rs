//! How a runtime stands in its process.
use super::{Builder, reload::Reloading};
use crate::{config::Sources, telemetry::logs::Output};
use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
};

/// How a runtime stands in its process: where its log lines go, and what it may do to the process.
pub struct Options {
    pub(super) output: Output,
    pub(super) in_kubernetes: bool,
    pub(super) process: bool,
    pub(super) root: PathBuf,
    pub(super) reloading: Option<Reloading>,
}

impl Options {
    /// One runtime among others, as in a test: log lines go to `output`, and the process is left alone.
    #[must_use]
    pub fn embedded(output: impl Write + Send + 'static) -> Self {
        Self {
            output: Output::new(output),
            in_kubernetes: false,
            process: false,
            root: PathBuf::from("/"),
            reloading: None,
        }
    }

    /// The one runtime of a process: log lines go to stdout, a panic is logged, and the process is ended when its grace
    /// period is over and it still has not.
    #[must_use]
    pub fn process() -> Self {
        Self {
            output: Output::stdout(),
            process: true,
            ..Self::embedded(io::sink())
        }
    }

    /// Whether the process runs in Kubernetes, where the lifecycle has a pre-stop time.
    #[must_use]
    pub fn in_kubernetes(mut self, in_kubernetes: bool) -> Self {
        self.in_kubernetes = in_kubernetes;
        self
    }

    /// Reads `sources` again when their files change, and applies what may change at run time.
    #[must_use]
    pub fn reloading(mut self, builder: Builder, sources: Sources) -> Self {
        self.reloading = Some(Reloading::new(builder, sources));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("in_kubernetes", &self.in_kubernetes)
            .field("process", &self.process)
            .field("reloading", &self.reloading.is_some())
            .finish_non_exhaustive()
    }
}
