//! Where finished spans go.
use super::{Sampler, SpanCounts, SpanKind, SpanRecord, counts::Counters, queue::Queue};
use crate::telemetry::context::{TraceContext, TraceId};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
};
use tokio::sync::Notify;

/// Where the finished spans of one runtime go: the sampler, and a bounded queue.
///
/// # Clone
/// Clones are the same queue.
#[derive(Clone)]
pub struct Spans {
    shared: Option<Arc<Shared>>,
}

/// Spans that were taken out of the queue and whose fate is open. Dropped without a word, they count as lost at shutdown.
pub struct SpanBatch {
    spans: Vec<SpanRecord>,
    open: u64,
    shared: Arc<Shared>,
}

struct Shared {
    sampler: Sampler,
    queue: Queue<SpanRecord>,
    /// How many spans must wait for the exporter to be woken.
    batch: usize,
    wake: Notify,
    /// Set from the wake-up to the exporter's next look, so that of many producers one wakes.
    woken: AtomicBool,
    closed: AtomicBool,
    counters: Counters,
}

// === impl Spans ===

impl Spans {
    /// How many finished spans wait at most, after OpenTelemetry's batch span processor.
    pub const QUEUE: usize = 2048;
    /// How many spans make a batch, after OpenTelemetry's batch span processor.
    pub const BATCH: usize = 512;

    /// A queue of [2048](Self::QUEUE) spans whose exporter is woken when [512](Self::BATCH) wait.
    #[must_use]
    pub fn new(sampler: Sampler) -> Self {
        Self::with_sizes(sampler, Self::QUEUE, Self::BATCH)
    }

    /// A queue of `queue` spans, at least 2, whose exporter is woken when `batch` wait, at least 1. The queue is allocated
    /// now, with about 1.4 KiB a span.
    #[must_use]
    pub fn with_sizes(sampler: Sampler, queue: usize, batch: usize) -> Self {
        let queue = Queue::new(queue, SpanRecord::empty);
        let batch = batch.clamp(1, queue.capacity());
        Self {
            shared: Some(Arc::new(Shared {
                sampler,
                queue,
                batch,
                wake: Notify::new(),
                woken: AtomicBool::new(false),
                closed: AtomicBool::new(false),
                counters: Counters::default(),
            })),
        }
    }

    /// Records nothing and starts no sampled trace.
    #[must_use]
    pub const fn disabled() -> Self {
        Self { shared: None }
    }

