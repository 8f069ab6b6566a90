//! The way down: pre-stop, drain, hooks, flush, stop, flush, join, within one budget.
use super::{
    Outcome, Phase, PhaseControl, ShutdownConfig, Signals, Step,
    hooks::{Hook, HookEnd, HookRound},
    order::Order,
    parts::{Call, Fault, Part, Round, ended},
    state::Budget,
    watchdog::Watchdog,
};
use crate::{
    clock,
    error::{BoxError, Error, ErrorKind, cause_ref},
    health::Health,
    task::Tasks,
};
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// Sends what telemetry is left, within the given time.
pub(super) type Flush = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// What a lifecycle works with.
pub(super) struct Stage {
    pub(super) config: ShutdownConfig,
    pub(super) pre_stop: Duration,
    pub(super) tasks: Tasks,
    pub(super) phase: PhaseControl,
    pub(super) health: Option<Health>,
    pub(super) parts: Vec<Part>,
    pub(super) hooks: Vec<Hook>,
    pub(super) flush: Option<Flush>,
    pub(super) watchdog: Option<Watchdog>,
}

/// How far the start came.
pub(super) struct Reached {
    /// Parts whose start was called.
    pub(super) begun: Vec<bool>,
    /// Parts whose start succeeded.
    pub(super) started: Vec<bool>,
    /// Whether all of it did: only then was there traffic to wait for, and a service for hooks to clean up after.
    pub(super) serving: bool,
}

/// A shutdown under way.
pub(super) struct Ending<'a> {
    budget: Budget,
    outcome: Outcome,
    signals: &'a mut Signals,
    aborted: bool,
}

/// Ends the life of `stage`. `outcome` holds why, when that is a failure.
pub(super) async fn end(
    mut stage: Stage,
    order: &Order,
    reached: Reached,
    outcome: Outcome,
    signals: &mut Signals,
) -> Outcome {
    let pre_stop = if reached.serving {
        stage.pre_stop
    } else {
        Duration::ZERO
    };
    let mut ending = Ending {
        budget: Budget::new(&stage.config, pre_stop, clock::now()),
        outcome,
        signals,
        aborted: false,
    };
    if let Some(health) = &stage.health {
        health.shutting_down();
    }
    stage.phase.drain_until(ending.budget.drain_until());
    stage.phase.advance(Phase::PreStop);
    ending.bounded(Step::PreStop, sleep(pre_stop)).await;

    stage.phase.advance(Phase::Draining);
    ending.drain(&stage, order, &reached.started).await;
    let hooks = std::mem::take(&mut stage.hooks);
    if reached.serving {
        ending.hooks(hooks, &stage.tasks).await;
    }

    stage.phase.advance(Phase::Stopping);
    ending.flush(Step::Flush, &stage).await;
    ending.stop(&stage, order, &reached.begun).await;
    ending.flush(Step::LastFlush, &stage).await;
    ending.join(&stage.tasks).await;
    stage.phase.advance(Phase::Stopped);
    ending.outcome.guarded_by(stage.watchdog);
    ending.outcome
}

// === impl Ending ===

