//! The thread that writes.
use super::{buffer::Buffer, handoff::Sink, shard::Shard};
use crate::{
    task::CancellationToken,
    telemetry::logs::{
        caller::Caller,
        line::{Line, encode},
        name::Name,
        output::LineFormat,
        rendered::Rendered,
        value::Value,
    },
};
use std::{
    fmt,
    future::Future,
    io::{self, ErrorKind, Write},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};
use tracing::Level;

/// Writes what waits in a sink, until it is told to end.
pub(in super::super) struct Writer {
    sink: Arc<Sink>,
    output: Box<dyn Write + Send>,
    notice: Notice,
    spare: Buffer,
    shards: Vec<Arc<Shard>>,
    /// How many dropped lines were told of.
    told: u64,
    /// Whether the last write ended within a line.
    torn: bool,
    /// When the writer was told to end.
    ending: Option<Instant>,
}

/// What the writer's own lines look like.
#[derive(Clone, Debug)]
pub(in super::super) struct Notice {
    pub(in super::super) format: LineFormat,
    pub(in super::super) service: Rendered,
}

/// What came of one look into the buffers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Nothing,
    Written,
    Failed,
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

/// Says that nobody writes any more, however the thread ends.
struct Ended<'a>(&'a Sink);

/// How long a line may wait while others flow; twice that is the promise.
const TICK: Duration = Duration::from_millis(50);

/// How far apart urgent rounds are.
const URGENT: Duration = Duration::from_millis(1);

/// How long to leave an output alone that would block.
const RETRY: Duration = Duration::from_millis(10);

/// How long an output that would block may hold up the end.
const LAST_RETRY: Duration = Duration::from_secs(1);

const LEVELS: [(Level, &str); 5] = [
    (Level::ERROR, "error"),
    (Level::WARN, "warn"),
    (Level::INFO, "info"),
    (Level::DEBUG, "debug"),
    (Level::TRACE, "trace"),
];

// === impl Writer ===

impl Writer {
    pub(in super::super) fn new(
        sink: Arc<Sink>,
        output: Box<dyn Write + Send>,
        notice: Notice,
    ) -> Self {
        Self {
            sink,
            output,
            notice,
            spare: Buffer::default(),
            shards: Vec::new(),
            told: 0,
            torn: false,
            ending: None,
        }
    }

    /// Writes until `token` is cancelled or the sink is closed, and then what is left.
    pub(in super::super) fn run(mut self, token: &CancellationToken) {
        let sink = self.sink.clone();
        let _ended = Ended(&sink);
        let _ = sink.writer.set(thread::current());
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut cancelled = pin!(token.cancelled());
        let mut end = cancelled
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        loop {
            let asked = sink.flush.asked();
            end = end || token.is_cancelled() || sink.closing.load(Ordering::SeqCst);
            if end {
                self.ending = Some(Instant::now());
                sink.closed.store(true, Ordering::SeqCst);
            }
            let urgent = sink.urgent.swap(false, Ordering::SeqCst);
            let round = self.round();
            sink.flush.done(asked);
            if end {
                return;
            }
            if round != Round::Nothing {
                thread::sleep(if urgent { URGENT } else { Duration::ZERO });
                thread::park_timeout(TICK);
                continue;
            }
            sink.awake.store(false, Ordering::SeqCst);
            let idle = !sink.has_lines()
                && !sink.flush.is_waited_for()
                && !sink.closing.load(Ordering::SeqCst)
                && !token.is_cancelled();
            if idle {
                thread::park();
            }
            sink.awake.store(true, Ordering::SeqCst);
        }
    }

    /// Takes every buffer once and writes it.
    fn round(&mut self) -> Round {
        let mut round = Round::Nothing;
        let mut shards = mem::take(&mut self.shards);
        self.sink.collect(&mut shards);
        let mut ended = false;
        for shard in shards.drain(..) {
            ended |= shard.has_ended();
            {
                let mut buffer = shard.lock();
                if buffer.is_empty() {
                    buffer.trim();
                    continue;
                }
                mem::swap(&mut *buffer, &mut self.spare);
            }
            let failed = !self.write_spare();
            self.spare.clear(&self.sink.budget);
            round = if failed || round == Round::Failed {
                Round::Failed
            } else {
                Round::Written
            };
        }
        self.shards = shards;
        if round == Round::Nothing {
            self.spare.trim();
        }
        if ended {
            self.sink.tidy();
        }
        if round == Round::Written {
            self.tell_of_drops();
            if self.output.flush().is_err() {
                self.sink.counts.add_write_error();
            }
        }
        round
    }

    /// Writes the buffer and counts its lines.
    fn write_spare(&mut self) -> bool {
        let spare = mem::take(&mut self.spare);
        let text = spare.text.as_slice();
        let done = self.write(text);
        let whole = match done == text.len() {
            true => spare.levels.len(),
            false => text[..done].iter().filter(|b| **b == b'\n').count(),
        };
        for level in &spare.levels[..whole] {
            self.sink.counts.add_written(*level);
        }
        for level in &spare.levels[whole..] {
            self.sink.counts.add_dropped(*level);
        }
        let complete = whole == spare.levels.len();
        self.spare = spare;
        complete
    }

    /// Writes as much as the output takes, and returns how much that is.
    fn write(&mut self, bytes: &[u8]) -> usize {
        if self.torn && self.write_some(b"\n") == 1 {
            self.torn = false;
        }
        if self.torn {
            return 0;
        }
        let done = self.write_some(bytes);
        self.torn = done > 0 && bytes[done - 1] != b'\n';
        done
    }

    fn write_some(&mut self, bytes: &[u8]) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            let output = &mut self.output;
            let result = catch_unwind(AssertUnwindSafe(|| output.write(&bytes[done..])));
            match result.unwrap_or_else(|_| Err(io::Error::other("the output panicked"))) {
                Ok(0) => {
                    self.sink.counts.add_write_error();
                    return done;
                }
                Ok(more) => done = bytes.len().min(done + more),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock && self.may_wait() => {
                    thread::sleep(RETRY)
                }
                Err(_) => {
                    self.sink.counts.add_write_error();
                    return done;
                }
            }
        }
        done
    }

    fn may_wait(&self) -> bool {
        self.ending.is_none_or(|since| since.elapsed() < LAST_RETRY)
    }

    /// After lines were dropped and there is room again: says how many.
    fn tell_of_drops(&mut self) {
        let dropped = LEVELS.map(|(level, name)| (name, self.sink.counts.dropped(level)));
        let total = dropped.iter().map(|(_, count)| count).sum::<u64>();
        if total == self.told {
            return;
        }
        let new = total - self.told;
        let Notice { format, service } = self.notice.clone();
        let notice = |line: &mut Line| {
            line.begin(Instant::now());
            line.origin(Level::WARN, module_path!(), Caller::here());
            line.message(Value::Str(
                "log lines were dropped: the output did not take them in time; totals by level follow",
            ));
            line.ids(None, &service);
            line.field(Name::known("dropped"), Value::U64(new));
            for (name, count) in dropped {
                line.field(Name::known(name), Value::U64(count));
            }
        };
        let written = encode(format, notice, |line| self.write(line) == line.len());
        if written {
            self.sink.counts.add_written(Level::WARN);
            self.told = total;
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("sink", &self.sink)
            .finish_non_exhaustive()
    }
}

// === impl Unpark ===

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

// === impl Ended ===

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.flush.done(u64::MAX);
    }
}
