//! Calls the parts of a service in order, each in a task of its own.
use super::order::Walk;
use crate::{
    error::BoxError,
    health::{error_text, panic_text},
    task::{Component, Tasks},
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    task::{AbortHandle, JoinHandle},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// One part of a service.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) after: Vec<String>,
    pub(super) component: Arc<dyn Component>,
}

/// What a part is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Start,
    Drain,
    Stop,
}

/// How a call went wrong.
#[derive(Debug)]
pub(super) enum Fault {
    Failed(BoxError),
    Panicked(String),
}

/// One call to every part of a [`Walk`], at the same time where the order allows. Dropping it drops the calls.
pub(super) struct Round<'a> {
    parts: &'a [Part],
    tasks: &'a Tasks,
    call: Call,
    walk: Walk,
    running: FuturesUnordered<BoxFuture<'static, (usize, Result<(), Fault>)>>,
    aborts: Vec<AbortHandle>,
    progress: Vec<Progress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Begun,
    Ended,
}

/// How long a call that was cut may take to be dropped before the next call to the same part.
const SETTLE: Duration = Duration::from_millis(10);

// === impl Part ===

impl Part {
    fn begin(&self, call: Call, tasks: &Tasks) -> JoinHandle<Result<(), BoxError>> {
        let component = Arc::clone(&self.component);
        match call {
            Call::Start => tasks.spawn("lifecycle-start", async move { component.start().await }),
            Call::Drain => tasks.spawn("lifecycle-drain", async move { component.drain().await }),
            Call::Stop => tasks.spawn("lifecycle-stop", async move { component.stop().await }),
        }
    }
}

// === impl Fault ===

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(err) => write!(f, "failed: {}", error_text(&**err)),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}

// === impl Round ===

impl<'a> Round<'a> {
    pub(super) fn new(parts: &'a [Part], tasks: &'a Tasks, call: Call, walk: Walk) -> Self {
        Self {
            parts,
            tasks,
            call,
            walk,
            running: FuturesUnordered::new(),
            aborts: Vec::new(),
            progress: vec![Progress::Waiting; parts.len()],
        }
    }

    /// Begins what may begin and waits for the next part to end its call; `None` when nothing runs any more. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<(usize, Result<(), Fault>)> {
        while let Some(at) = self.walk.next() {
            self.progress[at] = Progress::Begun;
            let call = AbortOnDropHandle::new(self.parts[at].begin(self.call, self.tasks));
            self.aborts.push(call.abort_handle());
            self.running
                .push(Box::pin(async move { (at, ended(call).await) }));
        }
        let (at, result) = self.running.next().await?;
        self.progress[at] = Progress::Ended;
        Some((at, result))
    }

    /// Lets those begin that waited for the part at `at`.
    pub(super) fn release(&mut self, at: usize) {
        self.walk.done(at);
    }

    /// Whether the call to the part at `at` was made.
    pub(super) fn has_begun(&self, at: usize) -> bool {
        self.progress[at] != Progress::Waiting
    }

    /// Whether the call to the part at `at` has returned.
    pub(super) fn has_ended(&self, at: usize) -> bool {
        self.progress[at] == Progress::Ended
    }

    /// Drops the calls that still run, and gives them a moment to be gone.
    pub(super) async fn cut(&mut self) {
        self.aborts.iter().for_each(AbortHandle::abort);
        let gone = async { while self.running.next().await.is_some() {} };
        let _deaf = timeout(SETTLE, gone).await;
    }
}

/// Waits for one call.
pub(super) async fn ended(call: AbortOnDropHandle<Result<(), BoxError>>) -> Result<(), Fault> {
    match call.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(err)) => Err(Fault::Failed(err)),
        Err(err) => Err(match err.try_into_panic() {
            Ok(panic) => Fault::Panicked(panic_text(&*panic).to_owned()),
            Err(err) => Fault::Failed(err.into()),
        }),
    }
}
