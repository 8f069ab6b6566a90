//! What a call costs more when another thread makes the same one.
use crate::{contestant::thread_time, harness::ROUNDS};
use std::{
    hint,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

/// Calls between two pauses.
const CALLS_TO_PAUSE: u32 = 256;
/// How long a thread calls, where it need not pause, before it waits for the other one.
const BATCH: Duration = Duration::from_micros(100);
/// Which part of a batch a thread must have had its processor for, and the other one must have called as well, for it to count.
const UNDISTURBED: f64 = 0.9;
/// Batches before the first one that counts.
const WARM_UP: u32 = 8;
/// How long a thread is busy in one round.
const SLICE: Duration = Duration::from_millis(25);

/// A caller of one thread, and what it does in pauses that are not measured.
pub(crate) struct Caller<'a> {
    call: Box<dyn FnMut(u32) + 'a>,
    pause: Option<Box<dyn FnMut() + 'a>>,
}

/// When calls were made, and the CPU time that they took.
struct Batch {
    begun: Instant,
    ended: Instant,
    busy: Duration,
}

/// Where threads wait for each other, awake: those that sleep at a barrier would be woken one after another.
struct Line {
    threads: u32,
    arrived: AtomicU32,
}

/// Lets the others go on when a thread fails.
struct Leaves<'a>(&'a Line);

// === impl Caller ===

impl<'a> Caller<'a> {
    pub(crate) fn new(mut work: impl FnMut() + 'a) -> Self {
        Self {
            call: Box::new(move |calls| (0..calls).for_each(|_| work())),
            pause: None,
        }
    }

    /// Runs `pause` after each batch of calls.
    pub(crate) fn pause(mut self, pause: impl FnMut() + 'a) -> Self {
        self.pause = Some(Box::new(pause));
        self
    }

    /// So many batches of so many calls, each begun when the other thread is there too.
    fn run(mut self, (batches, calls): (u32, u32), line: &Line) -> Vec<Batch> {
        let _leaves = Leaves(line);
        let batch = |batch| {
            line.wait(batch + 1);
            let (start, begun) = (thread_time(), Instant::now());
            (self.call)(calls);
            let ended = Instant::now();
            let busy = thread_time().saturating_sub(start);
            if let Some(pause) = &mut self.pause {
                pause();
            }
            Batch { begun, ended, busy }
        };
        (0..batches + WARM_UP).map(batch).collect()
    }
}

// === impl Batch ===

impl Batch {
    /// Whether all of them went on at the same time, each with a processor.
    fn are_undisturbed(all: &[&Self]) -> bool {
        let (begun, ended) = (all.iter().map(|b| b.begun), all.iter().map(|b| b.ended));
        let together = begun.max().zip(ended.min());
        let together = together.map_or(Duration::ZERO, |(b, e)| e.saturating_duration_since(b));
        all.iter().all(|batch| {
            let most = (batch.ended - batch.begun).mul_f64(UNDISTURBED);
            batch.busy >= most && together >= most
        })
    }
}

// === impl Line ===

impl Line {
    /// Waits until each thread has been here so often.
    fn wait(&self, times: u32) {
        self.arrived.fetch_add(1, SeqCst);
        let mut spins = 0_u32;
        while self.arrived.load(SeqCst) < times * self.threads {
            spins += 1;
            if spins.is_multiple_of(1024) {
                // The other may wait for this processor.
                thread::yield_now();
            }
            hint::spin_loop();
        }
    }
}

// === impl Leaves ===

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.arrived.store(u32::MAX / 2, SeqCst);
        }
    }
}

/// CPU time of a call when two threads make it at once, over that when one does; each thread has a caller of its own, which
/// `caller` makes in it. Medians of interleaved rounds.
pub(crate) fn over_one<'a>(caller: impl Fn() -> Caller<'a> + Sync) -> f64 {
    let plan = plan(&caller);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(nanos(1, plan, &caller));
        two.push(nanos(2, plan, &caller));
    }
    median(two) / median(one)
}

/// How many batches fill a slice, and of how many calls each is.
fn plan<'a>(caller: &(impl Fn() -> Caller<'a> + Sync)) -> (u32, u32) {
    let pauses = caller().pause.is_some();
    let nanos = nanos(1, (64, CALLS_TO_PAUSE), caller).max(1.0);
    let fit = |time: Duration| (time.as_secs_f64() * 1e9 / nanos) as u32;
    let calls = if pauses {
        CALLS_TO_PAUSE
    } else {
        fit(BATCH).max(CALLS_TO_PAUSE)
    };
    ((fit(SLICE) / calls).max(1), calls)
}

/// CPU time of a call in nanoseconds, when so many threads call at once; not a number if they never did.
fn nanos<'a>(threads: u32, plan: (u32, u32), caller: &(impl Fn() -> Caller<'a> + Sync)) -> f64 {
    let line = Line {
        threads,
        arrived: AtomicU32::new(0),
    };
    let run = || caller().run(plan, &line);
    let ran: Vec<Vec<Batch>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().filter_map(|t| t.join().ok()).collect()
    });
    let (mut took, mut counted) = (Duration::ZERO, 0);
    for at in WARM_UP as usize..(plan.0 + WARM_UP) as usize {
        let batches: Vec<_> = ran.iter().filter_map(|batches| batches.get(at)).collect();
        if Batch::are_undisturbed(&batches) {
            took += batches.iter().map(|batch| batch.busy).sum::<Duration>();
            counted += threads;
        }
    }
    took.as_secs_f64() * 1e9 / f64::from(counted) / f64::from(plan.1)
}

/// Of the rounds in which something was measured; infinite if there is none.
fn median(mut all: Vec<f64>) -> f64 {
    all.retain(|nanos| nanos.is_finite());
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::INFINITY)
}
