//! What happened within a span, such as an exception.
use super::{Attributes, Text, Value, text::cut};

/// Something that happened at one time within a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// When, in nanoseconds since the Unix epoch.
    pub time_unix_nanos: u64,
    /// What.
    pub name: Text,
    attributes: Vec<(&'static str, Value)>,
    dropped: u32,
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

    /// An event without attributes. Allocates.
    #[must_use]
    pub fn new(time_unix_nanos: u64, name: impl Into<Text>) -> Self {
        Self {
            time_unix_nanos,
            name: name.into(),
            attributes: Vec::new(),
            dropped: 0,
        }
    }

    /// Adds an attribute. From the fifth on they are left out and counted; a text is cut at 512 bytes.
    #[must_use]
    pub fn attribute(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        if self.attributes.len() == Self::CAPACITY {
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
        &self.attributes
    }

    /// How many attributes were left out or cut short.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped
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
