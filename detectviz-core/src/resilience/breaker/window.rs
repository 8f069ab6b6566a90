//! The sliding window: a ring of buckets that slides without a lock.
//!
//! A window is cut into buckets, of so many milliseconds or of so many calls. Each has a number, its *tick*; the head says
//! which is the newest and where it ends. Whoever records beyond that end moves the head on; of several who do so at once,
//! one succeeds. A slot of the ring is given to a tick only when the head is there, and never back to an earlier one: a
//! thread that slept spoils nothing, and what it left undone is done by whoever needs it.
//!
//! Only what went wrong is written into a bucket. Successes are a [`Tally`], and how many a window holds is its total, less
//! what the total was when the window began: each bucket of time knows that. With buckets of calls the number of a call in
//! the sequence of all is its place, and the length of the window is arithmetic.
use super::{
    cells::{Bucket, Head, Slot, since_mark},
    limits::{Geometry, Limits},
    tally::Tally,
    word::SERIES,
};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

#[derive(Debug)]
pub(super) struct Window {
    head: AtomicU64,
    geometry: AtomicU64,
    /// A power of two, more than there are buckets.
    slots: Box<[Slot]>,
    bad: Bad,
}

/// What is written when something went wrong: apart from what every call reads.
#[derive(Debug)]
#[repr(align(128))]
struct Bad {
    /// All failures there ever were.
    failures: AtomicU64,
    /// The number of the window's first call: series (5 bits), era (3), number (56).
    origin: AtomicU64,
    /// Failures in a row: series (5 bits), all successes before (43), failures (16).
    run: AtomicU64,
    /// The geometry before the present one.
    before: AtomicU64,
}

/// The newest bucket, as somebody found it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    head: Head,
    geometry: Geometry,
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
    /// More calls came than the window holds.
    pub(super) is_full: bool,
    /// All successes there ever were, as they were read for this.
    successes: u64,
}

const ORIGIN: u64 = (1 << 56) - 1;
const RUN: u64 = (1 << 16) - 1;
const BEFORE: u64 = (1 << 43) - 1;

// === impl Window ===

impl Window {
    /// No window of any series yet.
    pub(super) fn new(geometry: Geometry, slots: usize) -> Self {
        debug_assert!(slots.is_power_of_two() && slots as u64 > geometry.buckets());
        Self {
            head: AtomicU64::new(Head::new(SERIES - 1, geometry.era(), 0, 0).0),
            geometry: AtomicU64::new(geometry.pack()),
            slots: (0..slots).map(|_| Slot::new()).collect(),
            bad: Bad {
                failures: AtomicU64::new(0),
                origin: AtomicU64::new(0),
                run: AtomicU64::new(0),
                before: AtomicU64::new(geometry.pack()),
            },
        }
    }

    /// Whether a success may be counted without a look at the window: it belongs into the newest bucket.
    #[inline]
    pub(super) fn takes(&self, series: u64, millis: impl FnOnce() -> u64) -> bool {
        let head = Head(self.head.load(Acquire));
        let geometry = Geometry::unpack(self.geometry.load(Relaxed));
        head.is_of(series, geometry.era())
            && (geometry.counts_calls() || head.holds(millis(), geometry))
    }

    /// Whether a call of `series` was recorded.
    pub(super) fn has_begun(&self, series: u64) -> bool {
        Head(self.head.load(Acquire)).series() == series
    }

    /// Moves the head on to now; `None` when a later series has begun. `recorded` is 1 when the call that it is moved for is
    /// counted already, else 0.
    pub(super) fn view(
        &self,
        tally: &Tally,
        series: u64,
        millis: u64,
        recorded: u64,
    ) -> Option<View> {
        loop {
            let head = Head(self.head.load(Acquire));
            // After the head: a geometry that differs from it is newer.
            let geometry = Geometry::unpack(self.geometry.load(Acquire));
            let newer = series.wrapping_sub(head.series()) % SERIES;
            if newer >= SERIES / 2 {
                return None;
            }
            if newer > 0 || head.era() != geometry.era() {
                let carried = match newer {
                    0 => self.carried(tally, head, geometry),
                    _ => Held::default(),
                };
                let begun = self.begin(tally, series, head, geometry, millis, carried);
                match begun {
                    Some(view) => return Some(view),
                    None => continue,
                }
            }
            let at = match geometry.counts_calls() {
                true => self.number(tally).saturating_sub(recorded),
                false => millis,
            };
            let moved = match head.ticks_until(at, geometry) {
                0 => {
                    let view = View { head, geometry };
                    self.prepare(tally, view);
                    Some(view)
                }
                ticks => self.slide(tally, head, geometry, ticks),
            };
            if moved.is_some() {
                return moved;
            }
        }
    }

