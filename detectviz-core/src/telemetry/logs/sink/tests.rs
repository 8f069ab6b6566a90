use super::*;
use crate::{
    task::{CancellationToken, Tasks},
    telemetry::logs::{output::LineFormat, rendered::Rendered},
};
use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};
use tracing::Level;

const SOON: Duration = Duration::from_secs(30);
const LEVELS: [Level; 5] = [
    Level::ERROR,
    Level::WARN,
    Level::INFO,
    Level::DEBUG,
    Level::TRACE,
];

/// An output that does what it is told.
#[derive(Clone, Default)]
struct Script(Arc<(Mutex<Plan>, Condvar)>);

#[derive(Default)]
struct Plan {
    blocked: bool,
    waiting: bool,
    answers: VecDeque<Answer>,
    text: Vec<u8>,
    writes: usize,
}

enum Answer {
    Take(usize),
    Fail(io::ErrorKind),
    Panic,
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (plan, changed) = &*self.0;
        let mut plan = plan
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        plan.waiting = true;
        changed.notify_all();
        let mut plan = changed
            .wait_while(plan, |plan| plan.blocked)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        plan.writes += 1;
        let taken = match plan.answers.pop_front() {
            None => bytes.len(),
            Some(Answer::Take(most)) => bytes.len().min(most),
            Some(Answer::Fail(kind)) => return Err(kind.into()),
            Some(Answer::Panic) => {
                drop(plan);
                panic!("on purpose");
            }
        };
        plan.text.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Script {
    fn block(&self, blocked: bool) {
        self.0.0.lock().unwrap().blocked = blocked;
        self.0.1.notify_all();
    }

    fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.0.0.lock().unwrap().answers.extend(answers);
    }

    /// Waits until the writer is inside of a write.
    fn entered(&self) {
        let plan = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(plan, |plan| !plan.waiting).unwrap());
    }

    fn lines(&self) -> Vec<String> {
        let plan = self
            .0
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        String::from_utf8(plan.text.clone())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn writes(&self) -> usize {
        self.0.0.lock().unwrap().writes
    }
}

fn start(limit: usize) -> (Arc<Sink>, Script, Tasks) {
    let (sink, script, tasks) = (Arc::new(Sink::new(limit)), Script::default(), Tasks::new());
    let notice = Notice {
        format: LineFormat::Json,
        service: Rendered::new(b""),
    };
    let writer = Writer::new(sink.clone(), Box::new(script.clone()), notice);
    let token = tasks.token();
    tasks
        .spawn_thread("writer", move || writer.run(&token))
        .unwrap();
    (sink, script, tasks)
}

fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = std::sync::mpsc::channel();
    let tasks = Tasks::new();
    tasks
        .spawn_thread("test", move || send.send(work()).unwrap())
        .unwrap();
    let result = receive.recv().unwrap();
    // The thread's locals are gone a moment after its work is.
    while !tasks.is_empty() {
        std::thread::yield_now();
    }
    result
}

fn total(count: impl Fn(Level) -> u64) -> u64 {
    LEVELS.into_iter().map(count).sum()
}

#[test]
fn every_line_of_every_thread_is_written_in_the_thread_s_order() {
    let (sink, script, tasks) = start(8 << 20);
    for thread in 0..4 {
        let sink = sink.clone();
        let work = move || {
            (0..2000).for_each(|n| sink.push(Level::INFO, format!("{thread} {n}\n").as_bytes()))
        };
        tasks.spawn_thread("maker", work).unwrap();
    }
    while tasks.len() > 1 {
        std::thread::yield_now();
    }
    assert!(sink.flush(SOON));
    let lines = script.lines();
    assert_eq!(lines.len(), 8000);
    for thread in 0..4 {
        let own = lines
            .iter()
            .filter_map(|line| line.strip_prefix(&format!("{thread} ")));
        assert!(own.eq((0..2000).map(|n| n.to_string())));
    }
    assert_eq!(sink.counts().written(Level::INFO), 8000);
    assert!(script.writes() < 2000, "{} writes", script.writes());
    assert_eq!(sink.budget.taken(), 0);
}

#[test]
fn a_line_is_written_without_a_flush() {
    let (sink, script, _tasks) = start(1 << 20);
    for (level, count) in [(Level::INFO, 1), (Level::ERROR, 2), (Level::TRACE, 3)] {
        sink.push(level, b"line\n");
        while script.lines().len() < count {
            std::thread::yield_now();
        }
    }
}

#[test]
fn what_a_blocked_output_does_not_take_is_bounded_dropped_counted_and_told() {
    const LIMIT: usize = 256 << 10;
    let (sink, script, _tasks) = start(LIMIT);
    script.block(true);
    sink.push(Level::INFO, b"first\n");
    script.entered();
    assert!(!sink.flush(Duration::from_millis(10)));
    let line = format!("{}\n", "x".repeat(999));
    let mut made = [0_u64; 5];
    for n in 0..5000 {
        let level = LEVELS[n * n % 5];
        sink.push(level, line.as_bytes());
        made[n * n % 5] += 1;
        assert!(sink.budget.taken() <= LIMIT);
    }
    assert!(total(|level| sink.counts().dropped(level)) > 4000);
    script.block(false);
    assert!(sink.flush(SOON));
    made[2] += 1;
    let counts = sink.counts();
    let lines = script.lines();
    let notices = lines
        .iter()
        .filter(|line| line.contains("were dropped"))
        .collect::<Vec<_>>();
    assert_eq!(notices.len(), 1);
    for (at, level) in LEVELS.into_iter().enumerate() {
        let extra = u64::from(level == Level::WARN);
        assert_eq!(
            counts.written(level) + counts.dropped(level),
            made[at] + extra,
            "{level}"
        );
    }
    assert_eq!(
        u64::try_from(lines.len()).unwrap(),
        total(|level| counts.written(level))
    );
    let notice: serde_json::Value = serde_json::from_str(notices[0]).unwrap();
    assert_eq!(notice["level"], "WARN");
    assert_eq!(notice["dropped"], total(|level| counts.dropped(level)));
    assert_eq!(notice["info"], counts.dropped(Level::INFO));
    sink.push(Level::INFO, b"again\n");
    assert!(sink.flush(SOON));
    assert_eq!(script.lines().len(), lines.len() + 1);
}

