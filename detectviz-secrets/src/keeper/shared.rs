//! All secrets of one store, and what becomes of the answers.
use super::{
    CacheConfig,
    entry::{Answer, Entry, Flight, Landing, State},
    recorder::{Operation, Outcome, Recorder},
    state::{Act, Serve},
};
use crate::{
    schedule::LONGEST_LIFE,
    store::{Fetched, Grant, Life, Renewed, Store},
};
use detectviz_core::{
    clock,
    secret::{
        Lease, SecretBundle, SecretError, SecretErrorKind, SecretPublisher, SecretRef,
        SecretVersion,
    },
    task::Tasks,
};
use fastrand::Rng;
use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::sync::{Notify, mpsc};

/// All secrets of one store.
pub(super) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) config: CacheConfig,
    pub(super) recorder: Recorder,
    pub(super) tasks: Tasks,
    /// Wakes the driver.
    pub(super) wake: Notify,
    entries: Mutex<HashMap<SecretRef, Arc<Entry>>>,
    releases: mpsc::UnboundedSender<Grant>,
    closed: AtomicBool,
}

/// What somebody who asks gets.
pub(super) enum Begun {
    /// An answer that is there.
    Answer(Answer, Outcome),
    /// A call to the store is under way. If it fails, what is there may be served when `stale` says so.
    Wait { flight: Flight, stale: bool },
}

