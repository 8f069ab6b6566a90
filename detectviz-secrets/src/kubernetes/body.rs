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
    /// What has come after the last line that was given.
    rest: Wiped,
    /// Where in `rest` no end of a line was found.
    searched: usize,
    limit: usize,
    server: String,
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
            rest: Wiped::default(),
            searched: 0,
            limit,
            server: server.to_owned(),
        }
    }

    /// The next line without its end, or `None` at the end of the answer; half a line before the end is none.
    pub(super) async fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        loop {
            let new = &self.rest.0[self.searched..];
            if let Some(at) = new.iter().position(|byte| *byte == b'\n') {
                let end = self.searched + at;
                self.searched = 0;
                let mut line = self.rest.take(end + 1);
                line.truncate(end);
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return Ok(Some(line));
            }
            self.searched = self.rest.0.len();
            if self.searched > self.limit {
                return Err(Failure::TooLarge { limit: self.limit });
            }
            match next(&mut self.body, &self.server).await? {
                Some(bytes) => self.rest.push(&bytes),
                None => return Ok(None),
            }
        }
    }
}
