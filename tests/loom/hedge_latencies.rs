//! The times of calls: a window that is entered by two threads at once is emptied before it is filled.
#[path = "../../detectviz-core/src/resilience/hedge/state.rs"]
mod state;

use loom::thread;
use state::Latencies;
use std::sync::Arc;

#[test]
fn two_threads_enter_a_window_and_lose_nothing_of_it() {
    let mut model = loom::model::Builder::new();
    // A quantile looks at some hundred buckets.
    model.max_branches = 20_000;
    model.check(|| {
        let latencies = Arc::new(Latencies::new());
        for _ in 0..98 {
            latencies.record(3, 7);
        }
        let other = Arc::clone(&latencies);
        let theirs = thread::spawn(move || other.record(3, 8));
        latencies.record(3, 8);
        theirs.join().expect("no panic");
        assert_eq!(latencies.quantile(950_000, 8), Some(3), "all hundred");
        latencies.forget();
        assert_eq!(latencies.quantile(950_000, 16), None, "two of them");
    });
}
