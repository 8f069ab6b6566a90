//! The queue that finished spans wait in: nothing is lost, doubled or torn, and nobody meets a turn that is taken.
use crate::queue::Queue;
use loom::{sync::Arc, thread};

/// Written in two steps, so that a half-written one can be told.
#[derive(Default)]
struct Pair(usize, usize);

fn push(queue: &Queue<Pair>, n: usize) -> bool {
    let pushed = queue.push_with(|pair| {
        assert_eq!((pair.0, pair.1), (0, 0), "left empty");
        pair.0 = n;
        pair.1 = n;
    });
    pushed.is_some()
}

fn pop(queue: &Queue<Pair>) -> Option<usize> {
    queue.pop_with(|pair| {
        let pair = std::mem::take(pair);
        assert_eq!(pair.0, pair.1, "written whole");
        pair.0
    })
}

fn drain(queue: &Queue<Pair>) -> Vec<usize> {
    std::iter::from_fn(|| pop(queue)).collect()
}

#[test]
fn two_producers_and_a_consumer_account_for_every_value() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(2, Pair::default));
        let producer = |n| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, n))
        };
        let producers = [producer(1), producer(2)];
        let mut seen: Vec<usize> = pop(&queue).into_iter().collect();
        for producer in producers {
            assert!(producer.join().unwrap(), "there is room for both");
        }
        seen.extend(drain(&queue));
        seen.sort_unstable();
        assert_eq!((seen, queue.accepted(), queue.len()), (vec![1, 2], 2, 0));
    });
}

#[test]
fn a_full_queue_refuses_and_a_slot_is_used_again() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(2, Pair::default));
        assert!(push(&queue, 1) && push(&queue, 2));
        let producer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, 3))
        };
        assert_eq!(pop(&queue), Some(1));
        let accepted = producer.join().unwrap();
        let rest = if accepted { vec![2, 3] } else { vec![2] };
        assert_eq!(drain(&queue), rest);
    });
}

#[test]
fn two_consumers_share_without_doubles() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(2, Pair::default));
        assert!(push(&queue, 1) && push(&queue, 2));
        let consumer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || pop(&queue))
        };
        let mut seen: Vec<usize> = pop(&queue).into_iter().collect();
        seen.extend(consumer.join().unwrap());
        seen.extend(drain(&queue));
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
    });
}
