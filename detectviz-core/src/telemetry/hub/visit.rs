//! The fields of `tracing` events and spans as values of ours.
use super::callsite::Known;
use crate::telemetry::{
    context::TraceContext,
    logs::{Line, Name, Rendered, Value},
};
use std::{error::Error, fmt};
use tracing::{
    Event,
    field::{Field, Visit},
};

/// Shows each field and its value to a closure.
pub(super) struct Each<F>(pub(super) F);

/// Writes an event into its line: the message, the ids, and then the fields.
pub(super) struct Recorder<'a> {
    known: &'static Known,
    line: &'a mut Line,
    trace: Option<TraceContext>,
    service: &'a Rendered,
    /// Whether the message is written.
    said: bool,
}

// === impl Recorder ===

impl<'a> Recorder<'a> {
    pub(super) fn new(
        known: &'static Known,
        line: &'a mut Line,
        trace: Option<TraceContext>,
        service: &'a Rendered,
    ) -> Self {
        Self {
            known,
            line,
            trace,
            service,
            said: false,
        }
    }

    pub(super) fn record(&mut self, event: &Event<'_>) {
        // The macros put the message first; where somebody did not, the event is gone through twice.
        if self.known.message.is_some_and(|place| place > 0) {
            event.record(&mut Each(|field: &Field, value: Value<'_>| {
                if self.is_message(field) && !self.said {
                    self.say(value);
                }
            }));
        }
        event.record(&mut Each(|field: &Field, value: Value<'_>| {
            if self.is_message(field) {
                if !self.said {
                    self.say(value);
                }
                return;
            }
            if !self.said {
                self.say(Value::Str(""));
            }
            match self.known.key(field) {
                Some(key) => self.line.keyed(key, value),
                None => self.line.field(Name::known(field.name()), value),
            }
        }));
        if !self.said {
            self.say(Value::Str(""));
        }
    }

    fn is_message(&self, field: &Field) -> bool {
        self.known.message == Some(field.index())
    }

    fn say(&mut self, message: Value<'_>) {
        self.said = true;
        self.line.message(message);
        self.line.ids(self.trace.as_ref(), self.service);
    }
}

// === impl Each ===

impl<F: FnMut(&Field, Value<'_>)> Visit for Each<F> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        (self.0)(field, Value::Debug(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        (self.0)(field, Value::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        (self.0)(field, Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        (self.0)(field, Value::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        (self.0)(field, Value::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        (self.0)(field, Value::U128(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        (self.0)(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        (self.0)(field, Value::Str(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        (self.0)(field, Value::Bytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        (self.0)(field, Value::Error(value));
    }
}
