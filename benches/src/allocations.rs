//! How often the current thread allocates. Whatever links this crate allocates through the counter.
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// Counts, and passes on to the system's allocator.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often the current thread has allocated or grown an allocation so far.
#[must_use]
pub fn so_far() -> u64 {
    COUNT.get()
}

/// How often `work` allocates on this thread, per call, over `calls` calls.
pub fn per_call(calls: u32, mut work: impl FnMut()) -> f64 {
    let before = so_far();
    for _ in 0..calls {
        work();
    }
    let count = u32::try_from(so_far() - before).unwrap_or(u32::MAX);
    f64::from(count) / f64::from(calls)
}

fn count() {
    // While a thread ends its counter may be gone.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

#[expect(unsafe_code, reason = "an allocator is unsafe to write")]
// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_allocation_is_counted_once() {
        let count = super::per_call(10, || drop(std::hint::black_box(vec![0_u8; 100])));
        assert!((count - 1.0).abs() < f64::EPSILON, "{count}");
    }
}
