//! Fallbacks without tower: which errors are answered otherwise.
use super::recorder::Recorder;
use crate::{
    error::BoxError,
    telemetry::{
        context::{NoteValue, note},
        metrics::Registry,
    },
};
use std::{error, fmt, sync::Arc, time::Instant};

/// Knows which errors of the calls to one upstream are answered otherwise.
///
/// ```
/// use detectviz_core::{error::cause_ref, resilience::{fallback::Fallback, timeout::Elapsed}};
/// use std::time::{Duration, Instant};
///
/// let fallback = Fallback::new().on::<Elapsed>("timeout");
/// let err = Elapsed::new(Duration::from_secs(1)).into();
/// let selected = fallback.select(&err, Instant::now()).expect("timeouts are answered otherwise");
/// selected.ended(true);
/// assert!(fallback.select(&"another error".into(), Instant::now()).is_none());
/// ```
///
/// # Clone
/// Clones share the counts.
#[derive(Clone, Debug)]
pub struct Fallback {
    shared: Arc<Shared>,
}

/// A failed call that is answered otherwise; made by [`Fallback::select`].
///
/// # Cancel safety
/// A call that is dropped before it [ended](Self::ended) counts as neither.
#[derive(Debug)]
#[must_use = "say how it ended"]
pub struct Selected {
    by: Arc<Shared>,
    at: usize,
}

#[derive(Clone, Debug)]
struct Shared {
    upstream: Box<str>,
    metrics: Registry,
    rules: Vec<Rule>,
}

#[derive(Clone)]
struct Rule {
    reason: &'static str,
    selects: Arc<dyn Fn(&BoxError) -> bool + Send + Sync>,
    recorder: Recorder,
}

// === impl Fallback ===

impl Fallback {
    /// Selects nothing; its metrics nobody reads.
    #[must_use]
    pub fn new() -> Self {
        Self::with_metrics("", &Registry::new())
    }

    /// Selects nothing; `upstream` is a label of its metrics.
    #[must_use]
    pub fn with_metrics(upstream: &str, metrics: &Registry) -> Self {
        Self {
            shared: Arc::new(Shared {
                upstream: upstream.into(),
                metrics: metrics.clone(),
                rules: Vec::new(),
            }),
        }
    }

    /// Selects errors of which `T` is a cause. `reason` is what metric and span say of them.
    ///
    /// # Panics
    /// When the name of the metric is taken by another description.
    #[must_use]
    pub fn on<T: error::Error + 'static>(self, reason: &'static str) -> Self {
        self.when(reason, |err| crate::error::cause_ref::<T>(&**err).is_some())
    }

    /// Selects errors that `selects` selects and no earlier rule does. `reason` is what metric and span say of them.
    ///
    /// # Panics
    /// When the name of the metric is taken by another description.
    #[must_use]
    pub fn when(
        mut self,
        reason: &'static str,
        selects: impl Fn(&BoxError) -> bool + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        shared.rules.push(Rule {
            reason,
            selects: Arc::new(selects),
            recorder: Recorder::new(&shared.upstream, reason, &shared.metrics),
        });
        self
    }

    /// Whether a call that failed with `err` at `now` is answered otherwise; if so, that is noted on the span of the current
    /// request.
    #[must_use]
    pub fn select(&self, err: &BoxError, now: Instant) -> Option<Selected> {
        let rules = &self.shared.rules;
        let at = rules.iter().position(|rule| (rule.selects)(err))?;
        let reason = NoteValue::Str(rules[at].reason);
        note(now, "fallback", Some(("reason", reason)));
        let by = Arc::clone(&self.shared);
        Some(Selected { by, at })
    }
}

impl Default for Fallback {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Selected ===

impl Selected {
    /// The reason of the rule that selected it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.by.rules[self.at].reason
    }

    /// Counts whether there was another answer.
    pub fn ended(self, well: bool) {
        let Recorder { answered, failed } = &self.by.rules[self.at].recorder;
        if well { answered } else { failed }.inc();
    }
}

// === impl Rule ===

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}