    /// Whether anybody wants spans.
    #[inline]
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.shared.is_some()
    }

    /// Whether a trace that starts here is sampled.
    #[must_use]
    pub fn sample_root(&self, trace_id: TraceId) -> bool {
        match &self.shared {
            Some(shared) => shared.sampler.sample_root(trace_id),
            None => false,
        }
    }

    /// Whether a span below `parent`, which another process sent, is sampled. Where nothing is recorded the caller's
    /// decision is passed on.
    #[inline]
    #[must_use]
    pub fn sample_child(&self, parent: &TraceContext) -> bool {
        match &self.shared {
            Some(shared) => shared.sampler.sample_child(parent),
            None => parent.is_sampled(),
        }
    }

    /// Takes over a finished span. One that is not sampled is ignored. The request path has
    /// [`record_with`](Self::record_with), which copies less.
    ///
    /// Never blocks and never allocates. When the queue is full, or after [`close`](Self::close), the span is dropped and
    /// counted.
    pub fn record(&self, span: SpanRecord) {
        self.record_with(span.context, span.kind, |record| *record = span);
    }

    /// Lets `fill` write a finished span where it will wait: nothing is copied but what `fill` copies. The record that it is
    /// given has `context` and `kind` and is otherwise empty. For a span that is not sampled `fill` is not called.
    ///
    /// Never blocks and never allocates, unless `fill` does. When the queue is full, or after [`close`](Self::close), the
    /// span is dropped and counted, and `fill` is not called either.
    ///
    /// # Panics
    /// When `fill` does. The span then goes out as far as it was written.
    #[inline]
    pub fn record_with(
        &self,
        context: TraceContext,
        kind: SpanKind,
        fill: impl FnOnce(&mut SpanRecord),
    ) {
        let Some(shared) = &self.shared else { return };
        if !context.is_sampled() {
            return;
        }
        if shared.closed.load(Ordering::Relaxed) {
            return add(&shared.counters.late, 1);
        }
        let pushed = shared.queue.push_with(|record| {
            record.context = context;
            record.kind = kind;
            fill(record);
        });
        match pushed {
            Some(waiting) => shared.pushed(waiting),
            None => add(&shared.counters.queue_full, 1),
        }
    }

    /// How many spans wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.as_ref().map_or(0, |shared| shared.queue.len())
    }

    /// How many spans may wait; 0 when disabled.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared
            .as_ref()
            .map_or(0, |shared| shared.queue.capacity())
    }

    /// What became of all spans so far.
    #[must_use]
    pub fn counts(&self) -> SpanCounts {
        self.shared
            .as_ref()
            .map_or_else(SpanCounts::default, |shared| {
                shared.counters.read(shared.queue.accepted() as u64)
            })
    }

    /// Waits until a batch is full. For one exporter; never ends when disabled.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn batch_ready(&self) {
        let Some(shared) = &self.shared else {
            return std::future::pending().await;
        };
        loop {
            shared.woken.store(false, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if shared.queue.len() >= shared.batch {
                return;
            }
            shared.wake.notified().await;
        }
    }

    /// Takes up to `max` spans out of the queue; `None` when none waits.
    #[must_use]
    pub fn take(&self, max: usize) -> Option<SpanBatch> {
        let shared = self.shared.as_ref()?;
        let mut spans = Vec::with_capacity(max.min(shared.queue.len()));
        while spans.len() < max {
            match shared.queue.pop_with(SpanRecord::take) {
                Some(span) => spans.push(span),
                None => break,
            }
        }
        if spans.is_empty() {
            return None;
        }
        Some(SpanBatch {
            open: spans.len() as u64,
            spans,
            shared: Arc::clone(shared),
        })
    }

    /// Takes no span any more, and gives up what waits: both count as dropped at shutdown. From then on the counts add up
    /// as soon as every [`SpanBatch`] is settled.
    pub fn close(&self) {
        let Some(shared) = &self.shared else { return };
        shared.closed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        shared.abandon_waiting();
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans")
            .field("recording", &self.is_recording())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

// === impl SpanBatch ===

impl SpanBatch {
    /// The spans, the oldest first; at least one.
    #[must_use]
    pub fn spans(&self) -> &[SpanRecord] {
        &self.spans
    }

    /// Forgets the spans, when they are encoded, and keeps the account.
    pub fn release(&mut self) {
        self.spans = Vec::new();
    }

    /// How many spans there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.open).unwrap_or(usize::MAX)
    }

    /// Whether there are none, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// The collector has them, all but `rejected`.
    pub fn exported(mut self, rejected: u64) {
        let rejected = rejected.min(self.open);
        let counters = &self.shared.counters;
        add(&counters.exported, self.open - rejected);
        add(&counters.rejected, rejected);
        self.open = 0;
    }

    /// They could not be exported.
    pub fn failed(mut self) {
        add(&self.shared.counters.export_failed, self.open);
        self.open = 0;
    }
}

impl Drop for SpanBatch {
    fn drop(&mut self) {
        add(&self.shared.counters.abandoned, self.open);
    }
}

impl fmt::Debug for SpanBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanBatch")
            .field("len", &self.open)
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// After a push, which is sequentially consistent: either `close` sees the span in the queue, or this sees that the
    /// queue is closed; either the exporter counts the span before it sleeps, or this sees that it is to be woken.
    #[inline]
    fn pushed(&self, waiting: usize) {
        if self.closed.load(Ordering::SeqCst) {
            self.abandon_waiting();
        } else if waiting >= self.batch
            && !self.woken.load(Ordering::SeqCst)
            && !self.woken.swap(true, Ordering::Relaxed)
        {
            self.wake.notify_one();
        }
    }

    #[cold]
    fn abandon_waiting(&self) {
        while self.queue.pop_with(SpanRecord::take).is_some() {
            add(&self.counters.abandoned, 1);
        }
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
