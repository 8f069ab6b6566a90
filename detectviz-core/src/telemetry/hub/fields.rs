//! The fields of a span, serialised once.
use crate::telemetry::logs::{Buf, Line, Name, NameHash, Texts, Value};

/// Names, and their values as JSON; at most 16 KiB.
#[derive(Debug, Default)]
pub(super) struct SpanFields {
    entries: Vec<Entry>,
    /// `,"name":value` for each, in order.
    json: Buf,
    /// Whether a name cannot stand in a line as it is.
    unusual: bool,
    truncated: bool,
}

/// Where a field stands in the JSON.
#[derive(Clone, Copy, Debug)]
struct Entry {
    name: &'static str,
    hash: NameHash,
    start: usize,
    value: usize,
    end: usize,
}

const MAX: usize = 16 * 1024;

/// What must be left for a field to be begun.
const LEAST: usize = 64;

// === impl SpanFields ===

impl SpanFields {
    /// Adds a field, or gives it another value.
    pub(super) fn set(&mut self, name: &'static str, value: Value<'_>, texts: &mut Texts) {
        let value = value.under(Name::known(name).is_secret());
        self.put(name, |json, room| Some(value.write(json, texts, room)));
    }

    /// Adds the fields of `newer`; where both have a field, the newer value holds.
    pub(super) fn merge(&mut self, newer: Self) {
        if self.entries.is_empty() && !self.truncated {
            *self = newer;
            return;
        }
        for entry in &newer.entries {
            let value = &newer.json.as_slice()[entry.value..entry.end];
            self.put(entry.name, |json, room| {
                let fits = value.len() <= room;
                fits.then(|| json.put(value)).map(|()| true)
            });
        }
        self.truncated |= newer.truncated;
    }

    /// Lets `write` append a value of at most so many bytes; it says whether that is all of it, or that it does not fit.
    fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Buf, usize) -> Option<bool>) {
        self.forget(name);
        let (known, start) = (Name::known(name), self.json.len());
        self.json.put(b",\"");
        self.json.put(name.as_bytes());
        self.json.put(b"\":");
        let value = self.json.len();
        let room = MAX.saturating_sub(value);
        let written = if room < LEAST {
            None
        } else {
            write(&mut self.json, room)
        };
        self.truncated |= written != Some(true);
        if written.is_none() {
            self.json.truncate(start);
            return;
        }
        self.unusual |= !known.is_usual();
        self.entries.push(Entry {
            name,
            hash: known.hash(),
            start,
            value,
            end: self.json.len(),
        });
    }

    fn forget(&mut self, name: &str) {
        let Some(at) = self.entries.iter().position(|entry| entry.name == name) else {
            return;
        };
        let old = self.entries.remove(at);
        self.json.remove(old.start..old.end);
        let length = old.end - old.start;
        for later in &mut self.entries[at..] {
            later.start -= length;
            later.value -= length;
            later.end -= length;
        }
    }

    /// Adds the fields to a line.
    pub(super) fn write(&self, line: &mut Line) {
        let names = self.entries.iter().map(|entry| entry.hash);
        let json = self.json.as_slice();
        if self.unusual || !line.block(names, json) {
            for entry in &self.entries {
                line.encoded(Name::known(entry.name), &json[entry.value..entry.end]);
            }
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
        let mut newer = SpanFields::default();
        newer.set("b", Value::Str("two"), &mut texts);
        for (newer, expected) in [
            (
                SpanFields::default(),
                r#","b":2,"password":"[redacted]","a":true"#,
            ),
            (newer, r#","password":"[redacted]","a":true,"b":"two""#),
        ] {
            fields.merge(newer);
            let json = str::from_utf8(fields.json.as_slice()).unwrap();
            assert_eq!(json, expected);
            let parts = fields.entries.iter().map(|entry| {
                let name = format!(",\"{}\":", entry.name);
                assert_eq!(json[entry.start..entry.value], name);
                &json[entry.start..entry.end]
            });
            assert_eq!(parts.collect::<String>(), expected);
        }
        assert!(!fields.truncated);
    }

    #[test]
    fn fields_are_bounded() {
        let (mut fields, mut texts) = (SpanFields::default(), Texts::default());
        let long = "x".repeat(MAX);
        for name in ["a", "b", "c"] {
            fields.set(name, Value::Str(&long), &mut texts);
        }
        assert!(fields.truncated && fields.json.len() <= MAX);
        assert_eq!(fields.entries.len(), 1);
        for _ in 0..1000 {
            fields.set("a", Value::Str(&long[..100]), &mut texts);
        }
        assert!(fields.json.len() < 200 && fields.entries.len() == 1);
    }
}
