//! One event as one line, JSON or text.
use super::{
    buf::Buf,
    caller::Caller,
    escape::{Quotes, escape},
    hex,
    key::Key,
    name::{MAX_NAME, Name, NameHash, PREFIX, Taken},
    number,
    output::LineFormat,
    rendered::{Origin, Rendered, write_origin},
    timestamp,
    value::{SHORT, Texts, Value},
};
use crate::telemetry::context::TraceContext;
use std::{cell::Cell, time::Instant};
use tracing::Level;

/// The longest line in bytes, its end included.
pub(super) const MAX_LINE: usize = 64 * 1024;

pub(super) const MAX_VALUE: usize = 16 * 1024;
const MAX_MESSAGE: usize = 24 * 1024;
const MAX_COPIES: u64 = 9;

/// The most bytes that end a line.
pub(super) const MAX_END: usize = 19;

/// What must be left for a field to be begun.
pub(super) const FIELD: usize = MAX_NAME + PREFIX.len() + SHORT + 16;

thread_local! {
    static LINE: Cell<Option<Box<Line>>> = const { Cell::new(None) };
}

/// A line that is put together in the buffers of its thread.
#[derive(Debug)]
pub(in super::super) struct Line {
    buf: Buf,
    taken: Taken,
    texts: Texts,
    format: LineFormat,
    truncated: bool,
}

/// Lets `write` put a line together in the thread's buffers, and gives it to `done`. What `write` calls may log in turn: the
/// inner line is then put together in buffers of its own.
pub(super) fn encode<R>(
    format: LineFormat,
    write: impl FnOnce(&mut Line),
    done: impl FnOnce(&[u8]) -> R,
) -> R {
    let mut line = take();
    line.reset(format);
    write(&mut line);
    line.end();
    let result = done(line.buf.as_slice());
    put_back(line);
    result
}

/// Lets `read` use the texts of the thread, or others while they are in use.
pub(super) fn with_texts<R>(read: impl FnOnce(&mut Texts) -> R) -> R {
    let mut line = take();
    let result = read(&mut line.texts);
    put_back(line);
    result
}

/// The buffers of the thread; new ones while they are in use, or gone.
fn take() -> Box<Line> {
    let own = LINE.try_with(Cell::take).ok().flatten();
    own.unwrap_or_else(|| Box::new(Line::new()))
}

fn put_back(line: Box<Line>) {
    let _ = LINE.try_with(|own| own.set(Some(line)));
}

/// Appends the time, and what stands before it.
#[inline]
pub(super) fn begin(out: &mut Buf, format: LineFormat, at: Instant) {
    const BEFORE: usize = 14;
    match format {
        LineFormat::Json => out.fill(|room: &mut [u8; BEFORE + 32]| {
            room[..BEFORE].copy_from_slice(b"{\"timestamp\":\"");
            if let Some(room) = room[BEFORE..].first_chunk_mut() {
                timestamp::render(at, room);
            }
            BEFORE + timestamp::LEN
        }),
        LineFormat::Text => out.fill(|room| {
            timestamp::render(at, room);
            timestamp::LEN
        }),
    }
}

/// Appends the ids of the span.
#[inline]
pub(super) fn put_ids(out: &mut Buf, format: LineFormat, trace: &TraceContext) {
    const JSON: [u8; 75] =
        *b",\"trace_id\":\"00000000000000000000000000000000\",\"span_id\":\"0000000000000000\"";
    const TEXT: [u8; 67] = *b" trace_id=00000000000000000000000000000000 span_id=0000000000000000";
    let ids = hex::ids(trace.trace_id().to_bytes(), trace.span_id().to_bytes());
    match format {
        LineFormat::Json => out.fill(|room| {
            *room = JSON;
            room[13..45].copy_from_slice(&ids[..32]);
            room[58..74].copy_from_slice(&ids[32..48]);
            JSON.len()
        }),
        LineFormat::Text => out.fill(|room| {
            *room = TEXT;
            room[10..42].copy_from_slice(&ids[..32]);
            room[51..].copy_from_slice(&ids[32..48]);
            TEXT.len()
        }),
    }
}

/// Appends the end of a line; at most [`MAX_END`] bytes.
#[inline]
pub(super) fn put_end(out: &mut Buf, format: LineFormat, truncated: bool) {
    match (format, truncated) {
        (LineFormat::Json, false) => out.put(b"}\n"),
        (LineFormat::Json, true) => out.put(b",\"truncated\":true}\n"),
        (LineFormat::Text, false) => out.put(b"\n"),
        (LineFormat::Text, true) => out.put(b" truncated=true\n"),
    }
}

// === impl Line ===

impl Line {
    pub(super) const fn new() -> Self {
        Self {
            buf: Buf::new(),
            taken: Taken::new(),
            texts: Texts::new(),
            format: LineFormat::Json,
            truncated: false,
        }
    }

    pub(super) fn reset(&mut self, format: LineFormat) {
        self.buf.clear();
        self.taken.clear();
        self.format = format;
        self.truncated = false;
    }

    /// Appends the time; the line is empty.
    #[inline]
    pub(super) fn begin(&mut self, at: Instant) {
        begin(&mut self.buf, self.format, at);
    }

    /// Appends where the event comes from.
    pub(super) fn origin(&mut self, level: Level, target: &str, caller: Caller<'_>) {
        self.truncated |= !write_origin(&mut self.buf, self.format, level, target, caller);
    }

