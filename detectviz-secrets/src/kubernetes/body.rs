//! Reads answers into buffers that are wiped.
use super::error::Failure;
use crate::wiped::Wiped;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use zeroize::Zeroizing;

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

/// Reads a whole answer of at most `limit` bytes.
pub(super) async fn whole(
    mut body: Incoming,
    limit: usize,
    server: &str,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let announced = body.size_hint().exact().unwrap_or(0);
    let announced = usize::try_from(announced).unwrap_or(0);
    let mut read = Wiped::with_capacity(announced.min(limit));
    while let Some(bytes) = next(&mut body, server).await? {
        if read.len() + bytes.len() > limit {
            return Err(Failure::TooLarge { limit });
        }
        read.push(&bytes);
    }
    Ok(read.into_inner())
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
            let new = &self.rest.as_slice()[self.searched..];
            let Some(at) = new.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.rest.len();
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
}
