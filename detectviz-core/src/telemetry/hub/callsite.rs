//! What is known of an event before it is made: where it comes from, and the names of its fields.
//!
//! It is rendered when a callsite logs for the first time, and kept for the life of the process, as the callsite is. None of
//! it depends on a runtime.
use crate::telemetry::logs::{Caller, Key, Origin};
use arc_swap::ArcSwap;
use std::{
    cell::Cell,
    collections::HashMap,
    ptr,
    sync::{Arc, LazyLock},
};
use tracing::{Metadata, field::Field};

/// A callsite of events, rendered.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) origin: Origin,
    /// Where the message is among the fields.
    pub(super) message: Option<usize>,
    /// By the field's place; `None` for names that cannot be rendered once.
    keys: Box<[Option<Key>]>,
}

type Static = &'static Metadata<'static>;

/// By the address of the metadata, which stays.
static ALL: LazyLock<ArcSwap<HashMap<usize, &'static Known>>> = LazyLock::new(ArcSwap::default);

/// How many callsites a thread finds without asking the others.
const PLACES: usize = 128;

thread_local! {
    static SEEN: [Cell<Option<(Static, &'static Known)>>; PLACES] =
        const { [const { Cell::new(None) }; PLACES] };
}

/// The field that `tracing` keeps the message in.
pub(super) const MESSAGE: &str = "message";

/// What is known of the callsite. Wait-free but for the first time.
pub(super) fn known(metadata: Static) -> &'static Known {
    let address = ptr::from_ref(metadata).addr();
    // Metadata is aligned to a word, and larger than a few.
    let place = (address >> 4 ^ address >> 11) % PLACES;
    let seen = SEEN.try_with(|seen| seen[place].get()).ok().flatten();
    match seen {
        Some((found, known)) if ptr::eq(found, metadata) => known,
        _ => {
            let known = look_up(metadata);
            let _ = SEEN.try_with(|seen| seen[place].set(Some((metadata, known))));
            known
        }
    }
}

#[cold]
fn look_up(metadata: Static) -> &'static Known {
    let address = ptr::from_ref(metadata).addr();
    if let Some(known) = ALL.load().get(&address) {
        return known;
    }
    let new: &Known = Box::leak(Box::new(Known::new(metadata)));
    let added = |all: &Arc<HashMap<usize, &'static Known>>| {
        let mut all = HashMap::clone(all);
        // Another thread may have been first; both have made the same.
        all.entry(address).or_insert(new);
        all
    };
    ALL.rcu(added);
    new
}

// === impl Known ===

impl Known {
    fn new(metadata: Static) -> Self {
        let caller = Caller::new(
            metadata.file().unwrap_or_default(),
            metadata.line().unwrap_or(0),
        );
        let fields = metadata.fields();
        Self {
            origin: Origin::new(*metadata.level(), metadata.target(), caller),
            message: fields.iter().position(|field| field.name() == MESSAGE),
            keys: fields.iter().map(|field| Key::of(field.name())).collect(),
        }
    }

    /// The rendered name of a field of the callsite.
    #[inline]
    pub(super) fn key(&self, field: &Field) -> Option<&Key> {
        self.keys.get(field.index())?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::hub::layer::REQUEST_SPAN;
    use tracing::Level;
    use tracing_core::{Kind, field::FieldSet};

    #[test]
    fn a_callsite_is_rendered_once_whichever_thread_asks() {
        let first = known(&REQUEST_SPAN);
        let other = std::thread::scope(|threads| {
            let other = threads.spawn(|| ptr::from_ref(known(&REQUEST_SPAN)).addr());
            other.join().unwrap()
        });
        assert_eq!(ptr::from_ref(first).addr(), other);
        assert_eq!((first.message, first.keys.len()), (None, 0));
    }

    #[test]
    fn fields_are_found_by_their_place() {
        let fields = FieldSet::new(&["password", "message", "a\"b"], REQUEST_SPAN.callsite());
        let level = Level::INFO;
        let metadata = Metadata::new("n", "t", level, None, None, None, fields, Kind::EVENT);
        let metadata: Static = Box::leak(Box::new(metadata));
        let known = known(metadata);
        let keys = metadata.fields().iter().map(|field| known.key(&field));
        let names = keys.map(|key| key.map(Key::name)).collect::<Vec<_>>();
        assert_eq!(names, [Some("password"), Some("message"), None]);
        assert_eq!(known.message, Some(1));
    }
}
