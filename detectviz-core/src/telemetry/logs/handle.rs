//! The logs of one runtime.
use super::{
    buf::Buf,
    caller::Caller,
    config::LogsConfig,
    escape::{Quotes, escape},
    fields::Fields,
    levels::{Change, Directives, Levels},
    line::{Line, encode},
    output::{LineFormat, Output},
    rendered::{Origin, Rendered},
    sink::{Counts, Notice, Sink, Writer},
    value::Value,
};
use crate::{
    config::{ByteSize, show_duration},
    error::{Error, ErrorKind},
    task::Tasks,
    telemetry::context::TraceContext,
};
use std::{
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use tracing::{Level, level_filters::LevelFilter};

/// The logs of one runtime: what is logged, how it is written, and where.
///
/// # Clone
/// Clones are the same logs. When the last one is dropped, what waits is written and the writer ends.
#[derive(Clone)]
pub struct Logs {
    inner: Arc<Inner>,
}

struct Inner {
    levels: Levels,
    format: LineFormat,
    service: Rendered,
    /// `None` for logs that go nowhere.
    sink: Option<Arc<Sink>>,
}

// === impl LogsConfig ===

impl LogsConfig {
    /// The logs of the service named `service`, written to `output` by a thread of `tasks`.
    ///
    /// The thread writes until `tasks` is cancelled; what is logged after that is dropped and counted. Give it a set that
    /// is cancelled last.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a `level` that cannot be read, [`ErrorKind::Internal`] when no thread can be started.
    pub fn build(&self, service: &str, output: Output, tasks: &Tasks) -> Result<Logs, Error> {
        let directives = self.level.parse::<Directives>().map_err(|err| {
            Error::new(
                ErrorKind::Config,
                format!("the log level cannot be read: {err}"),
            )
        })?;
        let ByteSize(limit) = self.buffer;
        let sink = Arc::new(Sink::new(usize::try_from(limit).unwrap_or(usize::MAX)));
        let (format, service) = (output.format(self.format), rendered(service));
        let notice = Notice {
            format,
            service: service.clone(),
        };
        let writer = Writer::new(sink.clone(), output.into_writer(), notice);
        let token = tasks.token();
        tasks
            .spawn_thread("detectviz-logs", move || writer.run(&token))
            .map_err(|err| {
                Error::new(
                    ErrorKind::Internal,
                    "the thread that writes the logs cannot be started",
                )
                .with_source(err)
            })?;
        let inner = Arc::new_cyclic(|logs: &Weak<Inner>| {
            let logs = logs.clone();
            let changed = move |change| {
                if let Some(inner) = logs.upgrade() {
                    Logs { inner }.tell(change);
                }
            };
            Inner {
                levels: Levels::new(directives, Some(tasks.clone()), changed),
                format,
                service,
                sink: Some(sink),
            }
        });
        Ok(Logs { inner })
    }
}

// === impl Logs ===

impl Logs {
    /// Logs that go nowhere, at no level.
    #[must_use]
    pub fn disabled() -> Self {
        let inner = Inner {
            levels: Levels::new(Directives::all(LevelFilter::OFF), None, |_| {}),
            format: LineFormat::Json,
            service: Rendered::new(b""),
            sink: None,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Whether an event of this level and target is logged. Wait-free.
    #[must_use]
    pub fn enabled(&self, level: Level, target: &str) -> bool {
        self.inner.sink.is_some() && self.inner.levels.enabled(level, target)
    }

    /// Logs one event as one line. The level is written, not asked: see [`enabled`](Self::enabled).
    ///
    /// The line waits in a buffer of the current thread. Nothing is allocated once the thread's buffers have grown to
    /// what its lines need, and no lock is taken that another request can hold. A line has at most 64 KiB: a message is
    /// cut after 24 KiB, a value after 16 KiB or half of the room that is left, and the line is then marked
    /// `"truncated":true`.
    pub fn event(
        &self,
        level: Level,
        target: &str,
        caller: Caller<'_>,
        trace: Option<&TraceContext>,
        message: &str,
        fields: impl FnOnce(&mut Fields<'_>),
    ) {
        self.put(level, |line| {
            line.origin(level, target, caller);
            line.message(Value::Str(message));
            line.ids(trace, &self.inner.service);
            fields(&mut Fields::new(line));
        });
    }

    /// Waits until what was logged before is written, for at most `within`; returns whether it is. Blocks the thread.
    pub fn flush(&self, within: Duration) -> bool {
        self.inner
            .sink
            .as_ref()
            .is_none_or(|sink| sink.flush(within))
    }

    /// What is logged, and how to change that.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.inner.levels
    }

    /// How many lines of `level` were written.
    #[must_use]
    pub fn written(&self, level: Level) -> u64 {
        self.count(|counts| counts.written(level))
    }

    /// How many lines of `level` were dropped, because there was no room or the output refused them.
    #[must_use]
    pub fn dropped(&self, level: Level) -> u64 {
        self.count(|counts| counts.dropped(level))
    }

    /// How many writes failed.
    #[must_use]
    pub fn write_errors(&self) -> u64 {
        self.count(Counts::write_errors)
    }

    /// Logs one event whose origin is rendered already; `rest` writes the message, the ids and the fields.
    pub(in super::super) fn record(
        &self,
        level: Level,
        origin: &Origin,
        rest: impl FnOnce(&mut Line),
    ) {
        self.put(level, |line| {
            line.rendered_origin(origin);
            rest(line);
        });
    }

    /// `,"service":"…"`, or empty.
    pub(in super::super) fn service(&self) -> &Rendered {
        &self.inner.service
    }

    pub(super) fn format(&self) -> LineFormat {
        self.inner.format
    }

    #[inline]
    pub(super) fn sink(&self) -> Option<&Arc<Sink>> {
        self.inner.sink.as_ref()
    }

    /// Puts a line together, at the present time, and gives it to the writer.
    fn put(&self, level: Level, write: impl FnOnce(&mut Line)) {
        let Some(sink) = &self.inner.sink else {
            return;
        };
        let now = Instant::now();
        let write = |line: &mut Line| {
            line.begin(now);
            write(line);
        };
        encode(self.inner.format, write, |line| sink.push(level, line));
    }

    fn count(&self, read: impl FnOnce(&Counts) -> u64) -> u64 {
        self.inner
            .sink
            .as_ref()
            .map_or(0, |sink| read(sink.counts()))
    }

    /// Logs a change of the levels, whatever the level.
    fn tell(&self, change: Change) {
        let (level, message, now, ttl) = match change {
            Change::Set { level } => (Level::INFO, "log level changed", level, None),
            Change::Overridden { level, ttl } => (
                Level::WARN,
                "log level changed for a time",
                level,
                Some(ttl),
            ),
            Change::Restored { level } => {
                (Level::INFO, "log level is back to what it was", level, None)
            }
        };
        self.event(
            level,
            module_path!(),
            Caller::here(),
            None,
            message,
            |fields| {
                fields.str("log_level", &now);
                if let Some(ttl) = ttl {
                    fields.str("ttl", &show_duration(ttl));
                }
            },
        );
    }
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs")
            .field("levels", &self.inner.levels)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(sink) = &self.sink {
            sink.close();
        }
    }
}

/// The service's name as every line carries it.
fn rendered(service: &str) -> Rendered {
    if service.is_empty() {
        return Rendered::new(b"");
    }
    let mut out = Buf::new();
    out.put(b",\"service\":\"");
    escape(&mut out, service, Quotes::Escaped, 256);
    out.push(b'"');
    Rendered::new(out.as_slice())
}
