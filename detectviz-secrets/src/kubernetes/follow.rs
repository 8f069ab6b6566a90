//! The task that follows one object.
use super::{
    error::Failure,
    name::ObjectName,
    object,
    session::Session,
    state::{Following, Step},
};
use crate::store::StoreEvents;
use detectviz_core::secret::SecretRef;
use kube::core::{
    Request,
    params::{ListParams, WatchParams},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A watch is asked to end after this many seconds and up to as many more, so that those of many replicas do not end
/// together (client-go, `minWatchTimeout`).
const WATCH_SECONDS: u32 = 300;

/// How much longer than it was asked to last a watch may be silent before its connection counts as lost.
const GRACE: Duration = Duration::from_secs(15);

/// One object, and whom to tell.
pub(super) struct Follower {
    pub(super) session: Arc<Session>,
    pub(super) object: ObjectName,
    /// As it was fetched, without a field.
    pub(super) reference: SecretRef,
    pub(super) events: StoreEvents,
    pub(super) fetches: Arc<AtomicU64>,
}

// === impl Follower ===

impl Follower {
    /// Follows the object, last fetched with the version `fetched`, until nobody uses it.
    pub(super) async fn run(&self, fetched: Option<String>) {
        let mut state = Following::new(fetched);
        let mut failing = false;
        loop {
            let done = match state.step(Instant::now()) {
                Step::End => return,
                Step::Wait(pause) => {
                    tokio::time::sleep(pause).await;
                    continue;
                }
                Step::List => self.list(&mut state).await,
                Step::Watch(from) => self.watch(&mut state, &from, &mut failing).await,
            };
            match done {
                Ok(()) => self.recovered(&mut failing),
                Err(failure) => self.failed(&mut state, failure, &mut failing),
            }
        }
    }

    async fn list(&self, state: &mut Following) -> Result<(), Failure> {
        let params = ListParams::default().fields(&self.selector());
        let request = requests(&self.object).list_metadata(&params);
        let answer = self.session.ask(request.map_err(invalid)?).await?;
        let listed = object::list(&answer, &self.object)?;
        let changed = state.listed(listed);
        self.tell(state, changed);
        Ok(())
    }

    async fn watch(
        &self,
        state: &mut Following,
        from: &str,
        failing: &mut bool,
    ) -> Result<(), Failure> {
        let seconds = WATCH_SECONDS + fastrand::u32(..WATCH_SECONDS);
        let params = WatchParams::default()
            .fields(&self.selector())
            .timeout(seconds);
        let request = requests(&self.object).watch_metadata(&params, from);
        let started = Instant::now();
        let (server, mut lines) = self.session.open(request.map_err(invalid)?).await?;
        let silent = Duration::from_secs(seconds.into()) + GRACE;
        let mut heard = false;
        // A silent connection is given up like one that has ended.
        while let Ok(line) = tokio::time::timeout(silent, lines.next()).await {
            let Some(line) = line? else { break };
            if let Some(seen) = object::event(&line, &self.object, &server)? {
                let changed = state.saw(seen);
                self.tell(state, changed);
            }
            heard = true;
            self.recovered(failing);
        }
        state.ended(Instant::now(), started.elapsed(), heard, fastrand::f64());
        Ok(())
    }

    fn tell(&self, state: &mut Following, changed: bool) {
        if changed {
            state.told(Instant::now(), self.fetches.load(Ordering::Relaxed));
            self.events.changed(&self.reference);
        }
    }

    fn failed(&self, state: &mut Following, failure: Failure, failing: &mut bool) {
        let refusal = failure.refusal();
        let expired = refusal.is_some_and(super::status::Refusal::is_expired);
        let seconds = refusal.map_or(0, |refusal| refusal.retry_after);
        // A server that sends garbage is not believed in what came before it either.
        let lost = expired
            || matches!(
                failure,
                Failure::Unreadable { .. } | Failure::TooLarge { .. }
            );
        let at_least = Duration::from_secs(seconds.into());
        state.failed(Instant::now(), lost, at_least, fastrand::f64());
        if !expired && !std::mem::replace(failing, true) {
            let err = failure.explain(&self.reference, &self.object);
            tracing::warn!(error = %err, "a Secret is not followed: its changes are seen when it is fetched next");
        }
    }

    fn recovered(&self, failing: &mut bool) {
        if std::mem::take(failing) {
            tracing::info!(reference = %self.reference, "a Secret is followed again");
        }
    }

    fn selector(&self) -> String {
        format!("metadata.name={}", self.object.name)
    }
}

/// Makes the requests for the Secrets in the namespace of `object`.
pub(super) fn requests(object: &ObjectName) -> Request {
    Request::new(format!("/api/v1/namespaces/{}/secrets", object.namespace))
}

/// What kube would not ask for.
pub(super) fn invalid(_: kube::core::request::Error) -> Failure {
    Failure::setup("the request cannot be made", "correct the reference")
}
