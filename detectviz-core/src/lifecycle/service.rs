//! The lifecycle itself: parts go in, a running service comes out.
use super::{
    Failures, Outcome, Phase, PhaseControl, PhaseWatch, ShutdownConfig, Signals,
    ending::{Reached, Stage, end},
    failures::FailureInbox,
    hooks::Hook,
    order::Order,
    parts::{Call, Fault, Part, Round},
    watchdog::Watchdog,
};
use crate::{
    clock,
    error::{BoxError, Error, ErrorKind, cause_ref},
    health::Health,
    task::{Component, Tasks},
};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A service that has not started.
#[must_use = "nothing starts before `start` or `run`"]
pub struct Lifecycle {
    stage: Stage,
    failures: Failures,
    inbox: FailureInbox,
    watchdog: bool,
}

/// A service whose parts have all started.
#[must_use = "nothing drains or stops before `run` or `shutdown`"]
pub struct Running {
    stage: Stage,
    order: Order,
    inbox: FailureInbox,
}

/// Why a start did not come to its end.
enum Halt {
    Told,
    Failed(Error),
}

// === impl Lifecycle ===

impl Lifecycle {
    /// No parts yet. `tasks` is the root: the end of the life cancels it and waits for all that runs in it.
    pub fn new(config: ShutdownConfig, tasks: &Tasks) -> Self {
        let (failures, inbox) = Failures::channel();
        Self {
            stage: Stage {
                pre_stop: config.pre_stop(false),
                config,
                tasks: tasks.clone(),
                phase: PhaseControl::new(),
                health: None,
                parts: Vec::new(),
                hooks: Vec::new(),
                flush: None,
                watchdog: None,
            },
            failures,
            inbox,
            watchdog: false,
        }
    }

    /// Whether this process runs in Kubernetes, where a pre-stop time applies even when none is configured.
    pub fn in_kubernetes(mut self, in_kubernetes: bool) -> Self {
        self.stage.pre_stop = self.stage.config.pre_stop(in_kubernetes);
        self
    }

    /// The health that is told about the start and the end.
    pub fn with_health(mut self, health: Health) -> Self {
        self.stage.health = Some(health);
        self
    }

    /// What sends the telemetry that is left, given how long it may take. It is called when the work is drained and,
    /// with what is left of the `flush` time, once more at the very end.
    pub fn with_flush<F>(mut self, flush: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.stage.flush = Some(Arc::new(move |within| Box::pin(flush(within))));
        self
    }

    /// Arms a watchdog: a thread that ends the process with exit code 75 at most 1 s after the grace, even when every thread
    /// of the application's runtime is stuck. For the `main` of a process only: an embedded runtime has no business with
    /// its host's life. It stays armed until the [`Outcome`] is dropped, so `main` keeps that until it returns.
    pub fn with_watchdog(mut self) -> Self {
        self.watchdog = true;
        self
    }

    /// Adds a part that starts once every part named in `after` has started, and ends before them.
    pub fn add<S: Into<String>>(
        mut self,
        name: impl Into<String>,
        after: impl IntoIterator<Item = S>,
        component: Arc<dyn Component>,
    ) -> Self {
        self.stage.parts.push(Part {
            name: name.into(),
            after: after.into_iter().map(Into::into).collect(),
            component,
        });
        self
    }

    /// Adds what is to be done once the work is drained and before parts stop, such as leaving a registry. Hooks run at
    /// the same time, each for at most `timeout`, and only if the service had started.
    pub fn add_hook<F>(
        mut self,
        name: impl Into<String>,
        timeout: Duration,
        hook: impl FnOnce() -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.stage.hooks.push(Hook {
            name: name.into(),
            timeout,
            run: Mutex::new(Box::pin(async move { hook().await })),
        });
        self
    }

    /// The phase of this life.
    #[must_use]
    pub fn phase(&self) -> PhaseWatch {
        self.stage.phase.watch()
    }

    /// What a part keeps in order to say that it broke.
    #[must_use]
    pub fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// Looks for mistakes without starting anything.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], which names every mistake at once: a name used twice, an `after` that names nothing, a
    /// cycle, a budget whose shares do not fit.
    pub fn check(&self) -> Result<(), Error> {
        self.order().map(|_| ())
    }

    /// Starts the parts, those at the same time that do not wait for each other.
    ///
    /// # Errors
    /// The outcome of a life that ends here, after what had started was drained and stopped in reverse: a mistake that
    /// [`check`](Self::check) finds, a part that failed to start, or a signal, which is a clean end.
    ///
    /// # Cancel safety
    /// When the future is dropped, so are the calls to the parts that are starting, and nothing is drained or stopped.
    pub async fn start(self, signals: &mut Signals) -> Result<Running, Outcome> {
        let order = self.order().map_err(Outcome::of)?;
        let Self {
            mut stage,
            mut inbox,
            watchdog,
            ..
        } = self;
        if watchdog {
            stage.watchdog = Some(arm(&stage)?);
        }
        if let Some(health) = &stage.health {
            health.expect_parts(stage.parts.iter().map(|part| part.name.clone()));
        }
        let begun = clock::now();
        let mut started = vec![false; stage.parts.len()];
        let mut round = Round::new(&stage.parts, &stage.tasks, Call::Start, order.forwards());
        let all = start_all(&stage, &mut round, &mut started);
        let halt = tokio::select! {
            biased;
            _ = signals.recv() => Some(Halt::Told),
            (part, err) = inbox.recv() => Some(Halt::Failed(broke(&part, err))),
            result = all => result.err().map(Halt::Failed),
        };
        let Some(halt) = halt else {
            drop(round);
            if let Some(health) = &stage.health {
                health.started();
            }
            stage.phase.advance(Phase::Serving);
            let took = clock::now().saturating_duration_since(begun);
            tracing::info!(took_ms = millis(took), "started");
            return Ok(Running {
                stage,
                order,
                inbox,
            });
        };
        if let Halt::Failed(error) = &halt {
            tracing::error!(%error, cause = error_cause(error), "the service did not start");
        }
        round.cut().await;
        let reached = Reached {
            begun: (0..stage.parts.len())
                .map(|at| round.has_begun(at))
                .collect(),
            started,
            serving: false,
        };
        drop(round);
        let outcome = match halt {
            Halt::Told => Outcome::default(),
            Halt::Failed(error) => Outcome::of(error),
        };
        Err(end(stage, &order, reached, outcome, signals).await)
    }

