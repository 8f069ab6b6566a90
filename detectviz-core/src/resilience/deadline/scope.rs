//! The deadline in the request's slot, for as long as somebody works under it.
use super::nearest;
use crate::telemetry::context::update;
use std::time::Instant;

/// Puts back what stood in the slot before, when dropped.
#[derive(Debug)]
pub(in crate::resilience) struct Scope {
    before: Option<Option<Instant>>,
}

// === impl Scope ===

impl Scope {
    /// Shortens the deadline of the request that the current thread works on, if there is one.
    pub(in crate::resilience) fn enter(deadline: Option<Instant>) -> Self {
        let before = deadline.and_then(|_| {
            update(|slot| {
                let shorter = nearest(slot.deadline, deadline);
                std::mem::replace(&mut slot.deadline, shorter)
            })
        });
        Self { before }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            update(|slot| slot.deadline = before);
        }
    }
}
