//! How often the current thread allocates. Whatever links this crate allocates through the counter.
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// Counts, and passes on to the system's allocator.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
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

/// How many bytes the current thread has allocated and not freed; less than nothing where it frees what others allocated.
#[must_use]
pub fn held() -> i64 {
    HELD.get()
}

fn count() {
    // While a thread ends its counter may be gone.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

fn hold(bytes: usize) {
    let _ = HELD.try_with(|held| held.set(held.get().wrapping_add_unsigned(bytes as u64)));
}

fn let_go(bytes: usize) {
    let _ = HELD.try_with(|held| held.set(held.get().wrapping_sub_unsigned(bytes as u64)));
}

#[expect(unsafe_code, reason = "an allocator is unsafe to write")]
// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        hold(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let_go(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        hold(new_size);
        let_go(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_allocation_is_counted_once() {
        let count = super::per_call(10, || drop(std::hint::black_box(vec![0_u8; 100])));
        assert!((count - 1.0).abs() < f64::EPSILON, "{count}");
    }

    #[test]
    fn what_is_held_is_counted_in_bytes() {
        let before = super::held();
        let mut kept = std::hint::black_box(vec![0_u8; 100]);
        assert_eq!(super::held() - before, 100);
        kept.resize(300, 0);
        assert_eq!(super::held() - before, kept.capacity() as i64);
        drop(kept);
        assert_eq!(super::held(), before);
    }
}
