//! How a life ended.
use super::{Step, watchdog::Watchdog};
use crate::error::{Error, ErrorKind};
use std::{fmt, process::ExitCode, time::Duration};

/// How a service ended, and how long each step of its end took.
///
/// It holds the watchdog of a [`Lifecycle`](super::Lifecycle::with_watchdog) that has one.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Boxed, since this is also an error type.
    inner: Box<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    error: Option<Error>,
    cut: Vec<String>,
    troubles: Vec<String>,
    stuck: Vec<&'static str>,
    steps: Vec<(Step, Duration)>,
    /// Watches over what `main` still does.
    watchdog: Option<Watchdog>,
}

// === impl Outcome ===

impl Outcome {
    /// A life that ended before it began, such as when the build failed.
    #[must_use]
    pub fn of(error: Error) -> Self {
        let mut outcome = Self::default();
        outcome.fail(error);
        outcome
    }

    /// Whether everything was finished and nothing failed.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.kind().is_none()
    }

    /// Why the end is not clean; `None` when it is. A failure comes before work that was cut.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        match &self.inner.error {
            Some(error) => Some(error.kind()),
            None if self.inner.cut.is_empty() => None,
            None => Some(ErrorKind::DrainDeadline),
        }
    }

    /// The exit code of the process: 0 when clean, else that of [`kind`](Self::kind).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.kind().map_or(0, ErrorKind::exit_code)
    }

    /// What failed, at the start or while serving.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.inner.error.as_ref()
    }

    /// The names of the parts whose drain was cut, and of the hooks that were.
    #[must_use]
    pub fn cut(&self) -> &[String] {
        &self.inner.cut
    }

    /// What else went wrong on the way down, one line each; it does not change the exit code.
    #[must_use]
    pub fn troubles(&self) -> &[String] {
        &self.inner.troubles
    }

    /// The names of the tasks that did not end, one entry each.
    #[must_use]
    pub fn stuck(&self) -> &[&'static str] {
        &self.inner.stuck
    }

    /// How long each step of the shutdown took, in order.
    #[must_use]
    pub fn steps(&self) -> &[(Step, Duration)] {
        &self.inner.steps
    }

    /// Keeps the first failure.
    pub(super) fn fail(&mut self, error: Error) {
        self.inner.error.get_or_insert(error);
    }

    pub(super) fn cut_off(&mut self, name: &str) {
        self.inner.cut.push(name.to_owned());
    }

    pub(super) fn trouble(&mut self, what: String) {
        self.inner.troubles.push(what);
    }

    pub(super) fn left_running(&mut self, names: &[&'static str]) {
        self.inner.stuck.extend_from_slice(names);
    }

    pub(super) fn guarded_by(&mut self, watchdog: Option<Watchdog>) {
        self.inner.watchdog = watchdog;
    }

    pub(super) fn took(&mut self, step: Step, time: Duration) {
        self.inner.steps.push((step, time));
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.exit_code())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner.error {
            Some(error) => write!(f, "{error}"),
            None if self.inner.cut.is_empty() => f.write_str("ended clean"),
            None => write!(f, "still in flight: {}", self.inner.cut.join(", ")),
        }
    }
}

impl std::error::Error for Outcome {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner
            .error
            .as_ref()
            .and_then(std::error::Error::source)
    }
}
