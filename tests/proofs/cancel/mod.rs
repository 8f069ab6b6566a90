//! Cancellation at every await point: a future is polled k times and dropped, for every k until it ends, and nothing of it is
//! left.
mod client;
mod server;

use detectviz_core::telemetry::metrics::{Registry, Value};
use std::{
    future::{Future, poll_fn},
    task::Poll,
};

/// More await points than any of these futures has.
const MOST: u32 = 200;

/// Polls `future` whenever it is woken, and drops it when it was pending for the time that makes `polls`; its output if it
/// ends before.
async fn cancelled_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut left = polls;
    let mut future = Some(Box::pin(future));
    if left == 0 {
        return None;
    }
    poll_fn(|cx| {
        let Some(running) = &mut future else {
            return Poll::Ready(None);
        };
        left -= 1;
        match running.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left > 0 => Poll::Pending,
            Poll::Pending => {
                future = None;
                Poll::Ready(None)
            }
        }
    })
    .await
}

/// The sum of the series of a metric; of a histogram, how often it was recorded.
fn sum(metrics: &Registry, name: &str) -> f64 {
    let snapshot = metrics.snapshot();
    let metric = snapshot.metrics.iter().find(|m| m.desc.name == name);
    let series = metric.iter().flat_map(|metric| &metric.series);
    series.map(|series| number(&series.value)).sum()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Counter(count) => *count as f64,
        Value::Gauge(value) => *value,
        Value::Histogram(histogram) => histogram.count as f64,
        _ => panic!("{value:?}"),
    }
}