    /// Starts, serves until a signal comes or a part breaks, and ends in order.
    pub async fn run(self, mut signals: Signals) -> Outcome {
        match self.start(&mut signals).await {
            Ok(running) => running.run(signals).await,
            Err(outcome) => outcome,
        }
    }

    fn order(&self) -> Result<Order, Error> {
        let parts: Vec<_> = self
            .stage
            .parts
            .iter()
            .map(|part| (part.name.as_str(), part.after.as_slice()))
            .collect();
        let order = Order::new(&parts);
        let budget = self.stage.config.problems();
        let budget = budget
            .iter()
            .map(|(key, what, remedy)| format!("shutdown.{key} {what}: {remedy}"));
        match order {
            Ok(order) if budget.len() == 0 => Ok(order),
            order => {
                let problems: Vec<_> = order
                    .err()
                    .unwrap_or_default()
                    .into_iter()
                    .chain(budget)
                    .collect();
                Err(Error::new(ErrorKind::Config, problems.join("; ")))
            }
        }
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle")
            .field("parts", &names(&self.stage.parts))
            .finish_non_exhaustive()
    }
}

// === impl Running ===

impl Running {
    /// The phase of this life.
    #[must_use]
    pub fn phase(&self) -> PhaseWatch {
        self.stage.phase.watch()
    }

    /// Serves until a signal comes or a part breaks, and ends in order. A second signal aborts.
    pub async fn run(mut self, mut signals: Signals) -> Outcome {
        let outcome = tokio::select! {
            signal = signals.recv() => {
                tracing::info!(%signal, "told to end");
                Outcome::default()
            }
            (part, err) = self.inbox.recv() => {
                let error = broke(&part, err);
                tracing::error!(%error, cause = error_cause(&error), "a part broke");
                Outcome::of(error)
            }
        };
        self.end(outcome, &mut signals).await
    }

    /// Ends in order, now. A signal aborts.
    pub async fn shutdown(self, signals: &mut Signals) -> Outcome {
        self.end(Outcome::default(), signals).await
    }

    async fn end(self, outcome: Outcome, signals: &mut Signals) -> Outcome {
        let all = vec![true; self.stage.parts.len()];
        let reached = Reached {
            begun: all.clone(),
            started: all,
            serving: true,
        };
        end(self.stage, &self.order, reached, outcome, signals).await
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("parts", &names(&self.stage.parts))
            .field("phase", &self.stage.phase)
            .finish_non_exhaustive()
    }
}

fn arm(stage: &Stage) -> Result<Watchdog, Outcome> {
    Watchdog::arm(stage.config.grace, stage.phase.watch(), &stage.tasks).map_err(|err| {
        let message =
            "the watchdog's thread cannot be started: raise the limit on processes or open files";
        Outcome::of(Error::new(ErrorKind::Internal, message).with_source(err))
    })
}

async fn start_all(
    stage: &Stage,
    round: &mut Round<'_>,
    started: &mut [bool],
) -> Result<(), Error> {
    let begun = clock::now();
    while let Some((at, result)) = round.next().await {
        let part = &stage.parts[at].name;
        result.map_err(|fault| not_started(part, fault))?;
        started[at] = true;
        round.release(at);
        if let Some(health) = &stage.health {
            health.part_started(part);
        }
        let took = clock::now().saturating_duration_since(begun);
        tracing::info!(part, after_ms = millis(took), "part started");
    }
    Ok(())
}

/// A part that fails to start keeps the kind of its own error; otherwise something outside is missing.
fn not_started(part: &str, fault: Fault) -> Error {
    match fault {
        Fault::Failed(err) => {
            let kind = cause_ref::<Error>(&*err).map_or(ErrorKind::Unavailable, Error::kind);
            Error::new(kind, format!("`{part}` did not start")).with_source(err)
        }
        fault @ Fault::Panicked(_) => Error::new(
            ErrorKind::Internal,
            format!("`{part}` did not start: it {fault}"),
        ),
    }
}

fn broke(part: &str, err: BoxError) -> Error {
    Error::new(ErrorKind::Internal, format!("`{part}` broke while it ran")).with_source(err)
}

fn error_cause(error: &Error) -> String {
    std::error::Error::source(error)
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn names(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.name.as_str()).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
