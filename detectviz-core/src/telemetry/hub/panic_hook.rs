//! Panics as log lines.
use super::{entered::place, table};
use crate::telemetry::logs::Caller;
use std::{
    panic::{self, PanicHookInfo},
    sync::Once,
    thread,
    time::Duration,
};
use tracing::Level;

/// How long a panic may wait for its line to be written: the process may be about to end.
const FLUSH: Duration = Duration::from_millis(100);

/// Logs every panic as one line of level ERROR, with where it happened, the thread and the ids of the span, and waits
/// briefly until it is written. Then the hook that was there before runs. A second call changes nothing.
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

fn log(info: &PanicHookInfo<'_>) {
    let place = place();
    table::with(place.runtime, |outputs| {
        let message = info
            .payload_as_str()
            .unwrap_or("a panic whose payload is not text");
        let caller = info
            .location()
            .map_or(Caller::new("", 0), |at| Caller::new(at.file(), at.line()));
        let current = thread::current();
        let thread = current.name().unwrap_or("unnamed");
        outputs.logs().event(
            Level::ERROR,
            "panic",
            caller,
            place.context.as_ref(),
            message,
            |fields| {
                fields.str("thread", thread);
            },
        );
        outputs.logs().flush(FLUSH);
    });
}
