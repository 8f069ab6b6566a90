//! What a metric is, apart from its values.

/// The buckets of a duration in seconds that OpenTelemetry's semantic conventions advise for HTTP.
pub const DURATION_BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// A metric: its name, what it means, and how it is labelled. Usually a `static`.
///
/// `name` is the OpenTelemetry name (`http.server.request.duration`) or one in Prometheus' style
/// (`detectviz_log_dropped_total`). [`exposition_name`](Desc::exposition_name) is what a scrape shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Desc {
    /// The name; letters, digits, `_`, `.` and `:`, not starting with a digit.
    pub name: &'static str,
    /// One sentence that says what is counted or measured.
    pub help: &'static str,
    /// The unit of every value.
    pub unit: Unit,
    /// How values are combined.
    pub kind: Kind,
    /// The names of the labels, as OpenTelemetry attributes (`http.request.method`) or in Prometheus' style.
    pub labels: &'static [&'static str],
    /// The upper bounds of a histogram's buckets, in `unit`, ascending, at most 254; the last, `+Inf`, is implied. Empty for
    /// other kinds.
    pub buckets: &'static [f64],
}

/// The unit of a metric, which is also the end of its exposition name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// None, or a count of things that the name says. Adds nothing to the name.
    None,
    /// A count of things in UCUM's notation, such as `{request}`. Adds nothing to the name.
    Of(&'static str),
    /// Seconds: `_seconds`.
    Seconds,
    /// Bytes: `_bytes`.
    Bytes,
    /// A fraction between 0 and 1: `_ratio`.
    Ratio,
}

/// How the values of a metric are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A total that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Values counted by size.
    Histogram,
}

// === impl Desc ===

impl Desc {
    /// The name that a scrape shows: dots become underscores, and the unit and a counter's `_total` stand at its end once.
    /// A histogram's series add `_bucket`, `_sum` and `_count`.
    #[must_use]
    pub fn exposition_name(&self) -> String {
        let mut name = self.family_name();
        if self.kind == Kind::Counter {
            name.push_str("_total");
        }
        name
    }

    /// The names of the labels as a scrape shows them: dots become underscores.
    pub fn exposition_labels(&self) -> impl Iterator<Item = String> {
        self.labels.iter().map(|label| underscored(label, false))
    }

    /// What OpenMetrics calls the metric: the exposition name without `_total`.
    pub(super) fn family_name(&self) -> String {
        let mut name = underscored(self.name, true);
        if self.kind == Kind::Counter && name.ends_with("_total") {
            name.truncate(name.len() - "_total".len());
        }
        let suffix = self.unit.suffix();
        if !name.ends_with(suffix) {
            name.push_str(suffix);
        }
        name
    }

    /// The names of the samples that a scrape shows, and those that OpenMetrics keeps for the metric.
    pub(super) fn reserved_names(&self) -> Vec<String> {
        let name = self.family_name();
        let suffixes: &[&str] = match self.kind {
            Kind::Counter => &["", "_total", "_created"],
            Kind::Gauge => &[""],
            Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        };
        let with = |suffix: &&str| format!("{name}{suffix}");
        suffixes.iter().map(with).collect()
    }

    /// What is wrong with the description, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let label_is_reserved =
            |label: &&str| matches!(*label, "le" | "quantile" | "") || label.starts_with("__");
        let labels: Vec<String> = self.exposition_labels().collect();
        let repeated = (1..labels.len()).any(|i| labels[..i].contains(&labels[i]));
        let ascending = self.buckets.is_sorted_by(|a, b| a < b);
        if self.name.is_empty() || self.name.starts_with(|c: char| c.is_ascii_digit()) {
            Some("a name starts with a letter")
        } else if self.help.is_empty() {
            Some("write what it means in `help`")
        } else if self.kind != Kind::Counter && self.name.ends_with("_total") {
            Some("only a counter's name ends with `_total`")
        } else if self.labels.iter().any(label_is_reserved) || repeated {
            Some("labels are named once, and neither `le`, `quantile` nor `__…`")
        } else if self.kind != Kind::Histogram && !self.buckets.is_empty() {
            Some("only a histogram has buckets")
        } else if !ascending || self.buckets.len() > 254 {
            Some("buckets are ascending, and at most 254")
        } else if self.buckets.iter().any(|b| !b.is_finite() || *b < 0.0) {
            Some("bucket bounds are finite and not negative")
        } else {
            None
        }
    }
}

// === impl Unit ===

impl Unit {
    /// The unit in UCUM's notation, as OpenTelemetry writes it; empty when there is none.
    #[must_use]
    pub fn ucum(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Of(things) => things,
            Self::Seconds => "s",
            Self::Bytes => "By",
            Self::Ratio => "1",
        }
    }

    /// The unit as OpenMetrics names it; empty when there is none.
    #[must_use]
    pub fn open_metrics(self) -> &'static str {
        self.suffix().trim_start_matches('_')
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::None | Self::Of(_) => "",
            Self::Seconds => "_seconds",
            Self::Bytes => "_bytes",
            Self::Ratio => "_ratio",
        }
    }
}

// === impl Kind ===

impl Kind {
    /// The kind as the `# TYPE` line names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// `name` with what Prometheus does not allow replaced by underscores.
fn underscored(name: &str, colons: bool) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    let replaced = |c| if allowed(c) { c } else { '_' };
    name.chars().map(replaced).collect()
}