    /// Records a call that went wrong. One that failed is none of the [`Tally`].
    pub(super) fn add(&self, view: View, failed: bool, slow: bool) {
        let View { mut head, .. } = view;
        let series = head.series();
        if failed {
            self.bad.failures.fetch_add(1, AcqRel);
        }
        let (failures, slow) = (u64::from(failed), u64::from(slow));
        while head.series() == series && !self.slot(head.tick()).add(head.tick(), failures, slow) {
            // The ring went round since.
            head = Head(self.head.load(Acquire));
        }
    }

    /// How many failures there are in a row, the last of them just added: nobody has counted a success in between.
    pub(super) fn run(&self, tally: &Tally, view: View) -> u64 {
        let before = tally.successes() & BEFORE;
        let same = view.head.series() << 59 | before << 16;
        let mut seen = self.bad.run.load(Acquire);
        loop {
            let run = match seen & !RUN == same {
                true => (seen & RUN).saturating_add(1).min(RUN),
                false => 1,
            };
            let new = same | run;
            match self
                .bad
                .run
                .compare_exchange_weak(seen, new, AcqRel, Acquire)
            {
                Ok(_) => return run,
                Err(now) => seen = now,
            }
        }
    }

    /// What the window holds. What went wrong is read before the successes: it may look better than it was at any moment,
    /// but never worse, and whoever adds what is missing looks again.
    pub(super) fn held(&self, tally: &Tally, view: View) -> Held {
        let View { head, geometry } = view;
        let mut held = Held::default();
        let mut mark = None;
        for bucket in self.buckets(view) {
            held.failures += bucket.failures;
            held.slow += bucket.slow;
            mark = Some(bucket.mark);
        }
        let all_failures = self.bad.failures.load(Acquire);
        held.successes = tally.successes();
        if geometry.counts_calls() {
            let number = all_failures.wrapping_add(held.successes);
            let origin = self.bad.origin.load(Acquire);
            if origin & !ORIGIN != head.key() {
                return Held::default();
            }
            let came = number.wrapping_sub(origin) & ORIGIN;
            let width = geometry.width();
            let most = (geometry.buckets() - 1) * width + head.inside(number, width);
            held.calls = came.min(most).max(held.failures);
            held.is_full = came > most;
        } else {
            let successes = mark.map_or(0, |mark| since_mark(held.successes, mark));
            held.calls = successes + held.failures;
        }
        held.slow = held.slow.min(held.calls);
        held
    }

    /// Whether, after the window held `all`, a threshold can be reached without another failure or slow call: by a success
    /// that makes the calls enough, or because older successes leave the window first.
    ///
    /// It does not look again at how many successes there are: one that came since would be taken for one that was judged.
    pub(super) fn can_exceed(&self, view: View, all: Held, limits: &Limits) -> bool {
        let enough = limits.exceeded(limits.minimum, all.failures, all.slow);
        if view.geometry.counts_calls() {
            return enough && all.calls < limits.minimum && !all.is_full;
        }
        let (mut failures, mut slow) = (0, 0);
        enough
            && self.buckets(view).any(|bucket| {
                failures += bucket.failures;
                slow += bucket.slow;
                let calls = since_mark(all.successes, bucket.mark) + failures + 1;
                limits.exceeded(calls.max(limits.minimum), failures, slow)
            })
    }

    /// Cuts the window anew, unless it is cut so already. What it holds goes into the first of the new buckets.
    pub(super) fn cut(&self, tally: &Tally, series: u64, millis: u64, geometry: Geometry) {
        let before = Geometry::unpack(self.geometry.load(Acquire));
        if geometry.is_like(before) {
            return;
        }
        self.view(tally, series, millis, 0);
        self.bad.before.store(before.pack(), Release);
        self.geometry.store(geometry.after(before).pack(), Release);
        self.view(tally, series, millis, 0);
    }