    /// The same, rendered before.
    #[inline]
    pub(super) fn rendered_origin(&mut self, origin: &Origin) {
        origin.put(&mut self.buf, self.format);
    }

    /// Appends the message.
    pub(in super::super) fn message(&mut self, message: Value<'_>) {
        self.message_within(message, MAX_MESSAGE);
    }

    /// Appends the message in at most `limit` bytes.
    pub(super) fn message_within(&mut self, message: Value<'_>, limit: usize) {
        let Self { buf, texts, .. } = self;
        self.truncated |= match self.format {
            LineFormat::Json => !message.write(buf, texts, limit),
            LineFormat::Text => {
                !message.with_text(texts, limit, |text| escape(buf, text, Quotes::Plain, limit))
            }
        };
    }

    /// Appends the ids of the span and the service, which is `,"service":"…"` or empty.
    pub(in super::super) fn ids(&mut self, trace: Option<&TraceContext>, service: &Rendered) {
        if let Some(trace) = trace {
            put_ids(&mut self.buf, self.format, trace);
        }
        if self.format == LineFormat::Json {
            service.put(&mut self.buf);
        }
    }

    /// Adds a field. A name that is taken, by a standard field or by an earlier one, becomes `fields.<name>`, then
    /// `fields.<name>.2` up to `.9`.
    pub(in super::super) fn field(&mut self, name: Name<'_>, value: Value<'_>) {
        if self.has_room() && self.name(name) {
            self.value(value.under(name.is_secret));
        } else {
            self.truncated = true;
        }
    }

    /// The same, with a name that is rendered already.
    #[inline]
    pub(in super::super) fn keyed(&mut self, key: &Key, value: Value<'_>) {
        if !self.has_room() || !self.taken.take(key.hash) {
            self.field(Name::new(key.name()), value);
            return;
        }
        let (rendered, len) = key.rendered(self.format);
        self.buf.put_some(rendered, len);
        self.value(value.under(key.is_secret));
    }

    /// Adds a field whose value is encoded already.
    pub(in super::super) fn encoded(&mut self, name: Name<'_>, json: &[u8]) {
        if !self.has_room() || !self.name(name) {
            self.truncated = true;
        } else if json.len() > self.room() {
            self.buf.put(b"null");
            self.truncated = true;
        } else {
            self.buf.put(json);
        }
    }

    /// Adds fields that are JSON with their names and commas, when that can be done as they are: none of their `names` is
    /// taken. Returns whether it could.
    pub(in super::super) fn block(
        &mut self,
        names: impl Iterator<Item = NameHash> + Clone,
        json: &[u8],
    ) -> bool {
        let fits = self.format == LineFormat::Json
            && json.len() + FIELD <= self.room()
            && self.taken.len() + names.clone().count() <= Taken::MOST
            && names.clone().all(|name| !self.taken.has(name));
        if fits {
            names.for_each(|name| {
                self.taken.take(name);
            });
            self.buf.put(json);
        }
        fits
    }

    /// Leaves `count` bytes of the line to what is written another time.
    pub(super) fn leave(&mut self, count: usize) {
        self.buf.room(count);
        self.buf.keep(count);
    }

    /// What was written from `from` on.
    pub(super) fn written_from(&self, from: usize) -> &[u8] {
        &self.buf.as_slice()[from..]
    }

    /// Whether something was cut or left out.
    pub(super) fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Says that a value was cut before it came here.
    pub(in super::super) fn mark_truncated(&mut self) {
        self.truncated = true;
    }

    #[inline]
    fn value(&mut self, value: Value<'_>) {
        // Half of what is left: so that one value does not take the room of all others.
        let limit = MAX_VALUE.min(self.room() / 2);
        let Self { buf, texts, .. } = self;
        self.truncated |= !value.write(buf, texts, limit);
    }

    /// Appends the name and what separates it from its value; `false` when every form of it is taken.
    fn name(&mut self, name: Name<'_>) -> bool {
        let (open, close): (&[u8], &[u8]) = match self.format {
            LineFormat::Json => (b",\"", b"\":"),
            LineFormat::Text => (b" ", b"="),
        };
        let Self { buf, taken, .. } = self;
        if name.is_plain && !name.is_standard && taken.take(name.hash) {
            buf.put(open);
            buf.put(name.text.as_bytes());
            buf.put(close);
            return true;
        }
        let start = buf.len();
        let first = u64::from(name.is_standard || name.is_plain);
        for attempt in first..=MAX_COPIES {
            buf.truncate(start);
            buf.put(open);
            let from = buf.len();
            if attempt > 0 {
                buf.put(PREFIX.as_bytes());
            }
            self.truncated |= !escape(buf, name.text, Quotes::Escaped, MAX_NAME);
            if attempt > 1 {
                buf.push(b'.');
                number::u64(buf, attempt);
            }
            if taken.take(NameHash::of(&buf.as_slice()[from..])) {
                buf.put(close);
                return true;
            }
        }
        buf.truncate(start);
        false
    }

    fn end(&mut self) {
        put_end(&mut self.buf, self.format, self.truncated);
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.buf.len() <= MAX_LINE - MAX_END - FIELD && self.taken.len() < Taken::MOST
    }

    fn room(&self) -> usize {
        (MAX_LINE - MAX_END).saturating_sub(self.buf.len())
    }
}
