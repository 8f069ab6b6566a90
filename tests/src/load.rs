//! A load generator that leaves the machine to what is measured: one thread, keep-alive connections, one prepared request.
use rustix::event::{
    Timespec,
    epoll::{self, CreateFlags, Event, EventData, EventFlags},
};
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// How requests follow each other.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// So many per second, whatever comes back.
    Open(f64),
    /// Each connection sends its next as soon as it has its answer.
    Closed,
}

/// What is sent, and how.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The service.
    pub to: SocketAddr,
    /// The whole request, without a body.
    pub request: &'a [u8],
    /// How requests follow each other.
    pub pace: Pace,
    /// How many requests can be under way at once. What is due beyond them waits, and its time runs.
    pub connections: usize,
    /// How long requests are sent; answers are waited for.
    pub time: Duration,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Answers {
    /// How many requests were due.
    pub offered: u64,
    /// How many of them still waited for a connection when the time was over; they were not sent.
    pub unsent: u64,
    /// How long those took that were answered with 200, in order.
    pub accepted: Vec<Duration>,
    /// How long those took that were answered with 503, in order.
    pub refused: Vec<Duration>,
    /// How many were answered otherwise.
    pub other: u64,
    /// How many connections broke.
    pub broken: u64,
    /// From the first request to the time when no more were sent.
    pub took: Duration,
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    /// When its request was due, if it has one.
    due: Option<Instant>,
}

/// How often is looked at what is due.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000,
};

/// How long answers are waited for in the end.
const LAST: Duration = Duration::from_secs(10);

// === impl Load ===

impl Load<'_> {
    /// Sends the load.
    ///
    /// # Errors
    /// When no connection can be made, or epoll fails.
    pub fn run(&self) -> io::Result<Answers> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(self.connections);
        for at in 0..self.connections {
            let stream = TcpStream::connect(self.to)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            epoll::add(
                &poll,
                &stream,
                EventData::new_u64(at as u64),
                EventFlags::IN,
            )?;
            connections.push(Connection {
                stream,
                read: Vec::with_capacity(4096),
                due: None,
            });
        }
        let mut idle: Vec<usize> = (0..self.connections).collect();
        let mut waiting = VecDeque::new();
        let mut events: Vec<Event> = Vec::with_capacity(self.connections);
        let mut answers = Answers::default();
        let start = Instant::now();
        loop {
            let now = Instant::now();
            let since = now - start;
            if since < self.time {
                let due = match self.pace {
                    Pace::Open(rate) => (since.as_secs_f64() * rate) as u64 - answers.offered,
                    Pace::Closed => idle.len() as u64,
                };
                answers.offered += due;
                waiting.extend((0..due).map(|_| now));
                answers.took = since;
            } else if idle.len() + answers.broken as usize == self.connections && waiting.is_empty()
                || since > self.time + LAST
            {
                answers.accepted.sort_unstable();
                answers.refused.sort_unstable();
                return Ok(answers);
            }
            while !waiting.is_empty()
                && let Some(at) = idle.pop()
            {
                connections[at].due = waiting.pop_front();
                // A request of this size fits into an empty buffer; what fails shows when it is read.
                let _sent = connections[at].stream.write(self.request);
            }
            events.clear();
            epoll::wait(
                &poll,
                rustix::buffer::spare_capacity(&mut events),
                Some(&TICK),
            )?;
            let now = Instant::now();
            for event in &events {
                let at = event.data.u64() as usize;
                match connections[at].answered(now, &mut answers) {
                    Ok(true) => idle.push(at),
                    Ok(false) => {}
                    Err(_) => {
                        answers.broken += 1;
                        epoll::delete(&poll, &connections[at].stream)?;
                    }
                }
            }
        }
    }
}

// === impl Answers ===

impl Answers {
    /// Requests that were answered with 200, per second.
    #[must_use]
    pub fn goodput(&self) -> f64 {
        self.accepted.len() as f64 / self.took.as_secs_f64()
    }

    /// Requests that were due, per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.offered as f64 / self.took.as_secs_f64()
    }

    /// How many were answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        (self.accepted.len() + self.refused.len()) as u64 + self.other
    }
}

/// What 99 % of `times`, which are in order, do not exceed; 0 when there are none.
#[must_use]
pub fn p99(times: &[Duration]) -> Duration {
    let at = (times.len() * 99).div_ceil(100);
    times.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

// === impl Connection ===

impl Connection {
    /// Reads what is there; true when the answer is whole.
    fn answered(&mut self, now: Instant, answers: &mut Answers) -> io::Result<bool> {
        let mut part = [0; 4096];
        match self.stream.read(&mut part) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.read.extend_from_slice(&part[..count]),
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(err) => return Err(err),
        }
        if !is_whole(&self.read) {
            return Ok(false);
        }
        let took = now.saturating_duration_since(self.due.take().unwrap_or(now));
        match self.read.get(9..12) {
            Some(b"200") => answers.accepted.push(took),
            Some(b"503") => answers.refused.push(took),
            _ => answers.other += 1,
        }
        self.read.clear();
        Ok(true)
    }
}

/// Whether a head and a body of the length that it says are there.
fn is_whole(read: &[u8]) -> bool {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(end) = read.windows(4).position(|end| end == b"\r\n\r\n") else {
        return false;
    };
    let head = &read[..end];
    let length = head.windows(LENGTH.len()).position(|name| name == LENGTH);
    let digits = length.map_or(&b"0"[..], |at| &head[at + LENGTH.len()..]);
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, byte| 10 * length + usize::from(byte - b'0'));
    read.len() >= end + 4 + length
}