    /// The buckets that there were calls in, the newest first.
    fn buckets(&self, view: View) -> impl Iterator<Item = Bucket> {
        let View { head, geometry } = view;
        let ticks = (0..geometry.buckets()).map(move |back| head.tick().wrapping_sub(back));
        ticks.filter_map(|tick| self.slot(tick).read(tick))
    }

    /// A window of which the next call is the first, but for what is `carried` over; `None` when the head has moved.
    fn begin(
        &self,
        tally: &Tally,
        series: u64,
        head: Head,
        geometry: Geometry,
        millis: u64,
        carried: Held,
    ) -> Option<View> {
        let successes = tally.successes();
        let number = self.number(tally);
        let at = match geometry.counts_calls() {
            true => number,
            false => millis,
        };
        let tick = head.tick() + self.past();
        let next = Head::new(series, geometry.era(), tick, at + geometry.width());
        let view = self.moved(head, next, geometry)?;
        self.set_origin(view, || number.wrapping_sub(carried.calls));
        let earlier = carried.calls - carried.failures;
        let slot = self.slot(tick);
        slot.begin(tick, successes.wrapping_sub(earlier));
        slot.add(tick, carried.failures, carried.slow);
        Some(view)
    }

    /// The window so many ticks later; `None` when the head has moved.
    fn slide(&self, tally: &Tally, head: Head, geometry: Geometry, ticks: u64) -> Option<View> {
        // Past all that there is, a step is as good as any; this one visits slot after slot, like those of one tick, so that
        // none keeps a tick for so long that it comes round.
        let skips = ticks >= geometry.buckets();
        let step = if skips { self.past() } else { ticks };
        let successes = tally.successes();
        let end = head
            .end()
            .wrapping_add(ticks.wrapping_mul(geometry.width()));
        let next = Head::new(head.series(), head.era(), head.tick() + step, end);
        let view = self.moved(head, next, geometry)?;
        let first = if skips { step } else { 1 };
        for tick in (first..=step).map(|step| head.tick() + step) {
            self.slot(tick).begin(tick, successes);
        }
        Some(view)
    }

    fn moved(&self, from: Head, to: Head, geometry: Geometry) -> Option<View> {
        let moved = self.head.compare_exchange(from.0, to.0, AcqRel, Relaxed);
        moved.ok().map(|_| View { head: to, geometry })
    }

    /// Does what the thread that moved the head has not done yet.
    fn prepare(&self, tally: &Tally, view: View) {
        let tick = view.head.tick();
        if !self.slot(tick).has_begun(tick) {
            self.slot(tick).begin(tick, tally.successes());
        }
        if view.geometry.counts_calls() {
            self.set_origin(view, || self.number(tally));
        }
    }

    /// Says which call is the first of the window, unless that is known.
    fn set_origin(&self, view: View, number: impl Fn() -> u64) {
        let key = view.head.key();
        let mut seen = self.bad.origin.load(Acquire);
        while seen & !ORIGIN != key && self.head.load(Acquire) >> 56 == key >> 56 {
            let new = key | number() & ORIGIN;
            let origin = &self.bad.origin;
            match origin.compare_exchange_weak(seen, new, AcqRel, Acquire) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// What the window held as it was cut before, in proportion when it no longer fits.
    fn carried(&self, tally: &Tally, head: Head, geometry: Geometry) -> Held {
        let before = Geometry::unpack(self.bad.before.load(Acquire));
        if before.era() != head.era() {
            return Held::default();
        }
        let view = View {
            head,
            geometry: before,
        };
        let held = self.held(tally, view);
        let most = match geometry.counts_calls() {
            true => geometry.buckets() * geometry.width(),
            false => u64::MAX,
        };
        if held.calls <= most {
            return held;
        }
        let share =
            |part: u64| (u128::from(part) * u128::from(most) / u128::from(held.calls)) as u64;
        Held {
            calls: most,
            failures: share(held.failures),
            slow: share(held.slow),
            ..Held::default()
        }
    }

    /// The number of the next call.
    fn number(&self, tally: &Tally) -> u64 {
        let failures = self.bad.failures.load(Acquire);
        failures.wrapping_add(tally.successes())
    }

    /// A step after which no bucket that there was is of the window.
    fn past(&self) -> u64 {
        self.slots.len() as u64 + 1
    }

    fn slot(&self, tick: u64) -> &Slot {
        &self.slots[tick as usize & (self.slots.len() - 1)]
    }
}
