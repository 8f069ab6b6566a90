//! The latest traced value of a bucket, written and read without waiting.
use crate::telemetry::context::{SpanId, TraceContext, TraceId};
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// How often a reader tries again while writers are at work.
const TRIES: usize = 8;

/// A sequence lock of atomics (Boehm, "Can seqlocks get along with programming language memory models?", 2012): a writer
/// that finds another at work leaves, a reader that met a writer tries again.
#[derive(Debug, Default)]
pub(super) struct ExemplarCell {
    /// 0: nothing yet. Odd: being written.
    version: AtomicU64,
    value: AtomicU64,
    trace_high: AtomicU64,
    trace_low: AtomicU64,
    span: AtomicU64,
    unix_nanos: AtomicU64,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) value: u64,
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) unix_nanos: u64,
}

impl ExemplarCell {
    /// Keeps the value, unless another is being kept at this moment.
    pub(super) fn store(&self, value: u64, trace: &TraceContext, unix_nanos: u64) {
        let version = self.version.load(Relaxed);
        let writing = version | 1;
        let taken = version == writing
            || self
                .version
                .compare_exchange(version, writing, Acquire, Relaxed)
                .is_err();
        if taken {
            return;
        }
        fence(Release);
        let id = u128::from_be_bytes(trace.trace_id().to_bytes());
        self.value.store(value, Relaxed);
        self.trace_high.store((id >> 64) as u64, Relaxed);
        self.trace_low.store(id as u64, Relaxed);
        let span = u64::from_be_bytes(trace.span_id().to_bytes());
        self.span.store(span, Relaxed);
        self.unix_nanos.store(unix_nanos, Relaxed);
        self.version.store(version.wrapping_add(2), Release);
    }

    /// The latest value; `None` when there is none, or writers leave no gap.
    pub(super) fn load(&self) -> Option<Found> {
        for _ in 0..TRIES {
            let version = self.version.load(Acquire);
            if version == 0 {
                return None;
            }
            let value = self.value.load(Relaxed);
            let high = u128::from(self.trace_high.load(Relaxed));
            let low = u128::from(self.trace_low.load(Relaxed));
            let span = self.span.load(Relaxed);
            let unix_nanos = self.unix_nanos.load(Relaxed);
            fence(Acquire);
            if version & 1 == 0 && self.version.load(Relaxed) == version {
                return Some(Found {
                    value,
                    trace_id: TraceId::from_bytes((high << 64 | low).to_be_bytes())?,
                    span_id: SpanId::from_bytes(span.to_be_bytes())?,
                    unix_nanos,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// A context, and a value that can be told from it.
    fn traced(n: u64) -> (u64, TraceContext) {
        let n = n + 1;
        let id = u128::from(n) << 64 | u128::from(n);
        let trace = TraceId::from_bytes(id.to_be_bytes()).unwrap();
        let span = SpanId::from_bytes(n.to_be_bytes()).unwrap();
        (n, TraceContext::new(trace, span, 1))
    }

    #[test]
    fn a_cell_keeps_the_latest() {
        let cell = ExemplarCell::default();
        assert_eq!(cell.load(), None);
        for n in 0..3 {
            let (value, trace) = traced(n);
            cell.store(value, &trace, 7);
            let found = cell.load().unwrap();
            assert_eq!((found.value, found.unix_nanos), (value, 7));
            assert_eq!(
                (found.trace_id, found.span_id),
                (trace.trace_id(), trace.span_id())
            );
        }
    }

    #[test]
    fn a_reader_never_sees_half_of_a_write() {
        let cell = ExemplarCell::default();
        let rounds = 20_000;
        thread::scope(|scope| {
            for writer in 0..2 {
                let cell = &cell;
                scope.spawn(move || {
                    for n in 0..rounds {
                        let (value, trace) = traced(n * 2 + writer);
                        cell.store(value, &trace, value);
                    }
                });
            }
            for _ in 0..rounds {
                if let Some(found) = cell.load() {
                    let (_, trace) = traced(found.value - 1);
                    assert_eq!(found.unix_nanos, found.value);
                    assert_eq!(found.trace_id, trace.trace_id());
                    assert_eq!(found.span_id, trace.span_id());
                }
            }
        });
        assert!(cell.load().is_some());
    }
}
