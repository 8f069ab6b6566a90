//! The bulkhead against a plain model of it: whatever happens, both say the same.
use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive(Priority),
    /// One that runs ends.
    End(usize),
    /// One that waits leaves.
    Leave(usize),
    Limit(u32),
    Advance(u64),
}

#[derive(Debug)]
struct Waiter {
    id: usize,
    is_sheddable: bool,
    expires: Instant,
}

/// What a bulkhead is, said as plainly as possible.
struct Model {
    limit: usize,
    max_queue: usize,
    lifo: bool,
    running: Vec<usize>,
    queue: VecDeque<Waiter>,
    busy_since: Option<Instant>,
    standing: bool,
    refused: Vec<(usize, Reason)>,
}

const MAX_WAIT: Duration = Duration::from_millis(100);
const STANDING: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(5));

impl Model {
    fn arrive(&mut self, id: usize, priority: Priority, now: Instant) {
        let is_sheddable = priority == Priority::Sheddable;
        let has_room = self.running.len() < self.limit && self.queue.is_empty();
        if priority == Priority::Critical || has_room {
            self.running.push(id);
            return;
        }
        if self.queue.len() >= self.max_queue {
            let last = self.queue.iter().rposition(|waiter| waiter.is_sheddable);
            let displaced = last.filter(|_| !is_sheddable && self.max_queue > 0);
            let Some(displaced) = displaced else {
                let reason = match self.max_queue {
                    0 => Reason::LimitReached,
                    _ => Reason::QueueFull,
                };
                return self.refused.push((id, reason));
            };
            let gone = self.queue.remove(displaced).expect("it waits");
            self.refused.push((gone.id, Reason::Displaced));
        }
        let mut wait = MAX_WAIT;
        let since = *self.busy_since.get_or_insert(now);
        self.standing |= self.lifo && now - since >= STANDING.0;
        if self.standing {
            wait = STANDING.1;
        }
        self.queue.push_back(Waiter {
            id,
            is_sheddable,
            expires: now + wait,
        });
    }

    fn settle(&mut self, now: Instant) {
        loop {
            let normal = self.queue.iter().any(|waiter| !waiter.is_sheddable);
            let mut those = self.queue.iter().enumerate();
            let is_next = |(_, waiter): &(usize, &Waiter)| waiter.is_sheddable != normal;
            let next = match self.standing {
                true => self.queue.iter().rposition(|w| w.is_sheddable != normal),
                false => those.find(is_next).map(|(at, _)| at),
            };
            let Some(next) = next else { break };
            if self.running.len() >= self.limit {
                break;
            }
            let waiter = self.queue.remove(next).expect("it waits");
            if waiter.expires <= now {
                self.refused.push((waiter.id, Reason::QueueTimeout));
            } else {
                self.running.push(waiter.id);
            }
        }
        self.emptied();
    }

    fn emptied(&mut self) {
        if self.queue.is_empty() {
            self.busy_since = None;
            self.standing = false;
        }
    }

    /// The timers of those who wait.
    fn expire(&mut self, now: Instant) {
        let refused = &mut self.refused;
        self.queue.retain(|waiter| {
            let gone = waiter.expires <= now;
            if gone {
                refused.push((waiter.id, Reason::QueueTimeout));
            }
            !gone
        });
        self.emptied();
    }
}

fn step() -> impl Strategy<Value = Step> {
    let priority = prop_oneof![
        6 => Just(Priority::Normal),
        3 => Just(Priority::Sheddable),
        1 => Just(Priority::Critical),
    ];
    prop_oneof![
        6 => priority.prop_map(Step::Arrive),
        4 => any::<usize>().prop_map(Step::End),
        1 => any::<usize>().prop_map(Step::Leave),
        1 => (1_u32..6).prop_map(Step::Limit),
        2 => (1_u64..60).prop_map(Step::Advance),
    ]
}

async fn agree(limit: u32, queue: u32, lifo: bool, steps: Vec<Step>) {
    let mut config = config(limit, queue).max_wait(MAX_WAIT);
    if lifo {
        config = config.order(QueueOrder::AdaptiveLifo);
        (config.queue.standing_after, config.queue.standing_wait) = STANDING;
    }
    let bulkhead = Bulkhead::new(&config);
    let mut model = Model {
        limit: limit as usize,
        max_queue: queue as usize,
        lifo,
        running: Vec::new(),
        queue: VecDeque::new(),
        busy_since: None,
        standing: false,
        refused: Vec::new(),
    };
    let (mut calls, mut running, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (id, step) in steps.into_iter().enumerate() {
        match step {
            Step::Arrive(priority) => {
                calls.push((id, arrive(&bulkhead, priority)));
                model.arrive(id, priority, now());
            }
            Step::End(which) if !model.running.is_empty() => {
                let id = model.running.remove(which % model.running.len());
                running.retain(|(running, _)| *running != id);
                model.settle(now());
            }
            Step::Leave(which) if !model.queue.is_empty() => {
                let gone = model.queue.remove(which % model.queue.len());
                let gone = gone.map(|waiter| waiter.id);
                calls.retain(|(id, _)| Some(*id) != gone);
                model.emptied();
            }
            Step::Limit(limit) => {
                bulkhead.set_limit(limit);
                model.limit = limit as usize;
                model.settle(now());
            }
            Step::Advance(millis) => {
                tokio::time::advance(Duration::from_millis(millis)).await;
                model.expire(now());
            }
            _ => {}
        }
        calls.retain_mut(|(id, call)| match poll(call) {
            Poll::Ready(Ok(permit)) => {
                running.push((*id, permit));
                false
            }
            Poll::Ready(Err(overloaded)) => {
                refused.push((*id, overloaded.reason()));
                false
            }
            Poll::Pending => true,
        });
        let mut ids: Vec<_> = running.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        model.running.sort_unstable();
        refused.sort_unstable_by_key(|(id, _)| *id);
        model.refused.sort_unstable_by_key(|(id, _)| *id);
        assert_eq!(ids, model.running, "who runs after {step:?}");
        assert_eq!(refused, model.refused, "who was refused after {step:?}");
        assert_eq!(bulkhead.queued() as usize, model.queue.len());
        assert_eq!(bulkhead.in_flight() as usize, model.running.len());
    }
    drop((calls, running));
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_its_model_does(
        limit in 1_u32..5,
        queue in 0_u32..5,
        lifo: bool,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(agree(limit, queue, lifo, steps));
    }
}