/// How somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// For what is there, if it is good.
    Cached,
    /// For what the store answers now.
    Again,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(
        store: Arc<dyn Store>,
        config: CacheConfig,
        recorder: Recorder,
        tasks: Tasks,
        releases: mpsc::UnboundedSender<Grant>,
    ) -> Self {
        Self {
            store,
            config,
            recorder,
            tasks,
            wake: Notify::new(),
            entries: Mutex::default(),
            releases,
            closed: AtomicBool::new(false),
        }
    }

    /// The entry of `reference`, which somebody asks for.
    pub(super) fn entry(&self, reference: &SecretRef, now: Instant) -> Arc<Entry> {
        let bundle = reference.bundle();
        let mut entries = self.entries();
        let entry = entries
            .entry(bundle)
            .or_insert_with_key(|bundle| Arc::new(Entry::new(bundle.clone(), now)));
        entry.lock().timeline.touch(now);
        Arc::clone(entry)
    }

    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.entries().values().cloned().collect()
    }

    /// The entry of `reference`, if anybody has asked for it.
    pub(super) fn known(&self, reference: &SecretRef) -> Option<Arc<Entry>> {
        self.entries().get(reference).cloned()
    }

    /// What whoever asks for `entry` gets.
    pub(super) fn begin(self: &Arc<Self>, entry: &Arc<Entry>, how: How, now: Instant) -> Begun {
        if self.closed.load(Ordering::Acquire) {
            let remedy = "the service is stopping";
            let err = SecretError::new(SecretErrorKind::Unavailable, &entry.reference, remedy);
            return refused(err);
        }
        let mut state = entry.lock();
        let serve = state.timeline.serve(now, &self.config);
        let known = match (how, serve) {
            (How::Cached, Serve::Fresh) => Some(Outcome::Hit),
            (How::Cached, Serve::Stale) => Some(Outcome::Stale),
            _ => None,
        };
        if let (Some(outcome), Some(latest)) = (known, state.latest()) {
            return Begun::Answer(Ok(latest), outcome);
        }
        let stale = how == How::Cached && serve == Serve::FetchOrStale;
        if let Some(flight) = state.flight.clone() {
            return Begun::Wait { flight, stale };
        }
        if state.timeline.just_answered(now) {
            match state.last() {
                Some(Err(err)) if !stale => return refused(err),
                Some(Ok(bundle)) if how == How::Again => {
                    return Begun::Answer(Ok(bundle), Outcome::Hit);
                }
                _ => {}
            }
        }
        let flight = self.start(entry, &mut state, Act::Fetch);
        Begun::Wait { flight, stale }
    }

    /// Asks the store for `entry` once more, unless that is under way.
    pub(super) fn begin_again(self: &Arc<Self>, entry: &Arc<Entry>) {
        let mut state = entry.lock();
        match &state.flight {
            // What is under way may have been answered before the change.
            Some(_) => state.changed = true,
            None => drop(self.start(entry, &mut state, Act::Fetch)),
        }
    }

    /// Does what is due at `now` and says when to look again.
    pub(super) fn turn(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        self.entries().retain(|_, entry| {
            let mut state = entry.lock();
            if state.flight.is_some() {
                return true;
            }
            let (at, act) = state.timeline.due(now, state.interest(), &self.config);
            if at > now {
                next = Some(next.map_or(at, |next| next.min(at)));
                return true;
            }
            match act {
                Act::Fetch | Act::Renew => drop(self.start(entry, &mut state, act)),
                Act::Look => {}
                Act::Forget => return false,
            }
            true
        });
        next
    }

    /// Lets go of everything: watches end, and leases are given back once their last holder is gone.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.entries().clear();
    }

    fn start(self: &Arc<Self>, entry: &Arc<Entry>, state: &mut State, act: Act) -> Flight {
        let (flight, landing) = state.begin(act);
        let grant = match act {
            Act::Renew => state.timeline.lease().map(|(grant, _)| grant.clone()),
            _ => None,
        };
        let (shared, entry) = (Arc::clone(self), Arc::clone(entry));
        let landed = Landed {
            entry,
            shared,
            landing,
            answered: false,
        };
        self.tasks.spawn("secret", async move {
            // As a whole: a block that moves takes the fields of what it uses one by one.
            let mut landed = landed;
            match grant {
                Some(grant) => landed.shared.renew(&landed.entry, &grant).await,
                None => landed.shared.fetch(&landed.entry).await,
            }
            landed.answered = true;
        });
        flight
    }

    async fn fetch(&self, entry: &Entry) {
        let asked = clock::now();
        let call = self.store.fetch(&entry.reference);
        let answer = self.bounded(entry, Operation::Fetch, asked, call).await;
        let answer = answer.and_then(|fetched| match fetched.fields.is_empty() {
            true => Err(SecretError::new(
                SecretErrorKind::Empty,
                &entry.reference,
                "write a value to the store: it holds no field",
            )),
            false => Ok(fetched),
        });
        let now = clock::now();
        let mut state = entry.lock();
        match answer {
            Ok(fetched) => self.keep(entry, &mut state, fetched, (asked, now)),
            Err(err) => self.missed(&mut state, err, now),
        }
    }

    async fn renew(&self, entry: &Entry, grant: &Grant) {
        let asked = clock::now();
        let call = self.store.renew(&entry.reference, grant);
        let answer = self.bounded(entry, Operation::Renew, asked, call).await;
        let now = clock::now();
        let mut state = entry.lock();
        match answer {
            Ok(renewed) => renew(&mut state, renewed, asked),
            Err(err) if err.kind() == SecretErrorKind::Unavailable => {
                self.missed(&mut state, err, now);
            }
            Err(err) => {
                tracing::info!(error = %err, "a lease cannot be renewed; another is asked for");
                if err.kind() == SecretErrorKind::NotFound {
                    state.timeline.lost(now);
                    end_lease(&state, now);
                } else {
                    state.timeline.replace(now);
                }
            }
        }
    }

    /// Waits for a call to the store, for as long as one may take.
    async fn bounded<T>(
        &self,
        entry: &Entry,
        operation: Operation,
        asked: Instant,
        call: impl Future<Output = Result<T, SecretError>>,
    ) -> Result<T, SecretError> {
        let within = self.config.timeout;
        let answer = tokio::time::timeout(within, call).await;
        let answer = answer.unwrap_or_else(|_| {
            let name = self.store.name();
            Err(SecretError::new(
                SecretErrorKind::Unavailable,
                &entry.reference,
                format!("see why `{name}` gives no answer within {within:?}"),
            ))
        });
        let failed = answer.as_ref().err().map(SecretError::kind);
        let took = clock::now().saturating_duration_since(asked);
        self.recorder.asked(operation, failed, took);
        answer
    }

    /// Takes over what the store answered.
    fn keep(
        &self,
        entry: &Entry,
        state: &mut State,
        fetched: Fetched,
        (asked, now): (Instant, Instant),
    ) {
        let Fetched {
            fields,
            label,
            life,
        } = fetched;
        let life = match life {
            Life::Leased(grant) if grant.duration.is_zero() => Life::Cached,
            Life::Leased(mut grant) => {
                grant.duration = grant.duration.min(LONGEST_LIFE);
                Life::Leased(grant)
            }
            Life::Rotates(after) => Life::Rotates(after.min(LONGEST_LIFE)),
            life => life,
        };
        let latest = state.latest();
        let sequence = latest.as_ref().map_or(0, |held| held.version().sequence) + 1;
        let version = SecretVersion { sequence, label };
        let next = match &life {
            Life::Leased(grant) => SecretBundle::leased(fields, version, self.lease(grant, asked)),
            _ => SecretBundle::new(fields, version),
        };
        let is_lent = matches!(life, Life::Leased(_));
        if state.timeline.failures() > 0 {
            tracing::info!(reference = %entry.reference, "a secret can be had again");
        }
        state.error = None;
        state
            .timeline
            .fetched((asked, now), life, &self.config, &mut Rng::new());
        let Some(publisher) = &state.publisher else {
            state.publisher = Some(SecretPublisher::new(next));
            return;
        };
        let changed = !latest.is_some_and(|latest| latest.same_fields(&next));
        let published = if is_lent {
            publisher.supersede(next)
        } else {
            publisher.publish(next)
        };
        if published && changed {
            self.recorder.rotated();
            tracing::info!(
                target: "secret.audit",
                provider = self.store.name(),
                reference = %entry.reference,
                version = sequence,
                watchers = publisher.watchers(),
                "a secret has changed"
            );
        }
    }

    fn lease(&self, grant: &Grant, asked: Instant) -> Lease {
        let (releases, given) = (self.releases.clone(), grant.clone());
        Lease::new(
            grant.id.clone(),
            asked,
            grant.duration,
            grant.renewable,
            move || drop(releases.send(given)),
        )
    }

    /// Notes that the store gave no answer, or a bad one.
    fn missed(&self, state: &mut State, err: SecretError, now: Instant) {
        if state.timeline.failures() == 0 && state.publisher.is_some() {
            let provider = self.store.name();
            tracing::warn!(provider, error = %err, "the last good value of a secret is kept");
        }
        state.timeline.failed(now, &mut Rng::new());
        state.error = Some(err);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<SecretRef, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("store", &self.store.name())
            .finish_non_exhaustive()
    }
}

