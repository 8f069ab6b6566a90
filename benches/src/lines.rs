//! Log lines that are measured: the access log's, and an event of a user within a request.
use detectviz_core::{
    error::Error,
    task::Tasks,
    telemetry::{
        context::{Slot, TraceContext},
        hub::{self, Outputs, Registration},
        logs::{Caller, Key, LineTemplate, Logs, LogsConfig, MessageSuffix, Output, StaticFields},
        span::{Sampler, Spans},
    },
};
use std::{
    hint::black_box,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tracing::Level;

const TARGET: &str = "http.access";

static PATH: Key = Key::new("path");
static DURATION: Key = Key::new("duration_ms");
static BYTES_IN: Key = Key::new("bytes_in");
static BYTES_OUT: Key = Key::new("bytes_out");
static PEER: Key = Key::new("peer");
static USER_AGENT: Key = Key::new("user_agent");

/// Logs whose lines go nowhere, and what they are written with.
#[derive(Debug)]
pub struct Lines {
    logs: Logs,
    slot: Slot,
    template: LineTemplate,
    suffix: MessageSuffix,
    status: StaticFields,
    protocol: StaticFields,
    peer: SocketAddr,
    _registered: Registration,
}

/// Which line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The access log's eleven fields, by a template.
    Template,
    /// The same fields without one.
    Event,
    /// A user's `tracing` event of two fields.
    User,
}

// === impl Kind ===

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Template, Self::Event, Self::User];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Event => "event",
            Self::User => "user",
        }
    }
}

// === impl Lines ===

impl Lines {
    /// Logs written by a thread of `tasks`, whose runtime the current thread works for from now on. The `tracing`
    /// subscriber of the process is ours then.
    ///
    /// # Errors
    /// When the log cannot be started.
    pub fn new(tasks: &Tasks) -> Result<Self, Error> {
        let logs = LogsConfig::default().build("shop", Output::new(io::sink()), tasks)?;
        let runtime = tasks.runtime();
        let spans = Spans::new(Sampler::always_off());
        let _registered = hub::register(runtime, Outputs::new(logs.clone(), spans));
        hub::install();
        runtime.adopt_thread();
        let template = logs.template(
            Level::INFO,
            TARGET,
            Caller::here(),
            "GET /orders/{id}",
            |fields| {
                fields.str("method", "GET");
                fields.str("route", "/orders/{id}");
            },
        );
        let status = logs.static_fields(|fields| {
            fields.u64("status", 200);
            fields.str("outcome", "ok");
        });
        Ok(Self {
            template,
            suffix: logs.message_suffix(" 200"),
            status,
            protocol: logs.static_fields(|fields| fields.str("protocol", "HTTP/1.1")),
            peer: SocketAddr::from((Ipv4Addr::new(10, 0, 200, 1), 41_820)),
            slot: Slot::new(TraceContext::root(true)),
            logs,
            _registered,
        })
    }

    /// Where the lines go.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Runs `work` within a request.
    pub fn in_request<R>(&self, work: impl FnOnce() -> R) -> R {
        self.slot.clone().sync_scope(work)
    }

    /// Writes the line; a request reads the clock at its end for more than that, so that the time is given.
    pub fn write(&self, kind: Kind, at: Instant) {
        match kind {
            Kind::Template => self.template(at),
            Kind::Event => self.event(),
            Kind::User => user_event(),
        }
    }

    /// The access log's line, by a template.
    pub fn template(&self, at: Instant) {
        self.logs
            .entry(&self.template)
            .suffix(&self.suffix)
            .trace(Some(&self.slot.context))
            .write(black_box(at), |values| {
                values.str(&PATH, black_box("/orders/7"));
                values.fields(&self.status);
                values.millis(&DURATION, black_box(Duration::from_micros(1234)));
                values.u64(&BYTES_IN, black_box(0));
                values.u64(&BYTES_OUT, black_box(5));
                values.addr(&PEER, black_box(self.peer));
                values.fields(&self.protocol);
                values.str(&USER_AGENT, black_box("curl/8.5.0"));
            });
    }

    /// The same line without a template.
    pub fn event(&self) {
        let trace = Some(&self.slot.context);
        let message = black_box("GET /orders/{id} 200");
        let caller = Caller::here();
        self.logs
            .event(Level::INFO, TARGET, caller, trace, message, |fields| {
                fields.str("method", black_box("GET"));
                fields.str("route", black_box("/orders/{id}"));
                fields.str("path", black_box("/orders/7"));
                fields.u64("status", black_box(200));
                fields.str("outcome", black_box("ok"));
                fields.f64("duration_ms", black_box(1.234));
                fields.u64("bytes_in", black_box(0));
                fields.u64("bytes_out", black_box(5));
                fields.str("peer", black_box("10.0.200.1:41820"));
                fields.str("protocol", black_box("HTTP/1.1"));
                fields.str("user_agent", black_box("curl/8.5.0"));
            });
    }
}

/// A user's event.
pub fn user_event() {
    tracing::info!(
        order = black_box(17),
        item = black_box("lamp"),
        "order accepted"
    );
}
