//! A pooled copy of a request's headers, or of anything that is pairs of bytes.
use crate::{short, spare::Spare};
use std::{fmt, mem};

/// The most buffers that a thread keeps.
const KEPT: usize = 64;

/// The largest buffer that is kept, in bytes.
const LARGEST: usize = 16 * 1024;

/// The least that is made room for, in bytes.
const LEAST: usize = 512;

thread_local! {
    static POOL: Spare<Vec<u8>> = const { Spare::new(KEPT) };
}

/// Pairs of names and values, copied one after the other into a buffer that the thread keeps for the next request.
///
/// Copying a few hundred bytes is cheaper than cloning a map, its table and a reference per value, and on a warm thread it
/// allocates nothing. Only a retry makes a map of it again.
///
/// ```
/// use detectviz_core::resilience::retry::Snapshot;
///
/// let mut snapshot = Snapshot::new();
/// snapshot.push(b"accept", b"*/*", false);
/// snapshot.push(b"authorization", b"Bearer x", true);
/// let sensitive: Vec<_> = snapshot.iter().filter(|(_, _, marked)| *marked).map(|(name, ..)| name).collect();
/// assert_eq!(sensitive, [b"authorization"]);
/// ```
///
/// Values are wiped from no memory: what is marked is only told again. `Debug` shows none of them.
#[derive(Default)]
pub struct Snapshot {
    /// All of it can be written to; what counts are the first `len` bytes.
    buffer: Vec<u8>,
    len: usize,
}

/// What stands before a pair: the length of the name, then that of the value doubled, plus one if it is marked.
const HEAD: usize = 8;

// === impl Snapshot ===

impl Snapshot {
    /// An empty one, from the thread's pool.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        let buffer = Spare::take(&POOL).unwrap_or_default();
        Self { buffer, len: 0 }
    }

    /// Adds a pair. `marked` is for the reader: that a header is sensitive, say.
    ///
    /// # Panics
    /// When the name has 4 GiB or the value 2 GiB.
    #[inline]
    pub fn push(&mut self, name: &[u8], value: &[u8], marked: bool) {
        let too_long = name.len() > u32::MAX as usize || value.len() > (u32::MAX >> 1) as usize;
        assert!(!too_long, "a name or a value of gigabytes");
        let name_len = name.len() as u32;
        let value_len = (value.len() as u32) << 1 | u32::from(marked);
        let head = u64::from(value_len) << 32 | u64::from(name_len);
        let end = self.len + HEAD + name.len() + value.len();
        if end > self.buffer.len() {
            self.grow(end);
        }
        if let Some(room) = self.buffer.get_mut(self.len..end)
            && let Some((room_of_head, room)) = room.split_first_chunk_mut::<HEAD>()
            && let Some((room_of_name, room_of_value)) = room.split_at_mut_checked(name.len())
        {
            *room_of_head = head.to_le_bytes();
            short::copy(room_of_name, name);
            short::copy(room_of_value, value);
            self.len = end;
        }
    }

    /// The pairs in their order: name, value, and whether it is marked.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], bool)> {
        let mut rest = &self.buffer[..self.len];
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<HEAD>()?;
            let head = u64::from_le_bytes(*head);
            let (name_len, value_len) = (head as u32 as usize, (head >> 33) as usize);
            let (name, after) = after.split_at_checked(name_len)?;
            let (value, after) = after.split_at_checked(value_len)?;
            rest = after;
            Some((name, value, head >> 32 & 1 == 1))
        })
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, end: usize) {
        self.buffer
            .resize(end.max(2 * self.buffer.len()).max(LEAST), 0);
    }
}

impl Drop for Snapshot {
    #[inline]
    fn drop(&mut self) {
        let buffer = mem::take(&mut self.buffer);
        if buffer.capacity() == 0 || buffer.capacity() > LARGEST {
            return;
        }
        Spare::give(&POOL, buffer);
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.iter().count();
        f.debug_struct("Snapshot").field("pairs", &pairs).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pair = (Vec<u8>, Vec<u8>, bool);

    proptest! {
        #[test]
        fn what_was_pushed_is_there_in_its_order(pairs in any::<Vec<Pair>>()) {
            let mut snapshot = Snapshot::new();
            for (name, value, marked) in &pairs {
                snapshot.push(name, value, *marked);
            }
            let read = snapshot.iter().map(|(n, v, marked)| (n.to_vec(), v.to_vec(), marked));
            prop_assert_eq!(read.collect::<Vec<Pair>>(), pairs);
        }
    }

    #[test]
    fn a_buffer_is_used_again_and_shows_nothing_of_before() {
        let mut first = Snapshot::new();
        first.push(b"authorization", b"Bearer secret", true);
        assert!(!format!("{first:?}").contains("secret"));
        let place = first.buffer.as_ptr();
        drop(first);
        let second = Snapshot::new();
        assert_eq!(second.buffer.as_ptr(), place);
        assert_eq!(second.iter().count(), 0);
    }

    #[test]
    fn a_thread_keeps_no_large_buffer() {
        for (value, kept) in [(1, true), (LARGEST, false)] {
            let mut snapshot = Snapshot::new();
            snapshot.push(b"n", &vec![0; value], false);
            drop(snapshot);
            assert_eq!(Spare::take(&POOL).is_some(), kept, "{value} bytes");
        }
    }
}
