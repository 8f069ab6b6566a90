//! Brings one export after the other to the Collector, with retries.
use super::{
    client::Client,
    notice::Notice,
    state::{Attempts, Next},
    stop::{Pause, Stop},
};
use crate::clock;
use bytes::Bytes;
use tokio::time::Instant;

/// Brings the exports of one signal to the Collector.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) client: Client,
    pub(super) attempts: Attempts,
    pub(super) notice: Notice,
    pub(super) stop: Stop,
}

/// How one export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// The Collector has it, all but so many.
    Accepted(u64),
    /// It was refused, or could not be brought in time.
    Failed,
    /// The time is up.
    Stopped,
}

// === impl Delivery ===

impl Delivery {
    /// Brings `body`, which may take as long as the signal's export timeout, and longer when the server asked to be left
    /// alone before.
    pub(super) async fn deliver(&mut self, body: Bytes) -> Delivered {
        if let Some(until) = self.attempts.held_off(clock::now())
            && self.stop.pause(Instant::from_std(until), true).await == Pause::End
        {
            return Delivered::Stopped;
        }
        self.attempts.begin(clock::now());
        loop {
            let left = self.attempts.left(clock::now());
            let answer = tokio::select! {
                biased;
                answer = self.client.export(body.clone(), left) => answer,
                () = self.stop.passed() => return Delivered::Stopped,
            };
            self.notice.answered(&answer);
            match self
                .attempts
                .answered(&answer, clock::now(), fastrand::f64())
            {
                Next::Accepted(rejected) => return Delivered::Accepted(rejected),
                Next::GiveUp => return Delivered::Failed,
                Next::Wait { until, asked } => {
                    if self.stop.pause(Instant::from_std(until), asked).await == Pause::End {
                        return Delivered::Stopped;
                    }
                }
            }
        }
    }
}
