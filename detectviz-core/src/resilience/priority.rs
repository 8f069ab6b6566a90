//! How much a request matters when not all can be served.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a request matters when not all can be served: whatever refuses work refuses the least of these first.
///
/// These are the criticalities of *Site Reliability Engineering* (Beyer et al., ch. 21, "Handling Overload"), less the
/// fourth: `CRITICAL` and `CRITICAL_PLUS` are one here.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// May be refused first: batch work, prefetching, what will be tried again later anyway.
    Sheddable,
    /// What a request is unless it says otherwise.
    #[default]
    Normal,
    /// Never shed: probes, the admin port, and what costs more to refuse than to serve.
    Critical,
}

// === impl Priority ===

impl Priority {
    /// All priorities, the least first.
    pub const ALL: [Self; 3] = [Self::Sheddable, Self::Normal, Self::Critical];

    /// The name, as it stands in a configuration file and on a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::Normal => "normal",
            Self::Critical => "critical",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Priority::*;

    #[test]
    fn what_matters_more_is_greater() {
        assert!(Sheddable < Normal && Normal < Critical);
        assert_eq!(super::Priority::default(), Normal);
    }
}
