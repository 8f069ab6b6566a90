//! The slots of the timer and the alarm of its driver.
#[path = "../../detectviz-core/src/resilience/timer/alarm.rs"]
mod alarm;
#[path = "../../detectviz-core/src/resilience/timer/state.rs"]
mod state;

use self::{
    alarm::Alarm,
    state::{Block, NEVER, Polled},
};
use loom::thread;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Wake, Waker},
};

/// A task that notes whether it was woken.
#[derive(Default)]
struct Task(AtomicBool);

impl Task {
    fn new() -> (Arc<Self>, Waker) {
        let task = Arc::<Self>::default();
        (Arc::clone(&task), task.into())
    }

    fn is_woken(&self) -> bool {
        self.0.load(SeqCst)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

fn look<T>(block: &Block<T>, now: u64) {
    let mut due = Vec::new();
    block.look(now, &mut due);
    due.into_iter().for_each(Waker::wake);
}

#[test]
fn a_driver_that_falls_asleep_does_not_miss_a_deadline() {
    loom::model(|| {
        let (block, slots) = Block::new((), 1);
        let alarm = Arc::new(Alarm::new());
        // A deadline that was cancelled is still in the driver's way.
        assert!(slots[0].arm(5, Waker::noop()));
        slots[0].cancel();
        let driver = {
            let (block, alarm) = (Arc::clone(&block), Arc::clone(&alarm));
            thread::spawn(move || {
                loop {
                    alarm.set(0);
                    look(&block, 6);
                    let next = block.earliest();
                    alarm.set(next);
                    if block.earliest() >= next {
                        return next;
                    }
                }
            })
        };
        let woken = slots[0].arm(9, Waker::noop()) && alarm.pull(9);
        let until = driver.join().unwrap();
        assert!(woken || until <= 9, "asleep until {until}");
        assert_eq!(block.armed(), 1);
    });
}

#[test]
fn whoever_takes_the_slot_next_is_not_woken_for_the_one_before() {
    loom::model(|| {
        let (block, slots) = Block::new((), 1);
        let ((_, one), (next, other)) = (Task::new(), Task::new());
        assert!(slots[0].arm(1, &one));
        let driver = {
            let block = Arc::clone(&block);
            thread::spawn(move || look(&block, 10))
        };
        slots[0].cancel();
        let _ = slots[0].arm(100, &other);
        driver.join().unwrap();
        assert!(!next.is_woken());
        assert_eq!(slots[0].poll(&other), Polled::Waits);
        assert!(block.earliest() <= 100);
    });
}

#[test]
fn a_task_that_polls_while_its_deadline_passes_is_told_or_woken() {
    loom::model(|| {
        let (block, slots) = Block::new((), 1);
        let ((_, one), (moved, other)) = (Task::new(), Task::new());
        assert!(slots[0].arm(1, &one));
        let driver = {
            let block = Arc::clone(&block);
            thread::spawn(move || look(&block, 10))
        };
        let polled = slots[0].poll(&other);
        driver.join().unwrap();
        assert!(polled == Polled::Passed || moved.is_woken());
        assert_eq!(slots[0].poll(&other), Polled::Passed);
    });
}

#[test]
fn nobody_waits_for_a_driver_that_is_gone() {
    loom::model(|| {
        let (block, slots) = Block::new((), 1);
        let (task, waker) = Task::new();
        let driver = {
            let block = Arc::clone(&block);
            thread::spawn(move || {
                let mut armed = Vec::new();
                block.abandon(&mut armed);
                armed.into_iter().for_each(Waker::wake);
            })
        };
        let told = slots[0].arm(7, &waker);
        driver.join().unwrap();
        if task.is_woken() {
            let polled = slots[0].poll(&waker);
            assert!(told || polled == Polled::Tell(7));
        }
        assert!(told || task.is_woken());
        assert!(slots[0].is_armed());
        assert_eq!((block.armed(), block.earliest()), (1, 7));
    });
}

#[test]
fn two_deadlines_of_a_block_wake_the_driver_for_the_earlier() {
    loom::model(|| {
        let (block, mut slots) = Block::new("a timer", 2);
        let alarm = Arc::new(Alarm::new());
        alarm.set(NEVER);
        let other = slots.pop().unwrap();
        assert_eq!(other.block.of, block.of);
        let armed = {
            let alarm = Arc::clone(&alarm);
            thread::spawn(move || {
                let woken = other.arm(9, Waker::noop()) && alarm.pull(9);
                (other, woken)
            })
        };
        let woken = slots[0].arm(5, Waker::noop()) && alarm.pull(5);
        let (_other, also) = armed.join().unwrap();
        assert!(woken || also);
        assert_eq!(block.earliest(), 5);
        // Whoever was woken first has set no alarm yet; the driver looks at everything then.
        assert!(woken, "the earlier deadline wakes whatever the other does");
    });
}
