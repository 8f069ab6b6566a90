//! The timers of those who name none: one per tokio runtime and thread.
use super::{Entry, Timer};
use std::cell::RefCell;
use tokio::runtime::{Handle, Id};

thread_local! {
    static TIMERS: RefCell<Vec<(Id, Timer)>> = const { RefCell::new(Vec::new()) };
}

impl Entry {
    /// A place in the timer that the current thread has for the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn of_runtime() -> Self {
        let id = Handle::current().id();
        let entry = TIMERS.try_with(|timers| {
            let mut timers = timers.try_borrow_mut().ok()?;
            if let Some((_, timer)) = timers.iter().find(|(of, _)| *of == id) {
                return Some(timer.entry());
            }
            // Nobody drives the timer of a runtime that has ended.
            timers.retain(|(_, timer)| timer.is_driven());
            let timer = Timer::new();
            let entry = timer.entry();
            timers.push((id, timer));
            Some(entry)
        });
        // A thread that is ending has none.
        entry.ok().flatten().unwrap_or_else(|| Timer::new().entry())
    }
}
