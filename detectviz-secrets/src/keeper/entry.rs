//! One secret: what is known of it, who follows it, and the call to the store that is under way.
use super::state::{Act, Interest, Timeline};
use detectviz_core::secret::{SecretBundle, SecretError, SecretPublisher, SecretRef};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::watch;

/// What a call to the store came to.
pub(super) type Answer = Result<SecretBundle, SecretError>;

/// One secret.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) reference: SecretRef,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) timeline: Timeline,
    /// There once the store has given a value.
    pub(super) publisher: Option<SecretPublisher>,
    pub(super) error: Option<SecretError>,
    pub(super) flight: Option<Flight>,
    /// The secret has changed since the flight began, as far as the store knows.
    pub(super) changed: bool,
    /// Kept and looked after though nobody asks.
    pub(super) pinned: bool,
}

/// A call to the store that is under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) act: Act,
    answer: watch::Receiver<Option<Answer>>,
}

/// Whose answer a flight waits for; without one, the flight ends when it is dropped.
pub(super) type Landing = watch::Sender<Option<Answer>>;

// === impl Entry ===

impl Entry {
    pub(super) fn new(reference: SecretRef, now: Instant) -> Self {
        Self {
            reference,
            state: Mutex::new(State {
                timeline: Timeline::new(now),
                publisher: None,
                error: None,
                flight: None,
                changed: false,
                pinned: false,
            }),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    pub(super) fn latest(&self) -> Option<SecretBundle> {
        self.publisher.as_ref().map(SecretPublisher::latest)
    }

    /// The last thing that the store answered.
    pub(super) fn last(&self) -> Option<Answer> {
        match &self.error {
            Some(err) => Some(Err(err.clone())),
            None => self.latest().map(Ok),
        }
    }

    pub(super) fn interest(&self) -> Interest {
        let Some(publisher) = &self.publisher else {
            return Interest::default();
        };
        Interest {
            pinned: self.pinned,
            watched: !publisher.is_unwatched(),
            // The publisher holds one, and what is asked here is another.
            held: publisher.latest().holders() > 2,
        }
    }

    /// Begins a flight, which ends when the landing is used or dropped.
    pub(super) fn begin(&mut self, act: Act) -> (Flight, Landing) {
        let (landing, answer) = watch::channel(None);
        let flight = Flight { act, answer };
        self.flight = Some(flight.clone());
        self.changed = false;
        (flight, landing)
    }

    /// Ends the flight.
    pub(super) fn end(&mut self, now: Instant) {
        self.flight = None;
        if std::mem::take(&mut self.changed) {
            self.timeline.replace(now);
        }
    }
}

// === impl Flight ===

impl Flight {
    /// Waits for what the call comes to; `None` when it was cut short.
    pub(super) async fn landed(mut self) -> Option<Answer> {
        let answer = self.answer.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }
}