#[test]
fn a_failing_output_is_counted_line_by_line_and_tears_only_one_line() {
    let (sink, script, _tasks) = start(1 << 20);
    script.block(true);
    sink.push(Level::INFO, b"first\n");
    script.entered();
    let lines: [(Level, &[u8]); 4] = [
        (Level::INFO, b"second\n"),
        (Level::DEBUG, b"third\n"),
        (Level::ERROR, b"fourth\n"),
        (Level::INFO, b"fifth\n"),
    ];
    lines
        .into_iter()
        .for_each(|(level, line)| sink.push(level, line));
    script.answer([
        Answer::Take(100),
        Answer::Take(7 + 6 + 3),
        Answer::Fail(io::ErrorKind::Interrupted),
        Answer::Fail(io::ErrorKind::BrokenPipe),
    ]);
    script.block(false);
    assert!(sink.flush(SOON));
    let counts = sink.counts();
    assert_eq!(counts.write_errors(), 1);
    assert_eq!(
        (counts.written(Level::INFO), counts.dropped(Level::INFO)),
        (2, 1)
    );
    assert_eq!(
        (counts.written(Level::DEBUG), counts.dropped(Level::DEBUG)),
        (1, 0)
    );
    assert_eq!(
        (counts.written(Level::ERROR), counts.dropped(Level::ERROR)),
        (0, 1)
    );
    sink.push(Level::INFO, b"sixth\n");
    assert!(sink.flush(SOON));
    let lines = script.lines();
    assert_eq!(lines[..5], ["first", "second", "third", "fou", "sixth"]);
    assert!(lines[5].contains("\"dropped\":2"), "{}", lines[5]);
}

#[test]
fn an_output_that_would_block_or_panics_does_not_end_the_writer() {
    let (sink, script, _tasks) = start(1 << 20);
    script.answer([
        Answer::Fail(io::ErrorKind::WouldBlock),
        Answer::Take(3),
        Answer::Fail(io::ErrorKind::WouldBlock),
    ]);
    sink.push(Level::INFO, b"patient\n");
    assert!(sink.flush(SOON));
    assert_eq!(
        (script.lines(), sink.counts().write_errors()),
        (vec!["patient".to_owned()], 0)
    );
    script.answer([Answer::Panic]);
    sink.push(Level::INFO, b"lost\n");
    assert!(sink.flush(SOON));
    assert_eq!(
        (
            sink.counts().dropped(Level::INFO),
            sink.counts().write_errors()
        ),
        (1, 1)
    );
    sink.push(Level::INFO, b"alive\n");
    assert!(sink.flush(SOON));
    assert_eq!(script.lines()[1], "alive");
}

#[test]
fn a_thread_that_ends_leaves_its_lines_and_no_shard() {
    let (sink, script, _tasks) = start(1 << 20);
    script.block(true);
    sink.push(Level::INFO, b"own\n");
    script.entered();
    for _ in 0..10 {
        let sink = sink.clone();
        in_thread(move || sink.push(Level::INFO, b"other\n"));
    }
    script.block(false);
    assert!(sink.flush(SOON));
    assert_eq!(script.lines().len(), 11);
    while sink.shards() > 1 {
        std::thread::yield_now();
        sink.flush(SOON);
    }
    let quiet = sink.clone();
    in_thread(move || {
        quiet.push(Level::INFO, b"written before the end\n");
        quiet.flush(SOON)
    });
    while sink.shards() > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn one_thread_serves_two_sinks() {
    let (one, first, _tasks1) = start(1 << 20);
    let (two, second, _tasks2) = start(1 << 20);
    for n in 0..100 {
        one.push(Level::INFO, format!("one {n}\n").as_bytes());
        two.push(Level::INFO, format!("two {n}\n").as_bytes());
    }
    assert!(one.flush(SOON) && two.flush(SOON));
    assert!(first.lines().iter().all(|line| line.starts_with("one")));
    assert!(second.lines().iter().all(|line| line.starts_with("two")));
    assert_eq!((first.lines().len(), second.lines().len()), (100, 100));
}

#[tokio::test]
async fn the_end_writes_what_waits_and_counts_what_comes_later() {
    for by_token in [true, false] {
        let (sink, script, tasks) = start(1 << 20);
        sink.push(Level::INFO, b"before\n");
        match by_token {
            true => tasks.cancel(),
            false => sink.close(),
        }
        tasks.join(SOON).await.unwrap();
        assert_eq!(script.lines(), ["before"]);
        sink.push(Level::WARN, b"after\n");
        assert!(sink.flush(SOON));
        assert_eq!(
            (script.lines().len(), sink.counts().dropped(Level::WARN)),
            (1, 1)
        );
    }
}

#[test]
fn a_writer_of_a_cancelled_set_still_writes_what_is_there() {
    let (sink, script) = (Arc::new(Sink::new(1 << 20)), Script::default());
    sink.push(Level::INFO, b"early\n");
    let notice = Notice {
        format: LineFormat::Text,
        service: Rendered::new(b""),
    };
    let token = CancellationToken::new();
    token.cancel();
    Writer::new(sink, Box::new(script.clone()), notice).run(&token);
    assert_eq!(script.lines(), ["early"]);
}