impl Ending<'_> {
    /// Runs `work` for as long as `step` may take; `None` when it was cut.
    async fn bounded<T>(&mut self, step: Step, work: impl Future<Output = T>) -> Option<T> {
        let begun = clock::now();
        let out = tokio::select! {
            biased;
            out = work => Some(out),
            signal = self.signals.recv(), if !self.aborted => {
                self.aborted = true;
                self.budget.abort(clock::now());
                tracing::warn!(%signal, step = step.as_str(), "told to end again: aborting");
                None
            }
            () = sleep(self.budget.limit(step, begun)) => None,
        };
        let took = clock::now().saturating_duration_since(begun);
        self.outcome.took(step, took);
        tracing::info!(
            step = step.as_str(),
            took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            cut = out.is_none(),
            "shutdown step ended"
        );
        out
    }

    /// Dependents first; what is independent at the same time.
    async fn drain(&mut self, stage: &Stage, order: &Order, started: &[bool]) {
        let walk = order.backwards(|at| started[at]);
        let mut round = Round::new(&stage.parts, &stage.tasks, Call::Drain, walk);
        let mut faults = Vec::new();
        let all = async {
            while let Some((at, result)) = round.next().await {
                round.release(at);
                faults.extend(result.err().map(|fault| (at, fault)));
            }
        };
        self.bounded(Step::Drain, all).await;
        round.cut().await;
        for (at, fault) in faults {
            self.drain_fault(&stage.parts[at].name, fault);
        }
        for (at, part) in stage.parts.iter().enumerate() {
            if started[at] && !round.has_ended(at) {
                tracing::warn!(part = part.name, "drain was cut");
                self.outcome.cut_off(&part.name);
            }
        }
    }

    fn drain_fault(&mut self, part: &str, fault: Fault) {
        tracing::warn!(part, %fault, "drain went wrong");
        match fault {
            Fault::Failed(err) if missed_deadline(&err) => self.outcome.cut_off(part),
            Fault::Failed(_) => self.outcome.trouble(format!("drain of `{part}` {fault}")),
            Fault::Panicked(_) => {
                let message = format!("drain of `{part}` {fault}");
                self.outcome.fail(Error::new(ErrorKind::Internal, message));
            }
        }
    }

    async fn hooks(&mut self, hooks: Vec<Hook>, tasks: &Tasks) {
        if hooks.is_empty() {
            return;
        }
        if self.aborted {
            hooks
                .iter()
                .for_each(|hook| self.outcome.cut_off(&hook.name));
            return;
        }
        let mut round = HookRound::new(hooks, tasks);
        let mut ends = Vec::new();
        let all = async {
            while let Some(end) = round.next().await {
                ends.push(end);
            }
        };
        self.bounded(Step::Hooks, all).await;
        for (name, end) in ends {
            match end {
                HookEnd::Done => {}
                HookEnd::Faulted(fault) => {
                    tracing::warn!(hook = name, %fault, "hook went wrong");
                    self.outcome.trouble(format!("hook `{name}` {fault}"));
                }
                HookEnd::TimedOut(limit) => {
                    tracing::warn!(hook = name, ?limit, "hook was cut at its timeout");
                    self.outcome.cut_off(&name);
                }
            }
        }
        for name in round.unfinished() {
            tracing::warn!(hook = name, "hook was cut: the time for hooks is over");
            self.outcome.cut_off(name);
        }
    }

    async fn stop(&mut self, stage: &Stage, order: &Order, begun: &[bool]) {
        let walk = order.backwards(|at| begun[at]);
        let mut round = Round::new(&stage.parts, &stage.tasks, Call::Stop, walk);
        let mut faults = Vec::new();
        let all = async {
            while let Some((at, result)) = round.next().await {
                round.release(at);
                faults.extend(result.err().map(|fault| (at, fault)));
            }
        };
        self.bounded(Step::Stop, all).await;
        round.cut().await;
        for (at, fault) in faults {
            let part = &stage.parts[at].name;
            tracing::warn!(part, %fault, "stop went wrong");
            self.outcome.trouble(format!("stop of `{part}` {fault}"));
        }
        for (at, part) in stage.parts.iter().enumerate() {
            if begun[at] && !round.has_ended(at) {
                tracing::warn!(part = part.name, "stop was cut");
                self.outcome
                    .trouble(format!("stop of `{}` was cut", part.name));
            }
        }
    }

    async fn flush(&mut self, step: Step, stage: &Stage) {
        let Some(flush) = &stage.flush else { return };
        let begun = clock::now();
        let work = flush(self.budget.limit(step, begun));
        // In a task of its own, which contains a panic.
        let call = stage.tasks.spawn("lifecycle-flush", async move {
            work.await;
            Ok(())
        });
        match self
            .bounded(step, ended(AbortOnDropHandle::new(call)))
            .await
        {
            Some(Ok(())) => {}
            Some(Err(fault)) => self.outcome.trouble(format!("{} {fault}", step.as_str())),
            None => self.outcome.trouble(format!("{} was cut", step.as_str())),
        }
        self.budget
            .flushed(clock::now().saturating_duration_since(begun));
    }

    async fn join(&mut self, tasks: &Tasks) {
        tasks.cancel();
        let begun = clock::now();
        let joined = tasks.join(self.budget.limit(Step::Join, begun)).await;
        self.outcome
            .took(Step::Join, clock::now().saturating_duration_since(begun));
        if let Err(stuck) = joined {
            tracing::warn!(%stuck, "tasks did not end");
            self.outcome.left_running(stuck.names());
        }
    }
}

/// Whether a part says itself that it had to cut what was in flight.
fn missed_deadline(err: &BoxError) -> bool {
    cause_ref::<Error>(&**err).is_some_and(|err| err.kind() == ErrorKind::DrainDeadline)
}
