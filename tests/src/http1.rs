//! An HTTP/1 client that says exactly what it is told, and reads one response at a time.
use crate::wait::BOUND;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What was read and not yet asked for.
    ahead: Vec<u8>,
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its chunks.
    pub body: Vec<u8>,
}

/// The most headers that a response of ours has.
const HEADERS: usize = 64;

// === impl Connection ===

impl Connection {
    /// Connects; nothing on it takes longer than [`BOUND`].
    ///
    /// # Errors
    /// As `connect`.
    pub fn open(addr: SocketAddr) -> io::Result<Self> {
        Self::open_within(addr, BOUND)
    }

    /// Connects within `bound`.
    ///
    /// # Errors
    /// As `connect`.
    pub fn open_within(addr: SocketAddr, bound: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, bound)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(BOUND))?;
        stream.set_write_timeout(Some(BOUND))?;
        let ahead = Vec::new();
        Ok(Self { stream, ahead })
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// As `write`: the other end may have closed.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// `GET` with a `Host` and nothing else.
    ///
    /// # Errors
    /// When there is no whole response.
    pub fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))?;
        self.reply()
    }

    /// `POST` of `body`, with more header lines, each ended by CRLF.
    ///
    /// # Errors
    /// When there is no whole response.
    pub fn post(&mut self, path: &str, more: &str, body: &str) -> io::Result<Reply> {
        let length = body.len();
        self.send(format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\n{more}Content-Length: {length}\r\n\r\n{body}"
        ))?;
        self.reply()
    }

    /// The next response, whole, interim ones included.
    ///
    /// # Errors
    /// `UnexpectedEof` when the connection ends before it does, `TimedOut` or `WouldBlock` after [`BOUND`].
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut reply = self.head()?;
        let interim = reply.status < 200 || matches!(reply.status, 204 | 304);
        if interim {
            return Ok(reply);
        }
        if reply.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = self.line()?;
                let size = usize::from_str_radix(size.trim_end(), 16).map_err(malformed)?;
                let chunk = self.exactly(size + 2)?;
                if size == 0 {
                    return Ok(reply);
                }
                reply.body.extend_from_slice(&chunk[..size]);
            }
        }
        match reply.header("content-length") {
            Some(length) => {
                let length = length.parse().map_err(malformed)?;
                reply.body = self.exactly(length)?;
            }
            None => reply.body = self.rest()?,
        }
        Ok(reply)
    }

    /// The next head, with an empty body.
    ///
    /// # Errors
    /// As [`reply`](Self::reply).
    pub fn head(&mut self) -> io::Result<Reply> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).unwrap_or_default();
        let status = status.trim_end().parse().map_err(malformed)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            assert!(headers.len() < HEADERS, "{headers:?}");
        }
        Ok(Reply {
            status,
            headers,
            body: Vec::new(),
        })
    }

    /// Everything until the other end closes.
    ///
    /// # Errors
    /// `WouldBlock` when it does not within [`BOUND`]. A reset counts as a close.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.more() {
                Ok(true) => {}
                Err(err) if err.kind() != io::ErrorKind::ConnectionReset => return Err(err),
                Ok(false) | Err(_) => return Ok(std::mem::take(&mut self.ahead)),
            }
        }
    }

    /// Whether the other end closes within `bound` without sending anything more.
    pub fn closes_within(&mut self, bound: Duration) -> bool {
        let start = Instant::now();
        let set = self.stream.set_read_timeout(Some(bound));
        let rest = self.rest();
        set.is_ok() && start.elapsed() <= bound && rest.is_ok_and(|rest| rest.is_empty())
    }

    /// Whether nothing comes and the connection stays open for as long as `bound`.
    pub fn is_silent_for(&mut self, bound: Duration) -> bool {
        let set = self.stream.set_read_timeout(Some(bound));
        let silent = self.ahead.is_empty() && self.more().is_err_and(|err| is_timeout(&err));
        set.is_ok() && self.stream.set_read_timeout(Some(BOUND)).is_ok() && silent
    }

    /// Exactly that many bytes.
    ///
    /// # Errors
    /// As [`reply`](Self::reply).
    pub fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < count {
            if !self.more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.ahead.split_off(count);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    /// One line, its end included.
    ///
    /// # Errors
    /// As [`reply`](Self::reply).
    pub fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line = self.exactly(end + 1)?;
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if !self.more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// A second handle on the socket, for another thread.
    ///
    /// # Panics
    /// When the process has too many files open.
    #[must_use]
    pub fn stream(&self) -> TcpStream {
        self.stream.try_clone().expect("a file descriptor")
    }

    /// Reads once; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        let mut part = [0; 8 * 1024];
        match self.stream.read(&mut part) {
            Ok(count) => {
                self.ahead.extend_from_slice(&part[..count]);
                Ok(count > 0)
            }
            Err(err) => Err(err),
        }
    }
}

// === impl Reply ===

impl Reply {
    /// The first header of that name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it says `Connection: close`.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|err| panic!("{err}: {}", self.text()))
    }

    /// Whether it is problem+json that says the same status.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        self.header("content-type") == Some("application/problem+json")
            && self.json()["status"] == self.status
    }
}

/// Whether nothing came in time.
#[must_use]
pub fn is_timeout(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn malformed(err: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, err)
}
