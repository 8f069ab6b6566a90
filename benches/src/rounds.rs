//! Timing in rounds, with pauses that are not timed: what the writer of logs and the exporter of spans do is not part of a
//! request, and a request that finds them behind is not the usual one.
use detectviz_core::telemetry::{logs::Logs, span::Spans};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Calls between two pauses; their lines and spans fit where they wait.
pub const CALLS: u64 = 256;

/// How long `times` calls of `work` take, in rounds of at most [`CALLS`]; `prepare` runs before each, with its number of calls.
pub fn timed<R>(times: u64, prepare: impl Fn(u64), mut work: impl FnMut() -> R) -> Duration {
    let mut took = Duration::ZERO;
    let mut left = times;
    while left > 0 {
        let calls = left.min(CALLS);
        left -= calls;
        prepare(calls);
        let start = Instant::now();
        for _ in 0..calls {
            black_box(work());
        }
        took += start.elapsed();
    }
    took
}

/// Takes the spans and waits until the log is written.
pub fn settle(logs: &Logs, spans: &Spans) {
    while let Some(batch) = spans.take(Spans::BATCH) {
        batch.exported(0);
    }
    logs.flush(Duration::from_secs(10));
}
