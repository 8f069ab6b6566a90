//! What the user wants done after the drain.
use super::parts::{Fault, ended};
use crate::{error::BoxError, task::Tasks};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// One hook.
pub(super) struct Hook {
    pub(super) name: String,
    pub(super) timeout: Duration,
    /// Behind a lock only so that a life that holds hooks can be looked at from several threads.
    pub(super) run: Mutex<BoxFuture<'static, Result<(), BoxError>>>,
}

/// All hooks, running at the same time, so that one that hangs does not take the time of the others.
pub(super) struct HookRound {
    running: FuturesUnordered<BoxFuture<'static, (usize, HookEnd)>>,
    left: Vec<Option<String>>,
}

/// How a hook ended.
pub(super) enum HookEnd {
    Done,
    Faulted(Fault),
    TimedOut(Duration),
}

// === impl HookRound ===

impl HookRound {
    pub(super) fn new(hooks: Vec<Hook>, tasks: &Tasks) -> Self {
        let left = hooks.iter().map(|hook| Some(hook.name.clone())).collect();
        let running = hooks.into_iter().enumerate().map(|(at, hook)| {
            let Hook {
                timeout: limit,
                run,
                ..
            } = hook;
            let run = run.into_inner().unwrap_or_else(PoisonError::into_inner);
            let call = AbortOnDropHandle::new(tasks.spawn("lifecycle-hook", run));
            let run: BoxFuture<'static, _> = Box::pin(async move {
                let end = match timeout(limit, ended(call)).await {
                    Ok(Ok(())) => HookEnd::Done,
                    Ok(Err(fault)) => HookEnd::Faulted(fault),
                    Err(_) => HookEnd::TimedOut(limit),
                };
                (at, end)
            });
            run
        });
        Self {
            running: running.collect(),
            left,
        }
    }

    /// Waits for the next hook to end: its name, and how. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<(String, HookEnd)> {
        let (at, end) = self.running.next().await?;
        let name = self.left[at].take().unwrap_or_default();
        Some((name, end))
    }

    /// The hooks that have not ended.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &str> {
        self.left.iter().flatten().map(String::as_str)
    }
}
