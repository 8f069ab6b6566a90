//! Reads answers into buffers that are wiped.
use super::error::Failure;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use zeroize::Zeroizing;

/// The smallest buffer; the answer for a Secret of one password fits.
const FIRST: usize = 4096;

/// Bytes that grow without leaving copies behind.
#[derive(Default)]
pub(super) struct Wiped(Zeroizing<Vec<u8>>);

/// The lines of an answer, as they come.
pub(super) struct Lines {
    body: Incoming,
    splitter: Splitter,
    limit: usize,
    server: String,
}

/// Cuts bytes that come in pieces into lines.
#[derive(Default)]
struct Splitter {
    /// What has come after the last line that was given.
    rest: Wiped,
    /// Where in `rest` no end of a line was found.
    searched: usize,
}

// === impl Wiped ===

impl Wiped {
    fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            self.reserve(needed.next_power_of_two().max(FIRST));
        }
        self.0.extend_from_slice(bytes);
    }

    /// Moves to a larger buffer and wipes the one before, which a `Vec` that grows by itself would not.
    fn reserve(&mut self, capacity: usize) {
        let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
        larger.extend_from_slice(&self.0);
        self.0 = larger;
    }

    fn take(&mut self, count: usize) -> Zeroizing<Vec<u8>> {
        let taken = Zeroizing::new(self.0[..count].to_vec());
        let left = self.0.len() - count;
        self.0.copy_within(count.., 0);
        // What stands behind the end is wiped with the buffer.
        self.0.truncate(left);
        taken
    }
}

/// Reads a whole answer of at most `limit` bytes.
pub(super) async fn whole(
    mut body: Incoming,
    limit: usize,
    server: &str,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut read = Wiped::default();
    let announced = body.size_hint().exact().unwrap_or(0);
    read.reserve(usize::try_from(announced).unwrap_or(0).clamp(FIRST, limit));
    while let Some(bytes) = next(&mut body, server).await? {
        if read.0.len() + bytes.len() > limit {
            return Err(Failure::TooLarge { limit });
        }
        read.push(&bytes);
    }
    Ok(read.0)
}

async fn next(body: &mut Incoming, server: &str) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
            Err(err) => return Err(Failure::transport(server, err, false)),
        }
    }
    Ok(None)
}

// === impl Lines ===

impl Lines {
    /// The lines of `body`, of at most `limit` bytes each.
    pub(super) fn new(body: Incoming, limit: usize, server: &str) -> Self {
        Self {
            body,
            splitter: Splitter::default(),
            limit,
            server: server.to_owned(),
        }
    }

    /// The next line without its end, or `None` at the end of the answer; half a line before the end is none.
    pub(super) async fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        loop {
            if let Some(line) = self.splitter.line() {
                return Ok(Some(line));
            }
            if self.splitter.searched > self.limit {
                return Err(Failure::TooLarge { limit: self.limit });
            }
            match next(&mut self.body, &self.server).await? {
                Some(bytes) => self.splitter.rest.push(&bytes),
                None => return Ok(None),
            }
        }
    }
}

// === impl Splitter ===

impl Splitter {
    /// The next whole line that is not empty, without its end.
    fn line(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        loop {
            let new = &self.rest.0[self.searched..];
            let Some(at) = new.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.rest.0.len();
                return None;
            };
            let end = self.searched + at;
            self.searched = 0;
            let mut line = self.rest.take(end + 1);
            line.truncate(end);
            if !line.trim_ascii().is_empty() {
                return Some(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_the_bytes_come() {
        let whole = b"{\"a\":1}\n\n \r\n{\"b\":2}\r\nhalf";
        for first in 0..whole.len() {
            for second in first..whole.len() {
                let mut splitter = Splitter::default();
                let mut lines = Vec::new();
                for piece in [&whole[..first], &whole[first..second], &whole[second..]] {
                    splitter.rest.push(piece);
                    while let Some(line) = splitter.line() {
                        lines.push(line.trim_ascii().to_vec());
                    }
                }
                let expected: [&[u8]; 2] = [b"{\"a\":1}", b"{\"b\":2}"];
                assert_eq!(lines, expected, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_buffer_that_grows_keeps_what_it_holds() {
        let mut buffer = Wiped::default();
        for byte in 0..=255 {
            buffer.push(&[byte; 100]);
        }
        assert_eq!(buffer.0.len(), 25_600);
        assert_eq!((buffer.0[99], buffer.0[100], buffer.0[25_599]), (0, 1, 255));
        assert_eq!(buffer.take(100).as_slice(), [0; 100]);
        assert_eq!((buffer.0.len(), buffer.0[0]), (25_500, 1));
    }
}
