//! The loop that exports spans.
use super::{
    Resource,
    delivery::{Delivered, Delivery},
    encode_spans,
};
use crate::telemetry::span::{SpanBatch, Spans};
use std::time::Duration;
use tokio::time::sleep;

/// Exports what `spans` holds: a full batch at once, less after `delay`.
#[derive(Debug)]
pub(super) struct Traces {
    pub(super) spans: Spans,
    pub(super) resource: Resource,
    pub(super) batch: usize,
    pub(super) delay: Duration,
    pub(super) delivery: Delivery,
}

// === impl Traces ===

impl Traces {
    /// Runs until told to stop, then exports what waits for as long as there is time, and counts the rest.
    pub(super) async fn run(mut self) {
        let mut ending = false;
        while !ending {
            // What comes meanwhile waits for its own turn: else a steady flow would go out in small requests.
            let mut due = tokio::select! {
                biased;
                () = self.delivery.stop.told() => {
                    ending = true;
                    usize::MAX
                }
                () = self.spans.batch_ready() => self.batch,
                () = sleep(self.delay) => self.spans.waiting(),
            };
            while let Some(batch) = self.spans.take(self.batch.min(due)) {
                due -= batch.len();
                if self.send(batch).await == Delivered::Stopped {
                    ending = true;
                    break;
                }
            }
        }
        self.spans.close();
    }

    async fn send(&mut self, mut batch: SpanBatch) -> Delivered {
        let request = encode_spans::request(&self.resource, batch.spans());
        let body = self.delivery.client.body(&request);
        drop(request);
        batch.release();
        let delivered = self.delivery.deliver(body).await;
        match delivered {
            Delivered::Accepted(rejected) => batch.exported(rejected),
            Delivered::Failed => batch.failed(),
            // Dropped, it counts as lost at shutdown.
            Delivered::Stopped => drop(batch),
        }
        delivered
    }
}
