//! Says once when export begins to fail, and once when it works again.
use super::{state::Answer, target::Signal};

/// What was said last about one signal.
#[derive(Debug)]
pub(super) struct Notice {
    signal: Signal,
    endpoint: String,
    state: State,
}

/// How export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Fine,
    /// The Collector has something to say about what it accepted.
    Rejecting,
    Failing,
}

// === impl Notice ===

impl Notice {
    /// `endpoint` is for people: it holds no credentials.
    pub(super) fn new(signal: Signal, endpoint: String) -> Self {
        Self {
            signal,
            endpoint,
            state: State::Fine,
        }
    }

    /// Notes an answer, and gives the new state when it is another.
    pub(super) fn answered(&mut self, answer: &Answer) -> Option<State> {
        let state = match answer {
            Answer::Accepted {
                rejected: 0,
                message,
            } if message.is_empty() => State::Fine,
            Answer::Accepted { .. } => State::Rejecting,
            Answer::Retryable { .. } | Answer::Refused { .. } => State::Failing,
        };
        if state == self.state {
            return None;
        }
        self.state = state;
        self.say(answer);
        Some(state)
    }

    fn say(&self, answer: &Answer) {
        let (endpoint, signal) = (self.endpoint.as_str(), self.signal.as_str());
        match answer {
            Answer::Accepted {
                rejected: 0,
                message,
            } if message.is_empty() => {
                tracing::info!(endpoint, signal, "the Collector accepts exports again");
            }
            Answer::Accepted { rejected, message } => tracing::warn!(
                endpoint,
                signal,
                rejected,
                answer = message.as_str(),
                "the Collector accepted an export in part: see its answer; what it rejects is dropped"
            ),
            Answer::Retryable { why, .. } => tracing::warn!(
                endpoint,
                signal,
                cause = why.as_str(),
                "cannot export: check that a Collector listens at the endpoint and speaks its protocol (`otlp.endpoint`, \
                 `otlp.protocol`); export is retried, and what does not fit the queue is dropped"
            ),
            Answer::Refused { why } => tracing::warn!(
                endpoint,
                signal,
                cause = why.as_str(),
                "the Collector refuses exports: check `otlp.endpoint`, `otlp.protocol` and the headers; what it refuses is \
                 dropped"
            ),
        }
    }
}
