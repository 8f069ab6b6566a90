//! The slots beside a list of deadlines that is searched from end to end.
use super::super::state::{Block, NEVER, Polled};
use super::*;
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Mutex, task::Waker};

const SLOTS: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Step {
    Arm {
        slot: usize,
        after: u64,
    },
    Cancel {
        slot: usize,
    },
    Poll {
        slot: usize,
    },
    /// Time passes, and the driver looks if it must.
    Pass {
        by: u64,
    },
    /// The driver looks though nothing is due.
    Sweep,
    Abandon,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        4 => (slot.clone(), 0..50_u64).prop_map(|(slot, after)| Step::Arm { slot, after }),
        2 => slot.clone().prop_map(|slot| Step::Cancel { slot }),
        2 => slot.prop_map(|slot| Step::Poll { slot }),
        3 => (0..20_u64).prop_map(|by| Step::Pass { by }),
        1 => Just(Step::Sweep),
        1 => Just(Step::Abandon),
    ]
}

/// Notes that a slot's waker was woken.
struct Woken {
    slot: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.slot);
    }
}

proptest! {
    #[test]
    fn exactly_what_is_due_is_woken_and_the_earliest_is_never_missed(steps in proptest::collection::vec(step(), 0..60)) {
        let (block, slots) = Block::new((), SLOTS);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let wakers: Vec<Waker> = (0..SLOTS)
            .map(|slot| Arc::new(Woken { slot, woken: Arc::clone(&woken) }).into())
            .collect();
        let mut model = BTreeMap::new();
        let mut orphans = BTreeMap::new();
        let mut passed = std::collections::BTreeSet::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Arm { slot, after } => {
                    let due = now + after;
                    let told = slots[slot].arm(due, &wakers[slot]);
                    prop_assert!(told || block.earliest() <= due);
                    model.insert(slot, due);
                    passed.remove(&slot);
                    orphans.remove(&slot);
                }
                Step::Cancel { slot } => {
                    slots[slot].cancel();
                    model.remove(&slot);
                    orphans.remove(&slot);
                    passed.remove(&slot);
                }
                Step::Poll { slot } => {
                    let polled = slots[slot].poll(&wakers[slot]);
                    prop_assert_eq!(polled == Polled::Passed, passed.contains(&slot));
                    if let Some(due) = orphans.remove(&slot) {
                        model.insert(slot, due);
                    }
                }
                Step::Pass { by } => {
                    now += by;
                    let mut due = Vec::new();
                    if block.earliest() <= now {
                        block.look(now, &mut due);
                    }
                    due.into_iter().for_each(Waker::wake);
                    let mut expected: Vec<_> = model.iter().filter(|(_, due)| **due <= now).map(|(slot, _)| *slot).collect();
                    model.retain(|_, due| *due > now);
                    passed.extend(expected.iter().copied());
                    let mut seen = std::mem::take(&mut *woken.lock().unwrap());
                    seen.sort_unstable();
                    expected.sort_unstable();
                    prop_assert_eq!(seen, expected);
                }
                Step::Sweep => {
                    // What is due is woken when time passes, by the model.
                    if model.values().all(|due| *due > now) {
                        let mut due = Vec::new();
                        block.look(now, &mut due);
                        prop_assert!(due.is_empty());
                        prop_assert_eq!(block.earliest(), model.values().copied().min().unwrap_or(NEVER));
                    }
                }
                Step::Abandon => {
                    let mut armed = Vec::new();
                    block.abandon(&mut armed);
                    prop_assert_eq!(armed.len(), model.len());
                    prop_assert_eq!(block.earliest(), NEVER);
                    orphans.append(&mut model);
                }
            }
            prop_assert!(model.values().all(|due| block.earliest() <= *due));
            prop_assert_eq!(block.armed(), model.len());
            for (at, slot) in slots.iter().enumerate() {
                let armed = model.contains_key(&at) || orphans.contains_key(&at) || passed.contains(&at);
                prop_assert_eq!(slot.is_armed(), armed);
            }
        }
    }
}