/// Ends the flight of an entry, also when its task is cut short: by the end of the runtime, or by a panic of the store.
struct Landed {
    entry: Arc<Entry>,
    shared: Arc<Shared>,
    landing: Landing,
    answered: bool,
}

impl Drop for Landed {
    fn drop(&mut self) {
        let Self {
            entry,
            shared,
            landing,
            answered,
        } = self;
        let now = clock::now();
        let mut state = entry.lock();
        if !*answered {
            let remedy = "look for a panic in the log: the call to the store was cut short";
            let kind = SecretErrorKind::Unavailable;
            shared.missed(
                &mut state,
                SecretError::new(kind, &entry.reference, remedy),
                now,
            );
        }
        state.end(now);
        landing.send_replace(state.last());
        drop(state);
        shared.wake.notify_one();
    }
}

fn refused(err: SecretError) -> Begun {
    let outcome = Outcome::Failed(err.kind());
    Begun::Answer(Err(err), outcome)
}

fn renew(state: &mut State, mut renewed: Renewed, asked: Instant) {
    renewed.duration = renewed.duration.min(LONGEST_LIFE);
    state.error = None;
    state.timeline.renewed(asked, renewed, &mut Rng::new());
    let end = state.timeline.lease().map(|(_, end)| end);
    if let Some(end) = end {
        end_lease(state, end);
    }
}

/// Tells the holders of the bundle when its lease ends.
fn end_lease(state: &State, end: Instant) {
    if let Some(bundle) = state.latest()
        && let Some(lease) = bundle.lease()
    {
        lease.ends_at(end);
    }
}
