//! The fields of a span, serialised once.
use crate::telemetry::logs::{Fields, Name, Texts, Value};
use std::ops::Range;

/// Names, and their values as JSON; at most 16 KiB.
#[derive(Debug, Default)]
pub(super) struct SpanFields {
    entries: Vec<(&'static str, Range<usize>)>,
    json: Vec<u8>,
    truncated: bool,
}

const MAX: usize = 16 * 1024;

// === impl SpanFields ===

impl SpanFields {
    /// Adds a field, or gives it another value.
    pub(super) fn set(&mut self, name: &'static str, value: Value<'_>, texts: &mut Texts) {
        let mut json = Vec::new();
        self.truncated |= !value.under(Name::known(name)).write(&mut json, texts, MAX);
        self.set_json(name, &json);
    }

    /// Adds the fields of `newer`; where both have a field, the newer value holds.
    pub(super) fn merge(&mut self, newer: &Self) {
        for (name, range) in &newer.entries {
            self.set_json(name, &newer.json[range.clone()]);
        }
        self.truncated |= newer.truncated;
    }

    fn set_json(&mut self, name: &'static str, json: &[u8]) {
        if let Some(at) = self.entries.iter().position(|(known, _)| *known == name) {
            let (_, old) = self.entries.remove(at);
            for (_, later) in self
                .entries
                .iter_mut()
                .filter(|(_, range)| range.start >= old.end)
            {
                *later = later.start - old.len()..later.end - old.len();
            }
            self.json.drain(old);
        }
        let start = self.json.len();
        if start + json.len() > MAX {
            self.truncated = true;
            return;
        }
        self.json.extend_from_slice(json);
        self.entries.push((name, start..self.json.len()));
    }

    /// Adds the fields to a line.
    pub(super) fn write(&self, line: &mut Fields<'_>) {
        for (name, range) in &self.entries {
            line.encoded(Name::known(name), &self.json[range.clone()]);
        }
        if self.truncated {
            line.mark_truncated();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_recorded_again_has_the_new_value_and_no_other_changes() {
        let (mut fields, mut texts) = (SpanFields::default(), Texts::default());
        fields.set("a", Value::Str("long enough"), &mut texts);
        fields.set("b", Value::U64(2), &mut texts);
        fields.set("password", Value::U64(3), &mut texts);
        fields.set("a", Value::Bool(true), &mut texts);
        let read = |(name, range): &(&'static str, Range<usize>)| {
            (
                *name,
                String::from_utf8(fields.json[range.clone()].to_vec()).unwrap(),
            )
        };
        let all = fields.entries.iter().map(read).collect::<Vec<_>>();
        let expected = [("b", "2"), ("password", "\"[redacted]\""), ("a", "true")];
        assert_eq!(all, expected.map(|(name, json)| (name, json.to_owned())));
    }

    #[test]
    fn fields_are_bounded() {
        let (mut fields, mut texts) = (SpanFields::default(), Texts::default());
        let long = "x".repeat(MAX);
        for name in ["a", "b", "c"] {
            fields.set(name, Value::Str(&long), &mut texts);
        }
        assert!(fields.truncated && fields.json.len() <= MAX);
        for _ in 0..1000 {
            fields.set("a", Value::Str(&long[..100]), &mut texts);
        }
        assert!(fields.json.len() < MAX);
    }
}
