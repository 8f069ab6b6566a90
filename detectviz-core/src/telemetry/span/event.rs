//! What happened within a span, such as an exception.
use super::{Attributes, Text, Value, text::cut};
use crate::telemetry::context::{Note, NoteValue};
use std::time::Instant;

/// Something that happened at one time within a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// When, in nanoseconds since the Unix epoch.
    pub time_unix_nanos: u64,
    /// What.
    pub name: Text,
    attributes: Few,
    dropped: u32,
}

type Attribute = (&'static str, Value);

/// Most events have one attribute, and one is kept in place.
#[derive(Clone, Debug)]
enum Few {
    None,
    One([Attribute; 1]),
    More(Vec<Attribute>),
}

/// At most [8](Self::CAPACITY) events. A span without events, which is the rule, allocates nothing for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    events: Vec<Event>,
    dropped: u32,
}

// === impl Event ===

impl Event {
    /// The largest number of attributes of one event.
    pub const CAPACITY: usize = 4;

    /// An event without attributes.
    #[must_use]
    pub fn new(time_unix_nanos: u64, name: impl Into<Text>) -> Self {
        Self {
            time_unix_nanos,
            name: name.into(),
            attributes: Few::None,
            dropped: 0,
        }
    }

    /// Adds an attribute. From the fifth on they are left out and counted; a text is cut at 512 bytes.
    #[must_use]
    pub fn attribute(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        if self.attributes().len() == Self::CAPACITY {
            self.dropped = self.dropped.saturating_add(1);
            return self;
        }
        let value = match value.into() {
            Value::Text(text) if text.as_str().len() > Attributes::TEXT => {
                self.dropped = self.dropped.saturating_add(1);
                cut(text.as_str(), Attributes::TEXT).to_owned().into()
            }
            value => value,
        };
        self.attributes.push((key, value));
        self
    }

    /// The attributes, in the order in which they were added.
    #[must_use]
    pub fn attributes(&self) -> &[(&'static str, Value)] {
        self.attributes.as_slice()
    }

    /// How many attributes were left out or cut short.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}

// === impl Few ===

impl Few {
    fn push(&mut self, attribute: Attribute) {
        *self = match std::mem::replace(self, Self::None) {
            Self::None => Self::One([attribute]),
            Self::One([first]) => Self::More(vec![first, attribute]),
            Self::More(mut all) => {
                all.push(attribute);
                Self::More(all)
            }
        };
    }

    fn as_slice(&self) -> &[Attribute] {
        match self {
            Self::None => &[],
            Self::One(one) => one,
            Self::More(all) => all,
        }
    }
}

impl PartialEq for Few {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

// === impl Events ===

impl Events {
    /// The largest number of events of one span.
    pub const CAPACITY: usize = 8;

    /// No events.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            events: Vec::new(),
            dropped: 0,
        }
    }

    /// Adds an event. From the ninth on they are left out and counted.
    pub fn push(&mut self, event: Event) {
        if self.events.len() < Self::CAPACITY {
            self.events.push(event);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Adds what was noted on the way of a request as events. Their times follow from that at which the span ended, which
    /// the caller has on both clocks: `ended`, and `end_unix_nanos` since the Unix epoch. Allocates once, if there is
    /// anything to add.
    pub fn push_notes(&mut self, notes: &[Note], ended: Instant, end_unix_nanos: u64) {
        if notes.is_empty() {
            return;
        }
        self.events.reserve(notes.len().min(Self::CAPACITY));
        for note in notes {
            let before = ended.saturating_duration_since(note.at);
            let after = note.at.saturating_duration_since(ended);
            let nanos =
                |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            let at = end_unix_nanos
                .saturating_sub(nanos(before))
                .saturating_add(nanos(after));
            let event = Event::new(at, note.name);
            self.push(match note.attribute {
                None => event,
                Some((key, NoteValue::Str(text))) => event.attribute(key, text),
                Some((key, NoteValue::U64(number))) => {
                    event.attribute(key, i64::try_from(number).unwrap_or(i64::MAX))
                }
            });
        }
    }

    /// The events, in the order in which they were added.
    #[must_use]
    pub fn as_slice(&self) -> &[Event] {
        &self.events
    }

    /// How many events were left out.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}
