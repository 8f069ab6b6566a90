//! Bytes that are appended to, with room kept behind them.
//!
//! What lies behind the end is initialised already, so that a piece of fixed size can be written over it and only a part of
//! that be kept: a copy of fixed size is a few instructions where one of variable size is a call.

/// Bytes that are appended to.
#[derive(Debug, Default)]
pub(in super::super) struct Buf {
    /// All of it can be written to; what counts are the first `len` bytes.
    bytes: Vec<u8>,
    len: usize,
}

/// The least that is made room for.
const LEAST: usize = 256;

// === impl Buf ===

impl Buf {
    pub(in super::super) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            len: 0,
        }
    }

    #[inline]
    pub(in super::super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(in super::super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// How much memory it takes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(in super::super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Forgets what lies behind the first `len` bytes.
    #[inline]
    pub(in super::super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Takes `range` out, which ends before the end.
    pub(in super::super) fn remove(&mut self, range: std::ops::Range<usize>) {
        let removed = range.len();
        self.bytes.copy_within(range.end..self.len, range.start);
        self.len -= removed;
    }

    /// What lies behind the end: at least `wanted` bytes.
    #[inline]
    pub(super) fn room(&mut self, wanted: usize) -> &mut [u8] {
        if self.bytes.len().wrapping_sub(self.len) < wanted {
            self.grow(wanted);
        }
        &mut self.bytes[self.len..]
    }

    /// Keeps the first `count` bytes of the [room](Self::room).
    #[inline]
    pub(super) fn keep(&mut self, count: usize) {
        debug_assert!(self.len + count <= self.bytes.len(), "there was room");
        self.len += count;
    }

    /// Lets `write` fill the next `N` bytes, and keeps as many of them as it says.
    #[inline]
    pub(super) fn fill<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        loop {
            let room = self.bytes.get_mut(self.len..);
            if let Some(room) = room.and_then(|room| room.first_chunk_mut()) {
                self.len += write(room).min(N);
                return;
            }
            self.grow(N);
        }
    }

    #[inline]
    pub(in super::super) fn push(&mut self, byte: u8) {
        self.put_some(&[byte], 1);
    }

    #[inline]
    pub(in super::super) fn put(&mut self, bytes: &[u8]) {
        loop {
            let room = self.bytes.get_mut(self.len..);
            if let Some(room) = room.and_then(|room| room.get_mut(..bytes.len())) {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
                return;
            }
            self.grow(bytes.len());
        }
    }

    /// Appends the first `count` bytes of `block`, of which all is copied.
    #[inline]
    pub(super) fn put_some<const N: usize>(&mut self, block: &[u8; N], count: usize) {
        self.fill(|room| {
            *room = *block;
            count
        });
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, wanted: usize) {
        let needed = self.len + wanted;
        self.bytes
            .resize(needed.max(2 * self.bytes.len()).max(LEAST), 0);
    }
}

impl std::io::Write for Buf {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_kept_counts() {
        let mut buf = Buf::new();
        buf.put(b"hello");
        buf.put_some(b", world!", 2);
        buf.push(b'w');
        buf.room(10_000)[..2].copy_from_slice(b"xy");
        buf.keep(1);
        assert_eq!(buf.as_slice(), b"hello, wx");
        buf.remove(1..6);
        assert_eq!(buf.as_slice(), b"h wx");
        buf.truncate(1);
        buf.truncate(9);
        assert_eq!((buf.as_slice(), buf.len()), (b"h".as_slice(), 1));
        buf.clear();
        assert!(buf.as_slice().is_empty() && buf.capacity() >= 10_000);
    }
}
