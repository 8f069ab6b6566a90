//! Small values without an allocation each.
use bytes::{Bytes, BytesMut};
use std::cell::RefCell;

/// How much a thread asks for at once. A piece that lives long keeps its whole chunk, so this is small.
const CHUNK: usize = 4096;
/// How many chunks a thread keeps; with about 80 requests in each, more of them in flight allocate.
const CHUNKS: usize = 16;
/// Longer values get an allocation of their own.
const MOST: usize = 512;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

struct Pool {
    chunks: [Option<BytesMut>; CHUNKS],
    at: usize,
}

/// A copy of `value`, cut from a buffer of the thread when it is at most 512 bytes.
///
/// A chunk is used again as soon as no piece of it is held, so that a few that are held for long cost no more than their own.
pub(crate) fn keep(value: &[u8]) -> Bytes {
    if value.is_empty() {
        return Bytes::new();
    }
    if value.len() > MOST {
        return Bytes::copy_from_slice(value);
    }
    POOL.with(|pool| match pool.try_borrow_mut() {
        Ok(mut pool) => {
            let chunk = pool.chunk(value.len());
            chunk.extend_from_slice(value);
            chunk.split().freeze()
        }
        Err(_) => Bytes::copy_from_slice(value),
    })
}

impl Pool {
    const fn new() -> Self {
        Self {
            chunks: [const { None }; CHUNKS],
            at: 0,
        }
    }

    /// A chunk with room for `length` bytes: the one in use, else the next that is free, else a new one in place of the oldest.
    fn chunk(&mut self, length: usize) -> &mut BytesMut {
        let has_room = |chunk: &Option<BytesMut>| {
            chunk
                .as_ref()
                .is_some_and(|chunk| chunk.capacity() >= length)
        };
        if !has_room(&self.chunks[self.at]) {
            let others = (1..=CHUNKS).map(|step| (self.at + step) % CHUNKS);
            let oldest = (self.at + 1) % CHUNKS;
            let chunks = &mut self.chunks;
            let free = others.into_iter().find(|at| {
                let chunk = chunks[*at].as_mut();
                chunk.is_some_and(|chunk| chunk.try_reclaim(CHUNK))
            });
            self.at = free.unwrap_or(oldest);
            if free.is_none() {
                self.chunks[oldest] = None;
            }
        }
        self.chunks[self.at].get_or_insert_with(|| BytesMut::with_capacity(CHUNK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_flight_do_not_keep_chunks_from_being_used_again() {
        let value = [b'v'; 100];
        let mut places = std::collections::BTreeSet::new();
        let mut held = std::collections::VecDeque::new();
        for _ in 0..10_000 {
            let kept = keep(&value);
            assert_eq!(kept, &value[..]);
            places.insert(kept.as_ptr() as usize);
            held.push_back(kept);
            if held.len() > 200 {
                held.pop_front();
            }
        }
        let most = CHUNKS * CHUNK / value.len();
        assert!(places.len() <= most, "{} places", places.len());
    }

    #[test]
    fn one_that_is_held_for_long_costs_its_chunk_and_no_other() {
        let held: Vec<_> = (0..2 * CHUNKS).map(|_| keep(&[b'h'; MOST])).collect();
        for _ in 0..1000 {
            assert_eq!(keep(b"short"), "short");
        }
        assert!(held.iter().all(|kept| *kept == [b'h'; MOST][..]));
    }
}
