//! What happens between rounds that are measured: what the writer of logs and the exporter of spans do is not part of a request,
//! and a request that finds them behind is not the usual one.
use detectviz_core::telemetry::{logs::Logs, span::Spans};
use std::time::Duration;

/// Takes the spans and waits until the log is written.
pub fn settle(logs: &Logs, spans: &Spans) {
    while let Some(batch) = spans.take(Spans::BATCH) {
        batch.exported(0);
    }
    logs.flush(Duration::from_secs(10));
}
