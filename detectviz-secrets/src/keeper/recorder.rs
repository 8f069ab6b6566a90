//! The metrics of one provider.
use crate::names;
use detectviz_core::{
    secret::SecretErrorKind,
    telemetry::metrics::{
        Counter, DURATION_BUCKETS, Desc, Family, Histogram, Kind, Registry, Unit,
    },
};
use std::{fmt, sync::Arc, time::Duration};

static GETS: Desc = Desc {
    name: names::GETS,
    help: "Secrets that were asked for, by how that ended.",
    unit: Unit::Of("{get}"),
    kind: Kind::Counter,
    labels: &["provider", "outcome"],
    buckets: &[],
};

static REQUESTS: Desc = Desc {
    name: names::REQUEST_DURATION,
    help: "How long calls to a store of secrets took.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &["provider", "operation", "outcome"],
    buckets: DURATION_BUCKETS,
};

static ROTATIONS: Desc = Desc {
    name: names::ROTATIONS,
    help: "Secrets that were found to have changed.",
    unit: Unit::Of("{rotation}"),
    kind: Kind::Counter,
    labels: &["provider"],
    buckets: &[],
};

pub(super) static LEASE_REMAINING: Desc = Desc {
    name: names::LEASE_REMAINING,
    help: "How long a lease still lasts, by secret.",
    unit: Unit::Seconds,
    kind: Kind::Gauge,
    labels: &["provider", "reference"],
    buckets: &[],
};

pub(super) static AGE: Desc = Desc {
    name: names::AGE,
    help: "How long ago a secret was last had from its store.",
    unit: Unit::Seconds,
    kind: Kind::Gauge,
    labels: &["provider", "reference"],
    buckets: &[],
};

pub(super) static FAILING: Desc = Desc {
    name: names::FAILING,
    help: "1 while a secret that was had before cannot be had again, else 0.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &["provider", "reference"],
    buckets: &[],
};

/// How a secret was had, or was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Hit,
    Fetched,
    Stale,
    Failed(SecretErrorKind),
}

/// What a store was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Fetch,
    Renew,
    Revoke,
}

/// The metrics of one provider.
pub(super) struct Recorder {
    provider: &'static str,
    gets: Family<Counter>,
    hits: Arc<Counter>,
    requests: Family<Histogram>,
    rotations: Arc<Counter>,
}

// === impl Outcome ===

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Fetched => "fetched",
            Self::Stale => "stale",
            Self::Failed(kind) => kind.as_str(),
        }
    }
}

// === impl Operation ===

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
        }
    }
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(registry: &Registry, provider: &'static str) -> Self {
        registry.declare(&[&LEASE_REMAINING, &AGE, &FAILING]);
        let gets = registry.counter(&GETS);
        Self {
            provider,
            hits: gets.with(&[provider, Outcome::Hit.as_str()]),
            gets,
            requests: registry.histogram(&REQUESTS),
            rotations: registry.counter(&ROTATIONS).with(&[provider]),
        }
    }

    pub(super) fn got(&self, outcome: Outcome) {
        match outcome {
            Outcome::Hit => self.hits.inc(),
            other => self.gets.with(&[self.provider, other.as_str()]).inc(),
        }
    }

    /// A call to the store has ended; `failed` says with what.
    pub(super) fn asked(
        &self,
        operation: Operation,
        failed: Option<SecretErrorKind>,
        took: Duration,
    ) {
        let outcome = failed.map_or("ok", SecretErrorKind::as_str);
        let labels = [self.provider, operation.as_str(), outcome];
        self.requests.with(&labels).observe(took);
    }

    pub(super) fn rotated(&self) {
        self.rotations.inc();
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}
