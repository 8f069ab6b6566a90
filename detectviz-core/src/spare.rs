//! What a thread is done with and keeps for the next time, so that a warm thread allocates nothing.
//!
//! ```
//! use detectviz_core::spare::Spare;
//!
//! thread_local! {
//!     static BUFFERS: Spare<Vec<u8>> = const { Spare::new(64) };
//! }
//!
//! let mut buffer = Spare::take(&BUFFERS).unwrap_or_default();
//! buffer.extend_from_slice(b"GET /");
//! let place = buffer.as_ptr();
//! buffer.clear();
//! Spare::give(&BUFFERS, buffer);
//! assert_eq!(Spare::take(&BUFFERS).map(|buffer| buffer.as_ptr()), Some(place));
//! ```
use std::{cell::RefCell, fmt, thread::LocalKey};

/// At most so many things of one thread that are used again, the latest first; for a thread-local.
///
/// What is given is kept as it is: whoever gives it empties it first.
pub struct Spare<T> {
    kept: RefCell<Vec<T>>,
    most: usize,
}

// === impl Spare ===

impl<T> Spare<T> {
    /// Keeps nothing yet, and at most `most` things later.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            kept: RefCell::new(Vec::new()),
            most,
        }
    }

    /// What this thread gave last; `None` when there is nothing, and while the thread ends.
    #[inline]
    pub fn take(of: &'static LocalKey<Self>) -> Option<T> {
        let taken = of.try_with(|spare| spare.kept.try_borrow_mut().ok()?.pop());
        taken.ok().flatten()
    }

    /// Keeps `thing` for the next time, or drops it when there are enough, and while the thread ends.
    #[inline]
    pub fn give(of: &'static LocalKey<Self>, thing: T) {
        let mut thing = Some(thing);
        let _ = of.try_with(|spare| {
            if let Ok(mut kept) = spare.kept.try_borrow_mut()
                && kept.len() < spare.most
            {
                kept.extend(thing.take());
            }
        });
        // What is left is dropped only here: it may give something itself.
    }
}

impl<T> fmt::Debug for Spare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept.try_borrow().map_or(0, |kept| kept.len());
        f.debug_struct("Spare")
            .field("kept", &kept)
            .field("most", &self.most)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicU32, Ordering::SeqCst},
        thread,
    };

    /// Gives a number when it is dropped.
    struct Gives(u32);

    static DROPPED: AtomicU32 = AtomicU32::new(0);

    thread_local! {
        static NUMBERS: Spare<u32> = const { Spare::new(2) };
        static GIVING: Spare<Gives> = const { Spare::new(1) };
    }

    impl Drop for Gives {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
            if self.0 > 0 {
                Spare::give(&GIVING, Self(self.0 - 1));
            }
        }
    }

    #[test]
    fn the_latest_is_used_first_and_only_so_many_are_kept() {
        for number in [1, 2, 3] {
            Spare::give(&NUMBERS, number);
        }
        let taken = [(); 3].map(|()| Spare::take(&NUMBERS));
        assert_eq!(taken, [Some(2), Some(1), None]);
    }

    #[test]
    fn a_thread_has_its_own() {
        Spare::give(&NUMBERS, 7);
        thread::scope(|scope| {
            let other = scope.spawn(|| Spare::take(&NUMBERS));
            assert_eq!(other.join().unwrap(), None);
        });
    }

    #[test]
    fn what_gives_while_it_is_dropped_or_its_thread_ends_is_dropped_whole() {
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                Spare::give(&GIVING, Gives(0));
                Spare::give(&GIVING, Gives(3));
            });
            // A scope alone does not wait for thread-locals.
            thread.join().unwrap();
        });
        assert_eq!(DROPPED.load(SeqCst), 5);
    }
}
