//! A sorted list that is copied to be changed, in pieces.
use std::{cmp::Ordering, sync::Arc};

/// How many items share one piece at most.
const PIECE: usize = 128;

/// Items in ascending order. A change copies one piece and the list of pieces, so that making the last of many series costs
/// little more than making the first.
#[derive(Debug)]
pub(super) struct Sorted<T> {
    /// None is empty.
    pieces: Vec<Arc<[Arc<T>]>>,
    len: usize,
}

/// Where an item is, or would be: the piece and the place in it.
type Place = (usize, usize);

// === impl Sorted ===

impl<T> Sorted<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.pieces.iter().flat_map(|piece| piece.iter())
    }

    /// The item for which `compare` finds nothing to choose, else the place where it would be.
    pub(super) fn find(&self, compare: impl Fn(&T) -> Ordering) -> Result<&Arc<T>, Place> {
        let (piece, found) = self.search(compare);
        match found {
            Ok(at) => Ok(&self.pieces[piece][at]),
            Err(at) => Err((piece, at)),
        }
    }

    /// The same with `item` at `place`, which [`find`](Self::find) gave.
    pub(super) fn with(&self, (piece, at): Place, item: Arc<T>) -> Self {
        let mut pieces = self.pieces.clone();
        let old = self.pieces.get(piece).map_or(&[][..], |piece| &**piece);
        let new: Vec<Arc<T>> = [&old[..at], &[item], &old[at..]].concat();
        let changed = new.chunks(new.len().div_ceil(new.len().div_ceil(PIECE)));
        let end = pieces.len().min(piece + 1);
        pieces.splice(piece..end, changed.map(Arc::from));
        Self {
            pieces,
            len: self.len + 1,
        }
    }

    /// The same without the item that `compare` finds; `None` when there is none.
    pub(super) fn without(&self, compare: impl Fn(&T) -> Ordering) -> Option<Self> {
        let (piece, found) = self.search(compare);
        let at = found.ok()?;
        let mut pieces = self.pieces.clone();
        let old = &*self.pieces[piece];
        let new: Vec<Arc<T>> = [&old[..at], &old[at + 1..]].concat();
        let changed = (!new.is_empty()).then(|| Arc::from(new));
        pieces.splice(piece..=piece, changed);
        Some(Self {
            pieces,
            len: self.len - 1,
        })
    }

    fn search(&self, compare: impl Fn(&T) -> Ordering) -> (usize, Result<usize, usize>) {
        let starts_after = |piece: &Arc<[Arc<T>]>| compare(&piece[0]) != Ordering::Greater;
        let piece = self.pieces.partition_point(starts_after).saturating_sub(1);
        let found = match self.pieces.get(piece) {
            Some(items) => items.binary_search_by(|item| compare(item)),
            None => Err(0),
        };
        (piece, found)
    }
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            len: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_holds_what_a_set_holds(changes in prop::collection::vec((0..600_u16, prop::bool::weighted(0.8)), 0..1500)) {
            let (mut set, mut list) = (BTreeSet::new(), Sorted::default());
            for (item, add) in changes {
                let compare = |known: &u16| known.cmp(&item);
                if add {
                    match list.find(compare) {
                        Ok(known) => prop_assert!(**known == item && set.contains(&item)),
                        Err(place) => list = list.with(place, Arc::new(item)),
                    }
                    set.insert(item);
                } else {
                    let without = list.without(compare);
                    prop_assert_eq!(without.is_some(), set.remove(&item));
                    list = without.unwrap_or(list);
                }
                prop_assert_eq!(list.len(), set.len());
            }
            prop_assert!(list.iter().map(|item| **item).eq(set));
            prop_assert!(list.pieces.iter().all(|piece| (1..=PIECE).contains(&piece.len())));
        }
    }
}
