//! Waiting with a bound, and how much of it there is.
use std::time::{Duration, Instant};

/// No test waits longer for what it expects, unless it says so.
pub const BOUND: Duration = Duration::from_secs(20);

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(2);

/// Whether the long versions of the tests are asked for.
#[must_use]
pub fn full() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the switch of the long tests")]
    std::env::var_os("DETECTVIZ_TEST_FULL").is_some_and(|value| value == "1")
}

/// What `look` sees first, looked for again and again.
///
/// # Panics
/// When it sees nothing within [`BOUND`].
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(BOUND, look).unwrap_or_else(|| panic!("{what}: not within {BOUND:?}"))
}

/// What `look` sees first, looked for again and again for as long as `bound`.
pub fn within<T>(bound: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let seen = look();
        if seen.is_some() || start.elapsed() > bound {
            return seen;
        }
        std::thread::sleep(PAUSE);
    }
}
