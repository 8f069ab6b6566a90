//! The fields of one event.
use super::{line::Line, name::Name, value::Value};
use std::{error::Error, fmt};

/// Adds fields to the line of one event.
///
/// A field never overwrites another: when its name is taken, by a standard field (`timestamp`, `level`, `caller`,
/// `target`, `message`, `trace_id`, `span_id`, `service`, `truncated`) or by an earlier one, it is written as
/// `fields.<name>`, then as `fields.<name>.2` up to `.9`; what comes after that, or after 128 fields, or does not fit into
/// the line, is left out and the line is marked `"truncated":true`. Values under names such as `password` or
/// `authorization` are masked, and so are the secrets that are recognised inside texts.
#[derive(Debug)]
pub struct Fields<'a> {
    line: &'a mut Line,
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) fn new(line: &'a mut Line) -> Self {
        Self { line }
    }

    /// A text, cut after 16 KiB or half of the room that is left in the line.
    pub fn str(&mut self, key: &'static str, value: &str) {
        self.line.field(Name::known(key), Value::Str(value));
    }

    /// Bytes, as text; what is not UTF-8 becomes U+FFFD.
    pub fn bytes(&mut self, key: &'static str, value: &[u8]) {
        self.line.field(Name::known(key), Value::Bytes(value));
    }

    /// A number.
    pub fn u64(&mut self, key: &'static str, value: u64) {
        self.line.field(Name::known(key), Value::U64(value));
    }

    /// A number.
    pub fn i64(&mut self, key: &'static str, value: i64) {
        self.line.field(Name::known(key), Value::I64(value));
    }

    /// A number; the text `"NaN"`, `"inf"` or `"-inf"` when it is not finite.
    pub fn f64(&mut self, key: &'static str, value: f64) {
        self.line.field(Name::known(key), Value::F64(value));
    }

    /// `true` or `false`.
    pub fn bool(&mut self, key: &'static str, value: bool) {
        self.line.field(Name::known(key), Value::Bool(value));
    }

    /// What `Display` makes of the value, as text.
    pub fn display(&mut self, key: &'static str, value: &dyn fmt::Display) {
        self.line.field(Name::known(key), Value::Display(value));
    }

    /// What `Debug` makes of the value, as text.
    pub fn debug(&mut self, key: &'static str, value: &dyn fmt::Debug) {
        self.line.field(Name::known(key), Value::Debug(value));
    }

    /// An error and its sources, joined by `: `.
    pub fn error(&mut self, key: &'static str, value: &(dyn Error + 'static)) {
        self.line.field(Name::known(key), Value::Error(value));
    }

    #[cfg(test)]
    pub(super) fn value(&mut self, name: Name<'_>, value: Value<'_>) {
        self.line.field(name, value);
    }
}
