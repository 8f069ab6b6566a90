//! Endpoints by position, in pieces that successive snapshots share.
use std::{iter, sync::Arc};

/// How many entries stand together; what a change copies.
const CHUNK: usize = 256;

/// What is changed off the request path. The order is of no meaning: the last takes the place of one that leaves.
#[derive(Debug)]
pub(super) struct Table<S> {
    chunks: Vec<Chunk<S>>,
    len: usize,
}

#[derive(Debug)]
struct Chunk<S> {
    entries: Vec<S>,
    /// As it was published last; `None` once it has changed.
    published: Option<Arc<[S]>>,
}

/// What the request path reads.
#[derive(Debug)]
pub(super) struct Seats<S> {
    /// The first chunk; most services need no other.
    first: Arc<[S]>,
    /// All chunks, where there are several.
    all: Box<[Arc<[S]>]>,
    len: usize,
}

// === impl Table ===

impl<S: Clone> Table<S> {
    pub(super) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &S> {
        self.chunks.iter().flat_map(|chunk| &chunk.entries)
    }

    /// Adds an entry and returns its position.
    pub(super) fn push(&mut self, entry: S) -> usize {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Chunk {
                entries: Vec::new(),
                published: None,
            });
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.entries.push(entry);
            chunk.published = None;
        }
        self.len += 1;
        self.len - 1
    }

    /// Takes an entry out, and returns the one that stands at `at` from now on.
    pub(super) fn swap_remove(&mut self, at: usize) -> Option<&S> {
        let chunk = self.chunks.last_mut()?;
        let last = chunk.entries.pop()?;
        chunk.published = None;
        if chunk.entries.is_empty() {
            self.chunks.pop();
        }
        self.len -= 1;
        if at == self.len {
            return None;
        }
        let chunk = &mut self.chunks[at / CHUNK];
        chunk.published = None;
        let entry = &mut chunk.entries[at % CHUNK];
        *entry = last;
        Some(entry)
    }

    /// The entries as they are now. What has not changed since the last time is not copied.
    pub(super) fn publish(&mut self) -> Seats<S> {
        let chunks = self.chunks.iter_mut().map(|chunk| {
            let published = &mut chunk.published;
            let copy = || Arc::from(chunk.entries.as_slice());
            Arc::clone(published.get_or_insert_with(copy))
        });
        let all: Vec<Arc<[S]>> = chunks.collect();
        Seats {
            first: all
                .first()
                .map_or_else(|| iter::empty().collect(), Arc::clone),
            all: if all.len() > 1 {
                all.into()
            } else {
                Box::default()
            },
            len: self.len,
        }
    }
}

// === impl Seats ===

impl<S> Seats<S> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The entry at `at`, which must be less than the length.
    #[inline]
    pub(super) fn at(&self, at: usize) -> &S {
        // Not whether `at` is in the first chunk: where there are several, nobody could foresee that.
        if self.all.is_empty() {
            &self.first[at]
        } else {
            &self.all[at / CHUNK][at % CHUNK]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_change_copies_what_stands_beside_it_and_no_more() {
        let mut table = Table::new();
        for n in 0..100_000 {
            table.push(n);
        }
        let before = table.publish();
        let changes: [fn(&mut Table<usize>); 2] = [
            |table| {
                table.push(1);
            },
            |table| {
                table.swap_remove(5_000);
            },
        ];
        for change in changes {
            change(&mut table);
            let after = table.publish();
            let pairs = before.all.iter().zip(&after.all);
            let copied = pairs.filter(|(a, b)| !Arc::ptr_eq(a, b)).count();
            assert!(copied <= 2, "{copied} of {}", before.all.len());
        }
    }

    proptest! {
        #[test]
        fn what_is_published_is_what_was_put_in(
            first in 0_usize..600,
            removed in prop::collection::vec(0_usize..1000, 0..50),
        ) {
            let (mut table, mut model) = (Table::new(), Vec::new());
            for n in 0..first {
                prop_assert_eq!(table.push(n), n);
                model.push(n);
            }
            for at in removed {
                if at < model.len() {
                    let moved = table.swap_remove(at).copied();
                    model.swap_remove(at);
                    prop_assert_eq!(moved, model.get(at).copied());
                } else {
                    table.push(at);
                    model.push(at);
                }
                let seats = table.publish();
                prop_assert_eq!(seats.len(), model.len());
                let all: Vec<_> = (0..seats.len()).map(|at| *seats.at(at)).collect();
                prop_assert_eq!(&all, &model);
                prop_assert!(table.iter().copied().eq(all));
            }
        }
    }
}
