//! What happened to a request on its way: a retry, a refusal. Its span tells it as events.
use super::update;
use std::time::Instant;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// When.
    pub at: Instant,
    /// What, such as `breaker.open`.
    pub name: &'static str,
    /// What is known of it: the key of an attribute and its value.
    pub attribute: Option<(&'static str, NoteValue)>,
}

/// The value of a note's attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteValue {
    /// A number.
    U64(u64),
    /// A text of the source.
    Str(&'static str),
}

/// Takes down what happened to the request that the current thread is working on, when its trace is sampled; else, and
/// from the ninth on, nothing happens. A request of which nothing is taken down allocates nothing.
pub fn note(at: Instant, name: &'static str, attribute: Option<(&'static str, NoteValue)>) {
    update(|slot| {
        if slot.context.is_sampled() && slot.notes.len() < Note::MOST {
            slot.notes.push(Note {
                at,
                name,
                attribute,
            });
        }
    });
}

// === impl Note ===

impl Note {
    /// The largest number of notes of one request.
    pub const MOST: usize = 8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::context::{Slot, TraceContext, current};

    #[test]
    fn only_sampled_requests_take_notes_and_only_so_many() {
        for (sampled, notes, expected) in [(false, 3, 0), (true, 3, 3), (true, 20, Note::MOST)] {
            let slot = Slot::new(TraceContext::root(sampled));
            let taken = slot.sync_scope(|| {
                for n in 0..notes {
                    note(
                        Instant::now(),
                        "retry",
                        Some(("attempt", NoteValue::U64(n))),
                    );
                }
                current(|slot| slot.map(|slot| slot.notes.len()))
            });
            assert_eq!(taken, Some(expected));
        }
        note(Instant::now(), "no request", None);
    }
}
