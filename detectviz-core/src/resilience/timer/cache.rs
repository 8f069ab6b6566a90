//! The free slots of each thread, so that taking one and giving it back touches nothing that threads share.
use super::shared::{BATCH, Place, Shared};
use std::{cell::RefCell, mem, sync::Arc};

thread_local! {
    static CACHES: RefCell<Caches> = const { RefCell::new(Caches(Vec::new())) };
}

/// One cache per timer that this thread has used.
struct Caches(Vec<Cache>);

struct Cache {
    timer: Arc<Shared>,
    places: Vec<Place>,
}

/// A free place.
#[inline]
pub(super) fn take(timer: &Arc<Shared>) -> Option<Place> {
    let taken = CACHES.try_with(|caches| caches.try_borrow_mut().ok()?.take(timer));
    taken.ok().flatten().or_else(|| take_one(timer))
}

/// Takes back a place whose deadline is cancelled.
#[inline]
pub(super) fn give(place: Place) {
    let mut place = Some(place);
    // The caches are gone when the thread ends, and borrowed when a task that holds an entry is dropped by them.
    let _ = CACHES.try_with(|caches| {
        if let Ok(mut caches) = caches.try_borrow_mut() {
            caches.give(&mut place);
        }
    });
    if let Some(place) = place {
        give_one(place);
    }
}

// === impl Caches ===

impl Caches {
    #[inline]
    fn take(&mut self, timer: &Arc<Shared>) -> Option<Place> {
        let mut known = self.0.iter_mut();
        let known = known.find(|cache| Arc::ptr_eq(&cache.timer, timer));
        known
            .and_then(|cache| cache.places.pop())
            .or_else(|| self.refill(timer))
    }

    #[inline]
    fn give(&mut self, place: &mut Option<Place>) {
        let Some(timer) = place.as_ref().map(|place| &place.block.of.timer) else {
            return;
        };
        let mut known = self.0.iter_mut();
        let Some(cache) = known.find(|cache| Arc::ptr_eq(&cache.timer, timer)) else {
            let timer = Arc::clone(timer);
            let at = self.add(&timer);
            self.0[at].places.extend(place.take());
            return;
        };
        if let Some(place) = place.take() {
            cache.places.push(place);
        }
        if cache.places.len() > 2 * BATCH {
            cache.timer.take_some(&mut cache.places, BATCH);
        }
    }

    #[cold]
    fn refill(&mut self, timer: &Arc<Shared>) -> Option<Place> {
        let mut known = self.0.iter();
        let at = known.position(|cache| Arc::ptr_eq(&cache.timer, timer));
        let at = at.unwrap_or_else(|| self.add(timer));
        timer.supply(&mut self.0[at].places)
    }

    #[cold]
    fn add(&mut self, timer: &Arc<Shared>) -> usize {
        self.0.retain(|cache| !cache.timer.is_closed());
        self.0.push(Cache {
            timer: Arc::clone(timer),
            places: Vec::with_capacity(2 * BATCH + 1),
        });
        self.0.len() - 1
    }
}

impl Drop for Caches {
    fn drop(&mut self) {
        for cache in &mut self.0 {
            cache.timer.take_all(mem::take(&mut cache.places));
        }
    }
}

#[cold]
fn take_one(timer: &Arc<Shared>) -> Option<Place> {
    let mut places = Vec::new();
    let place = timer.supply(&mut places);
    timer.take_all(places);
    place
}

#[cold]
fn give_one(place: Place) {
    let timer = Arc::clone(&place.block.of.timer);
    timer.take_all(vec![place]);
}
