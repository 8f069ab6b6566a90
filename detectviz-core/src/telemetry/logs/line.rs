//! One event as one line, JSON or text.
use super::{
    caller::Caller,
    escape::{Quotes, escape},
    name::{MAX_NAME, Name},
    number,
    output::LineFormat,
    timestamp,
    value::{SHORT, Texts, Value},
};
use crate::telemetry::context::TraceContext;
use std::{cell::Cell, ops::Range, time::SystemTime};
use tracing::Level;

/// The longest line in bytes, its end included.
pub(super) const MAX_LINE: usize = 64 * 1024;

const MAX_MESSAGE: usize = 24 * 1024;
const MAX_VALUE: usize = 16 * 1024;
const MAX_FIELDS: usize = 128;
const MAX_COPIES: u64 = 9;

const TRUNCATED: &[u8] = b",\"truncated\":true}\n";
const PREFIX: &[u8] = b"fields.";

/// What must be left for a field to be begun.
const FIELD: usize = MAX_NAME + PREFIX.len() + SHORT + 16;

thread_local! {
    static SCRATCH: Cell<Scratch> = const { Cell::new(Scratch::new()) };
}

/// What every line begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) at: SystemTime,
    pub(super) level: Level,
    pub(super) target: &'a str,
    pub(super) caller: Caller<'a>,
    pub(super) trace: Option<&'a TraceContext>,
    /// `,"service":"…"`, or empty.
    pub(super) service: &'a [u8],
}

/// A line that fields are added to.
#[derive(Debug)]
pub(super) struct Line {
    scratch: Scratch,
    format: LineFormat,
    truncated: bool,
}

/// The buffers of a thread.
#[derive(Debug)]
struct Scratch {
    line: Vec<u8>,
    /// Where the names that are taken stand in `line`.
    names: Vec<Range<usize>>,
    texts: Texts,
}

/// Encodes a line in the thread's buffers and gives it to `done`. `message` and `fields` may log in turn: the inner line
/// is then encoded in buffers of its own.
pub(super) fn encode<R>(
    format: LineFormat,
    head: &Head<'_>,
    message: Value<'_>,
    fields: impl FnOnce(&mut Line),
    done: impl FnOnce(&[u8]) -> R,
) -> R {
    let scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    let mut line = Line {
        scratch,
        format,
        truncated: false,
    };
    line.scratch.line.clear();
    line.scratch.names.clear();
    line.begin(head, message);
    fields(&mut line);
    line.end();
    let result = done(&line.scratch.line);
    let _ = SCRATCH.try_with(|cell| cell.set(line.scratch));
    result
}

// === impl Line ===

impl Line {
    /// Adds a field. A name that is taken, by a standard field or by an earlier one, becomes `fields.<name>`, then
    /// `fields.<name>.2` up to `.9`.
    pub(super) fn field(&mut self, name: Name<'_>, value: Value<'_>) {
        let value = value.under(name);
        // Half of what is left: so that one value does not take the room of all others.
        self.entry(name, |out, texts, room| {
            value.write(out, texts, MAX_VALUE.min(room / 2))
        });
    }

    /// Adds a field whose value is encoded already.
    pub(super) fn encoded(&mut self, name: Name<'_>, json: &[u8]) {
        self.entry(name, |out, _, room| {
            if json.len() > room {
                out.extend_from_slice(b"null");
                return false;
            }
            out.extend_from_slice(json);
            true
        });
    }

    /// Says that a value was cut before it came here.
    pub(super) fn mark_truncated(&mut self) {
        self.truncated = true;
    }

    fn entry(
        &mut self,
        name: Name<'_>,
        write: impl FnOnce(&mut Vec<u8>, &mut Texts, usize) -> bool,
    ) {
        if self.room() < FIELD || self.scratch.names.len() >= MAX_FIELDS {
            self.truncated = true;
            return;
        }
        if !self.name(name) {
            self.truncated = true;
            return;
        }
        let room = self.room();
        let Scratch { line, texts, .. } = &mut self.scratch;
        self.truncated |= !write(line, texts, room);
    }

