//! What is kept for a span of a user while it is open.
use super::fields::SpanFields;
use crate::{
    clock,
    task::RuntimeId,
    telemetry::{
        context::TraceContext,
        logs::{Line, Name, Texts, Value},
        span::{Attributes, SpanRecord, SpanStatus, Spans, Value as Attribute},
    },
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A span of a user; or, with nothing to record, the request itself.
#[derive(Debug)]
pub(super) struct OpenSpan {
    pub(super) context: TraceContext,
    pub(super) runtime: Option<RuntimeId>,
    pub(super) fields: Arc<Fields>,
    /// Only when the span is sampled and somebody wants it.
    recording: Option<Recording>,
}

/// What a span gives to the lines within it; the innermost span leads to those around it.
#[derive(Debug)]
pub(super) struct Fields {
    own: Mutex<SpanFields>,
    around: Option<Arc<Self>>,
}

/// A span that is exported when it ends.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) record: Box<SpanRecord>,
    pub(super) spans: Spans,
}

/// Values on their way into a span. Formatting them is the user's code, which may log in that very span: it happens here,
/// before the span is locked.
#[derive(Debug, Default)]
pub(super) struct Values {
    fields: SpanFields,
    attributes: Vec<(&'static str, Attribute)>,
    texts: Texts,
}

/// The longest text that is formatted.
const MAX_TEXT: usize = 16 * 1024;

// === impl OpenSpan ===

impl OpenSpan {
    pub(super) fn new(
        context: TraceContext,
        runtime: Option<RuntimeId>,
        around: Option<Arc<Fields>>,
        recording: Option<Recording>,
    ) -> Self {
        let fields = Fields {
            own: Mutex::default(),
            around,
        };
        Self {
            context,
            runtime,
            fields: Arc::new(fields),
            recording,
        }
    }

    /// Whether it is exported when it ends.
    pub(super) fn is_recorded(&self) -> bool {
        self.recording.is_some()
    }

    /// Adds values to the lines and to the exported span.
    pub(super) fn add(&mut self, values: Values) {
        self.fields.lock().merge(values.fields);
        if let Some(Recording { record, .. }) = &mut self.recording {
            for (name, value) in values.attributes {
                record.attributes.set(name, value);
            }
        }
    }

    /// An error was logged in it.
    pub(super) fn fail(&mut self) {
        if let Some(Recording { record, .. }) = &mut self.recording {
            record.status = SpanStatus::Error("".into());
        }
    }

    /// Exports the span, if it is one that is.
    pub(super) fn close(self) {
        if let Some(Recording { mut record, spans }) = self.recording {
            record.end_unix_nanos = clock::unix_nanos().max(record.start_unix_nanos);
            spans.record(*record);
        }
    }
}

// === impl Fields ===

impl Fields {
    /// Adds the fields of the span and of those around it to a line, innermost first.
    pub(super) fn write(&self, line: &mut Line) {
        let mut next = Some(self);
        while let Some(fields) = next {
            fields.lock().write(line);
            next = fields.around.as_deref();
        }
    }

    /// Nobody formats a value under the lock.
    fn lock(&self) -> MutexGuard<'_, SpanFields> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Values ===

impl Values {
    /// Adds a field; `recorded` says that the span is exported.
    pub(super) fn push(&mut self, name: &'static str, value: Value<'_>, recorded: bool) {
        let value = value.under(Name::known(name).is_secret());
        let attribute = match value {
            _ if !recorded => None,
            Value::I64(value) => Some(value.into()),
            Value::F64(value) => Some(value.into()),
            Value::Bool(value) => Some(value.into()),
            Value::U64(value) => i64::try_from(value).ok().map(Attribute::from),
            _ => None,
        };
        if !recorded || attribute.is_some() {
            self.fields.set(name, value, &mut self.texts);
            self.attributes
                .extend(attribute.map(|attribute| (name, attribute)));
            return;
        }
        // Formatted once for both.
        let mut text = String::new();
        value.with_text(&mut self.texts, MAX_TEXT, |shown| {
            text.push_str(shown);
            true
        });
        self.fields.set(name, Value::Str(&text), &mut self.texts);
        text.truncate(text.floor_char_boundary(Attributes::TEXT));
        self.attributes.push((name, text.into()));
    }
}
