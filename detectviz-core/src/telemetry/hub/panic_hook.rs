//! Panics as log lines.
use super::{entered::place, table};
use crate::telemetry::logs::Caller;
use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::Once,
    thread,
    time::Duration,
};
use tracing::Level;

thread_local! {
    /// What the one says who is about to catch.
    static CAUGHT_AS: Cell<Option<&'static Caught>> = const { Cell::new(None) };
    /// Whether the last panic was logged.
    static LOGGED: Cell<bool> = const { Cell::new(false) };
}

/// What is said of a panic that is caught, in one line with where it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caught {
    /// The target of the line, for levels.
    pub target: &'static str,
    /// What happened, and what comes of it.
    pub message: &'static str,
}

/// Puts back what was said around it, when dropped.
struct Catching {
    around: Option<&'static Caught>,
}

/// How long a panic may wait for its line to be written: the process may be about to end.
const FLUSH: Duration = Duration::from_millis(100);

/// Logs every panic as one line of level ERROR, with where it happened, the thread and the ids of the span, and waits
/// briefly until it is written; of a panic that somebody [catches](catch_panic) the line says that too. Then the hook that
/// was there before runs. A second call changes nothing.
pub fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            log(info);
            previous(info);
        }));
    });
}

/// Runs `work`, and catches its panic. The line that the [hook](install_panic_hook) writes says what `caught` says, also of a
/// panic that `work` catches itself; whoever gets the panic asks [`panic_was_logged`] before it writes a line of its own.
///
/// # Errors
/// With what it panicked.
#[inline]
pub fn catch_panic<R>(
    caught: &'static Caught,
    work: impl FnOnce() -> R,
) -> Result<R, Box<dyn Any + Send>> {
    // Put back by a guard, so that the result is not moved once more.
    let _catching = Catching {
        around: CAUGHT_AS.replace(Some(caught)),
    };
    panic::catch_unwind(AssertUnwindSafe(work))
}

/// Whether the hook has logged a panic on this thread since this was asked before.
#[must_use]
pub fn panic_was_logged() -> bool {
    LOGGED.replace(false)
}

fn log(info: &PanicHookInfo<'_>) {
    LOGGED.set(false);
    // Nobody catches where a panic is the end of the process.
    let caught = CAUGHT_AS.get().filter(|_| cfg!(panic = "unwind"));
    let place = place();
    table::with(place.runtime, |outputs| {
        let panic = info
            .payload_as_str()
            .unwrap_or("a panic whose payload is not text");
        let caller = info
            .location()
            .map_or(Caller::new("", 0), |at| Caller::new(at.file(), at.line()));
        let current = thread::current();
        let thread = current.name().unwrap_or("unnamed");
        let (target, message) = match caught {
            Some(caught) => (caught.target, caught.message),
            None => ("panic", panic),
        };
        let logs = outputs.logs();
        let context = place.context.as_ref();
        logs.event(Level::ERROR, target, caller, context, message, |fields| {
            if caught.is_some() {
                fields.str("panic", panic);
            }
            fields.str("thread", thread);
        });
        logs.flush(FLUSH);
        LOGGED.set(true);
    });
}

// === impl Catching ===

impl Drop for Catching {
    fn drop(&mut self) {
        CAUGHT_AS.set(self.around);
    }
}
