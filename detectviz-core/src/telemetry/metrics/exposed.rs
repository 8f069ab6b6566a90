//! A metric as a scrape shows it: what can be written once.
use super::{Desc, Kind, Labels, OVERFLOW_LABEL, Value, bounds::Bounds, format::Format, text};
use std::sync::Arc;

/// A description and the texts made from it.
#[derive(Debug)]
pub(super) struct Exposed {
    pub(super) desc: &'static Desc,
    /// The name of its samples; a histogram's add a suffix.
    pub(super) name: String,
    pub(super) bounds: Option<Arc<Bounds>>,
    labels: Vec<String>,
    text_header: Box<[u8]>,
    open_header: Box<[u8]>,
}

/// What stands before the values of a series.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    /// Before the value; of a histogram, before the `le` of a bucket.
    pub(super) value: Box<[u8]>,
    /// Before a histogram's sum.
    pub(super) sum: Box<[u8]>,
    /// Before a histogram's count.
    pub(super) count: Box<[u8]>,
}

/// What is recorded into.
pub(super) trait Measured {
    /// Writes the lines of one series.
    fn write(&self, prefixes: &Prefixes, format: Format, out: &mut Vec<u8>);
    /// The value, as plain data.
    fn read(&self) -> Value;
}

impl Exposed {
    pub(super) fn new(desc: &'static Desc) -> Self {
        let name = desc.exposition_name();
        Self {
            text_header: header(Format::Prometheus004, desc, &name),
            open_header: header(Format::OpenMetrics100, desc, &desc.family_name()),
            labels: desc.exposition_labels().collect(),
            bounds: (desc.kind == Kind::Histogram).then(|| Arc::new(Bounds::new(desc))),
            name,
            desc,
        }
    }

    /// Writes the lines that come before the samples.
    pub(super) fn write_header(&self, format: Format, out: &mut Vec<u8>) {
        out.extend_from_slice(match format {
            Format::Prometheus004 => &self.text_header,
            Format::OpenMetrics100 => &self.open_header,
        });
    }

    /// The labels with these values.
    pub(super) fn labels(&self, values: &[&str]) -> Labels {
        let names = self.desc.labels.iter().copied();
        names.zip(values.iter().map(|v| Box::from(*v))).collect()
    }

    /// The labels of the series that takes what exceeds the limit.
    pub(super) fn overflow_labels() -> Labels {
        Arc::new([(OVERFLOW_LABEL, Box::from("true"))])
    }

    pub(super) fn prefixes(&self, labels: &Labels) -> Prefixes {
        let mut inner = Vec::new();
        for (at, (name, value)) in labels.iter().enumerate() {
            if *name == OVERFLOW_LABEL {
                inner.extend_from_slice(b"otel_metric_overflow=");
            } else {
                inner.extend_from_slice(self.labels[at].as_bytes());
                inner.push(b'=');
            }
            text::label_value(&mut inner, value);
            inner.push(b',');
        }
        let last_comma = inner.len().saturating_sub(1);
        let closed = |suffix: &str| {
            let mut prefix = [self.name.as_bytes(), suffix.as_bytes()].concat();
            if !inner.is_empty() {
                prefix.push(b'{');
                prefix.extend_from_slice(&inner[..last_comma]);
                prefix.push(b'}');
            }
            prefix.push(b' ');
            prefix.into_boxed_slice()
        };
        if self.bounds.is_none() {
            return Prefixes {
                value: closed(""),
                ..Prefixes::default()
            };
        }
        Prefixes {
            value: [self.name.as_bytes(), b"_bucket{", &inner].concat().into(),
            sum: closed("_sum"),
            count: closed("_count"),
        }
    }
}

fn header(format: Format, desc: &Desc, name: &str) -> Box<[u8]> {
    let mut out = Vec::new();
    let mut line = |keyword: &str, rest: &str, quotes: bool| {
        for part in ["# ", keyword, " ", name, " "] {
            out.extend_from_slice(part.as_bytes());
        }
        text::escaped(&mut out, rest, quotes);
        out.push(b'\n');
    };
    let unit = desc.unit.open_metrics();
    match format {
        Format::Prometheus004 => {
            line("HELP", desc.help, false);
            line("TYPE", desc.kind.as_str(), false);
        }
        Format::OpenMetrics100 => {
            line("TYPE", desc.kind.as_str(), false);
            if !unit.is_empty() {
                line("UNIT", unit, false);
            }
            line("HELP", desc.help, true);
        }
    }
    out.into_boxed_slice()
}
