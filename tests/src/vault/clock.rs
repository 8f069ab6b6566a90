//! A paused clock that moves only when it is told to, with real sockets.
//!
//! tokio moves a paused clock to the next timer whenever every task waits, also while bytes are on their way through the
//! loopback: with real sockets, timeouts go off that nobody waited for. A blocking task keeps the clock where it is, and so
//! [`Held`] runs one until it is dropped.
use detectviz_core::task::Tasks;
use std::{
    sync::mpsc::{Sender, channel},
    time::Duration,
};
use tokio::{task::yield_now, time::advance};

/// Real time that threads which read files get after each step.
const SETTLE: Duration = Duration::from_micros(200);

/// How often all tasks that are ready are run, and sockets looked at, after each step. Client and server live in one runtime and
/// the loopback delivers at once, so that this settles whatever is under way, however busy the machine is.
const ROUNDS: u32 = 64;

/// The clock stands still until this is dropped.
///
/// ```
/// use detectviz_tests::vault::clock::Held;
/// use std::time::Duration;
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let held = Held::new();
/// let start = Instant::now();
/// held.pass(Duration::from_secs(60), Duration::from_secs(1)).await;
/// assert_eq!(start.elapsed(), Duration::from_secs(60));
/// # }
/// ```
#[derive(Debug)]
pub struct Held {
    tasks: Tasks,
    _release: Sender<()>,
}

// === impl Held ===

impl Held {
    /// Holds the paused clock of the runtime that this runs in.
    #[must_use]
    pub fn new() -> Self {
        let (release, released) = channel();
        let tasks = Tasks::new();
        drop(tasks.spawn_blocking("held clock", move || released.recv()));
        Self {
            tasks,
            _release: release,
        }
    }

    /// Moves the clock on by `total` in steps of `step`, and after each lets tasks and sockets do what is due: less than 1 ms
    /// of real time a step.
    pub async fn pass(&self, total: Duration, step: Duration) {
        let mut left = total;
        while !left.is_zero() {
            let now = left.min(step);
            advance(now).await;
            self.settle().await;
            left -= now;
        }
    }

    /// Lets tasks and sockets do what is due, without time going on.
    pub async fn settle(&self) {
        for _ in 0..ROUNDS {
            yield_now().await;
        }
        let pause = self
            .tasks
            .spawn_blocking("settling", || std::thread::sleep(SETTLE));
        // It can only fail when the runtime ends.
        let _ended = pause.await;
        for _ in 0..ROUNDS {
            yield_now().await;
        }
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::new()
    }
}
