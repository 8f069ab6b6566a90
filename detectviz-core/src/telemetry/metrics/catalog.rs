//! The list of metrics, for those who write dashboards and alerts.
use super::Desc;
use serde_json::{Value, json};

/// Lists metrics as JSON, as [`Registry::describe`](super::Registry::describe) gives them: of each its `name` and
/// `exposition_name`, `kind`, `unit` (UCUM), `help`, `attributes` (labels by their OpenTelemetry names), `labels` (by their
/// exposition names, in the same order) and `buckets` (upper bounds).
#[must_use]
pub fn catalog(descs: &[&Desc]) -> Value {
    let one = |desc: &&Desc| {
        json!({
            "name": desc.name,
            "exposition_name": desc.exposition_name(),
            "kind": desc.kind.as_str(),
            "unit": desc.unit.ucum(),
            "help": desc.help,
            "attributes": desc.labels,
            "labels": desc.exposition_labels().collect::<Vec<_>>(),
            "buckets": desc.buckets,
        })
    };
    descs.iter().map(one).collect()
}