    /// Appends the name and what separates it from its value; `false` when every form of it is taken.
    fn name(&mut self, name: Name<'_>) -> bool {
        let (open, close): (&[u8], &[u8]) = match self.format {
            LineFormat::Json => (b",\"", b"\":"),
            LineFormat::Text => (b" ", b"="),
        };
        let Scratch { line, names, .. } = &mut self.scratch;
        let start = line.len();
        let first = u64::from(name.is_standard);
        for attempt in first..=MAX_COPIES {
            line.truncate(start);
            line.extend_from_slice(open);
            let from = line.len();
            if attempt > 0 {
                line.extend_from_slice(PREFIX);
            }
            if name.is_plain {
                line.extend_from_slice(name.text.as_bytes());
            } else {
                self.truncated |= !escape(line, name.text, Quotes::Escaped, MAX_NAME);
            }
            if attempt > 1 {
                line.push(b'.');
                number::u64(line, attempt);
            }
            let (before, own) = line.split_at(from);
            if names
                .iter()
                .all(|taken| before.get(taken.clone()) != Some(own))
            {
                names.push(from..line.len());
                line.extend_from_slice(close);
                return true;
            }
        }
        line.truncate(start);
        false
    }

    fn begin(&mut self, head: &Head<'_>, message: Value<'_>) {
        let Scratch { line, texts, .. } = &mut self.scratch;
        let caller = head.caller;
        match self.format {
            LineFormat::Json => {
                line.extend_from_slice(b"{\"timestamp\":\"");
                line.extend_from_slice(&timestamp::render(head.at));
                line.extend_from_slice(b"\",\"level\":\"");
                line.extend_from_slice(head.level.as_str().as_bytes());
                line.extend_from_slice(b"\",\"caller\":\"");
                self.truncated |= !escape(line, caller.file(), Quotes::Escaped, MAX_NAME);
                line.push(b':');
                number::u64(line, u64::from(caller.line()));
                line.extend_from_slice(b"\",\"target\":\"");
                self.truncated |= !escape(line, head.target, Quotes::Escaped, MAX_NAME);
                line.extend_from_slice(b"\",\"message\":");
                self.truncated |= !message.write(line, texts, MAX_MESSAGE);
                if let Some(trace) = head.trace {
                    line.extend_from_slice(b",\"trace_id\":\"");
                    line.extend_from_slice(&trace.trace_id().to_hex());
                    line.extend_from_slice(b"\",\"span_id\":\"");
                    line.extend_from_slice(&trace.span_id().to_hex());
                    line.push(b'"');
                }
                line.extend_from_slice(head.service);
            }
            LineFormat::Text => {
                line.extend_from_slice(&timestamp::render(head.at));
                line.push(b' ');
                line.extend_from_slice(head.level.as_str().as_bytes());
                line.push(b' ');
                self.truncated |= !escape(line, head.target, Quotes::Plain, MAX_NAME);
                line.push(b' ');
                self.truncated |= !escape(line, caller.file(), Quotes::Plain, MAX_NAME);
                line.push(b':');
                number::u64(line, u64::from(caller.line()));
                line.extend_from_slice(b": ");
                self.truncated |= !message.with_text(texts, MAX_MESSAGE, |text| {
                    escape(line, text, Quotes::Plain, MAX_MESSAGE)
                });
                if let Some(trace) = head.trace {
                    line.extend_from_slice(b" trace_id=");
                    line.extend_from_slice(&trace.trace_id().to_hex());
                    line.extend_from_slice(b" span_id=");
                    line.extend_from_slice(&trace.span_id().to_hex());
                }
            }
        }
    }

    fn end(&mut self) {
        let end: &[u8] = match (self.format, self.truncated) {
            (LineFormat::Json, true) => TRUNCATED,
            (LineFormat::Json, false) => b"}\n",
            (LineFormat::Text, true) => b" truncated=true\n",
            (LineFormat::Text, false) => b"\n",
        };
        self.scratch.line.extend_from_slice(end);
    }

    fn room(&self) -> usize {
        (MAX_LINE - TRUNCATED.len()).saturating_sub(self.scratch.line.len())
    }
}

// === impl Scratch ===

impl Scratch {
    const fn new() -> Self {
        Self {
            line: Vec::new(),
            names: Vec::new(),
            texts: Texts::new(),
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}
