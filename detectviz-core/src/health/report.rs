//! What a probe is answered, as plain data.
use super::Criticality;
use serde::Serialize;
use std::{any::Any, error::Error};

/// The longest error text and the longest cause in a report, in bytes.
const MAX_TEXT: usize = 256;

/// Whether something passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All is well: 200.
    Pass,
    /// The service does less than it could: still 200.
    Degraded,
    /// 503.
    Fail,
}

/// The answer to one probe.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The verdict.
    pub status: Status,
    /// Why it is not [`Status::Pass`]; at most 256 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The checks that were looked at, by name; empty for liveness.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckReport>,
}

/// What is known about one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// The name under which it runs.
    pub name: String,
    /// [`Status::Pass`] or [`Status::Fail`].
    pub status: Status,
    /// What a failure means for readiness.
    pub criticality: Criticality,
    /// How long ago the last run ended; `None` before the first result.
    pub age_ms: Option<u64>,
    /// How long the last run took; `None` before the first result.
    pub duration_ms: Option<u64>,
    /// Why the last run failed, or why its result does not count; at most 256 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

// === impl Report ===

impl Report {
    /// Whether the probe is answered with 503.
    #[must_use]
    pub fn is_fail(&self) -> bool {
        self.status == Status::Fail
    }

    pub(super) fn pass() -> Self {
        Self {
            status: Status::Pass,
            cause: None,
            checks: Vec::new(),
        }
    }

    pub(super) fn because(status: Status, cause: String) -> Self {
        Self {
            status,
            cause: Some(bounded(cause)),
            checks: Vec::new(),
        }
    }
}

/// An error and its sources in one line, without saying twice what a message already repeats of its source.
pub(crate) fn error_text(err: &(dyn Error + 'static)) -> String {
    let mut text = err.to_string();
    let mut next = err.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        if text.len() > MAX_TEXT {
            break;
        }
        next = source.source();
    }
    bounded(text)
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// `text`, cut to what a report may carry.
pub(super) fn bounded(mut text: String) -> String {
    const MARK: &str = "…";
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT - MARK.len()));
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;

    #[test]
    fn an_error_text_tells_the_chain_once_and_is_bounded() {
        let io = std::io::Error::other("refused");
        let kind = error::ErrorKind::Unavailable;
        let outer = error::Error::new(kind, "orders-db").with_source(io);
        assert_eq!(error_text(&outer), "orders-db: refused");
        let io = std::io::Error::other("refused");
        let repeats = error::Error::new(kind, "orders-db: refused").with_source(io);
        assert_eq!(error_text(&repeats), "orders-db: refused");
        let long = error_text(&std::io::Error::other("é".repeat(1_000)));
        assert!(long.len() <= MAX_TEXT && long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_report_is_written_as_json() {
        let mut report = Report::because(Status::Fail, "db".to_owned());
        report.checks.push(CheckReport {
            name: "db".to_owned(),
            status: Status::Fail,
            criticality: Criticality::Critical,
            age_ms: Some(12),
            duration_ms: Some(3),
            error: Some("refused".to_owned()),
        });
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"status":"fail","cause":"db","checks":[{"name":"db","status":"fail","criticality":"critical","age_ms":12,"duration_ms":3,"error":"refused"}]}"#
        );
        assert_eq!(
            serde_json::to_string(&Report::pass()).unwrap(),
            r#"{"status":"pass"}"#
        );
    }
}
