//! One line of a template.
use super::{
    buf::Buf,
    handle::Logs,
    line::{begin, put_ids},
    output::LineFormat,
    template::{LineTemplate, MessageSuffix},
    values::Values,
};
use crate::telemetry::context::TraceContext;
use std::time::Instant;

/// A line that is about to be written; made by [`Logs::entry`].
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is logged before `write`"]
pub struct Entry<'a> {
    logs: &'a Logs,
    template: &'a LineTemplate,
    suffix: Option<&'a MessageSuffix>,
    trace: Option<&'a TraceContext>,
}

// === impl Logs ===

impl Logs {
    /// A line of `template`, which was made by these logs. The level is written, not asked: see
    /// [`enabled`](Self::enabled).
    #[inline]
    pub fn entry<'a>(&'a self, template: &'a LineTemplate) -> Entry<'a> {
        Entry {
            logs: self,
            template,
            suffix: None,
            trace: None,
        }
    }
}

// === impl Entry ===

impl<'a> Entry<'a> {
    /// What the message ends with, after that of the template.
    #[inline]
    pub fn suffix(mut self, suffix: &'a MessageSuffix) -> Self {
        self.suffix = Some(suffix);
        self
    }

    /// The span that the line belongs to.
    #[inline]
    pub fn trace(mut self, trace: Option<&'a TraceContext>) -> Self {
        self.trace = trace;
        self
    }

    /// Writes the line, with the fields that `values` adds after those of the template.
    ///
    /// `at` is when it happened, as the caller has read the clock already; its wall time follows a system clock that is
    /// set within a second. The line is put together in the buffer that the thread shares with the writer, which waits
    /// meanwhile: `values` should give values and do nothing else. A line that it logs all the same comes after this one,
    /// a [flush](Logs::flush) within it returns `false`, and when it panics this line is not logged.
    #[inline]
    pub fn write(self, at: Instant, values: impl FnOnce(&mut Values<'_>)) {
        let Some(sink) = self.logs.sink() else {
            return;
        };
        sink.write(self.template.level, |out| {
            let start = out.len();
            self.begin(out, at);
            let cut = self.template.truncated || self.suffix.is_some_and(|s| s.truncated);
            let mut line = Values::new(out, start, self.template.format, cut);
            values(&mut line);
            line.end();
        });
    }

    /// Everything before the first field that changes.
    fn begin(&self, out: &mut Buf, at: Instant) {
        let format = self.template.format;
        begin(out, format, at);
        self.template.before.put(out);
        match (self.suffix, format) {
            (Some(suffix), _) => suffix.text.put(out),
            (None, LineFormat::Json) => out.push(b'"'),
            (None, LineFormat::Text) => {}
        }
        if let Some(trace) = self.trace {
            put_ids(out, format, trace);
        }
        self.template.after.put(out);
    }
}
