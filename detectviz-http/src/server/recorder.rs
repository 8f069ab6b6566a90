//! Counts what happens to connections.
use super::state::Reason;
use crate::names;
use detectviz_core::telemetry::metrics::{Counter, Desc, Gauge, Kind, Registry, Unit};
use std::{fmt, sync::Arc};

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The client went, or the connection had served its purpose.
    Done,
    /// Nothing was asked for too long.
    Idle,
    HeaderTimeout,
    BodyTimeout,
    WriteTimeout,
    MaxAge,
    Drain,
    /// Cut by the stop of the server.
    Cut,
    /// Broke, or spoke something else than HTTP.
    Error,
    /// The TLS handshake failed or took too long.
    Handshake,
    /// Left HTTP; it may still be open.
    Upgraded,
}

/// The handles of one server.
pub(super) struct Recorder {
    open: Arc<Gauge>,
    accepted: Arc<Counter>,
    reserved: Arc<Counter>,
    closed: Box<[Arc<Counter>]>,
    full: Arc<Counter>,
    failed: Arc<Counter>,
    #[cfg(feature = "tls")]
    reloaded: Arc<Counter>,
    #[cfg(feature = "tls")]
    kept: Arc<Counter>,
}

static OPEN: Desc = Desc {
    name: names::SERVER_CONNECTIONS,
    help: "Open connections, upgraded ones included.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &["server"],
    buckets: &[],
};

static ACCEPTED: Desc = Desc {
    name: names::SERVER_ACCEPTED,
    help: "Connections that were accepted; `reserve` are those beyond the limit, which answer probes only.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["server", "place"],
    buckets: &[],
};

static CLOSED: Desc = Desc {
    name: names::SERVER_CLOSED,
    help: "Connections that ended, by the reason.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["server", "reason"],
    buckets: &[],
};

static PAUSES: Desc = Desc {
    name: names::SERVER_ACCEPT_PAUSES,
    help: "How often no connection could be accepted: as many were open as may be, or the system refused another.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["server", "reason"],
    buckets: &[],
};

#[cfg(feature = "tls")]
static RELOADS: Desc = Desc {
    name: names::SERVER_TLS_RELOADS,
    help: "How often changed TLS files were read; with the result `kept` they did not serve, and the last good ones do.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["server", "result"],
    buckets: &[],
};

// === impl Closed ===

impl Closed {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Done, "done"),
        (Self::Idle, "idle"),
        (Self::HeaderTimeout, "header_timeout"),
        (Self::BodyTimeout, "body_timeout"),
        (Self::WriteTimeout, "write_timeout"),
        (Self::MaxAge, "max_age"),
        (Self::Drain, "drain"),
        (Self::Cut, "cut"),
        (Self::Error, "error"),
        (Self::Handshake, "tls_handshake"),
        (Self::Upgraded, "upgraded"),
    ];
}

impl From<Reason> for Closed {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Idle => Self::Idle,
            Reason::HeaderTimeout => Self::HeaderTimeout,
            Reason::WriteTimeout => Self::WriteTimeout,
            Reason::MaxAge => Self::MaxAge,
            Reason::Drain => Self::Drain,
        }
    }
}

// === impl Recorder ===

impl Recorder {
    /// Registers the metrics of the server `name`.
    pub(super) fn new(metrics: &Registry, name: &str) -> Self {
        let accepted = metrics.counter(&ACCEPTED);
        let closed = metrics.counter(&CLOSED);
        let pauses = metrics.counter(&PAUSES);
        #[cfg(feature = "tls")]
        let reloads = metrics.counter(&RELOADS);
        let reasons = Closed::ALL.iter();
        Self {
            open: metrics.gauge(&OPEN).with(&[name]),
            accepted: accepted.with(&[name, "limit"]),
            reserved: accepted.with(&[name, "reserve"]),
            closed: reasons.map(|(_, why)| closed.with(&[name, why])).collect(),
            full: pauses.with(&[name, "limit"]),
            failed: pauses.with(&[name, "error"]),
            #[cfg(feature = "tls")]
            reloaded: reloads.with(&[name, "ok"]),
            #[cfg(feature = "tls")]
            kept: reloads.with(&[name, "kept"]),
        }
    }

    /// The gauge of open connections, for whoever counts them.
    pub(super) fn open(&self) -> &Arc<Gauge> {
        &self.open
    }

    pub(super) fn accepted(&self, reserved: bool) {
        if reserved {
            self.reserved.inc();
        } else {
            self.accepted.inc();
        }
    }

    pub(super) fn closed(&self, why: Closed) {
        self.closed[why as usize].inc();
    }

    /// The system refused another connection.
    pub(super) fn accept_failed(&self) {
        self.failed.inc();
    }

    /// Connections have to wait because as many are open as may be.
    pub(super) fn full(&self) {
        self.full.inc();
    }

    /// Changed TLS files are used, or not.
    #[cfg(feature = "tls")]
    pub(super) fn reloaded(&self, used: bool) {
        if used {
            self.reloaded.inc();
        } else {
            self.kept.inc();
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self, why: Closed) -> u64 {
        self.closed[why as usize].value()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_place_in_the_table() {
        for (place, (why, _)) in Closed::ALL.iter().enumerate() {
            assert_eq!(*why as usize, place);
        }
    }
}
