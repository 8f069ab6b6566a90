//! The connection whose request the current thread is passing to a service.
use super::ConnInfo;
use std::cell::Cell;

thread_local! {
    static CURRENT: Cell<Option<ConnInfo>> = const { Cell::new(None) };
}

/// Puts back the connection that was current before, when dropped.
#[derive(Debug)]
pub struct Entered {
    previous: Option<ConnInfo>,
}

/// The connection whose request is being passed to a service on this thread, if any.
#[must_use]
pub fn current() -> Option<ConnInfo> {
    CURRENT.get()
}

// === impl ConnInfo ===

impl ConnInfo {
    /// Makes this the current connection until the guard is dropped.
    #[must_use]
    pub fn enter(self) -> Entered {
        Entered {
            previous: CURRENT.replace(Some(self)),
        }
    }
}

// === impl Entered ===

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.previous);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Version;

    #[test]
    fn the_connection_is_current_until_the_guard_is_dropped() {
        let outer = ConnInfo::new(Version::HTTP_11);
        let inner = ConnInfo::new(Version::HTTP_2);
        {
            let _outer = outer.enter();
            {
                let _inner = inner.enter();
                assert_eq!(current(), Some(inner));
            }
            assert_eq!(current(), Some(outer));
        }
        assert_eq!(current(), None);
    }
}
