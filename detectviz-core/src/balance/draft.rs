//! The endpoints as they are changed, off the request path.
use super::{
    endpoint::{About, EndpointState, Key, Seat},
    gate::Standing,
    settings::Settings,
    shared::Shared,
    snapshot::Snapshot,
    state::Sample,
    table::Table,
    vitals::Rare,
};
use crate::discovery::{Endpoint, EndpointSet};
use std::{
    collections::{BTreeMap, HashMap, hash_map},
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Makes what the transport keeps for an endpoint; `None` leaves the endpoint out.
pub(super) type Make<T> = dyn Fn(&Endpoint) -> Option<T> + Send + Sync;

/// Every endpoint that is known, and the table of those that may be chosen.
pub(super) struct Draft<T> {
    make: Box<Make<T>>,
    pub(super) entries: HashMap<Key, Entry<T>>,
    table: Table<Seat<T>>,
    /// How many endpoints of the table have each weight.
    weights: BTreeMap<u32, usize>,
    /// Whether calls weigh differently at them.
    weighted: bool,
    /// Counts updates.
    generation: u64,
    next_id: u64,
    /// When success rates are compared next.
    pub(super) next_interval: u64,
    pub(super) series: Series,
}

/// One endpoint that is known.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) seat: Seat<T>,
    /// Where it stands in the table, if it may be chosen.
    place: Option<usize>,
    seen: u64,
    /// What its calls had come to when success rates were last compared.
    pub(super) compared: Sample,
    /// Whether the metric of picks names it.
    pub(super) named: bool,
}

/// How the metric of picks is kept small.
#[derive(Debug, Default)]
pub(super) struct Series {
    named: usize,
    /// What endpoints without a name of their own, that are no longer known, had.
    pub(super) unnamed: u64,
}

/// An endpoint that may no longer be chosen, as soon as nobody reads the snapshot that has it.
pub(super) struct Leaving<T>(Vec<Seat<T>>);

impl<T> Draft<T> {
    pub(super) fn new(make: Box<Make<T>>) -> Self {
        Self {
            make,
            entries: HashMap::new(),
            table: Table::new(),
            weights: BTreeMap::new(),
            weighted: false,
            generation: 0,
            next_id: 1,
            next_interval: 0,
            series: Series::default(),
        }
    }

    /// Endpoints that may be chosen.
    pub(super) fn seats(&self) -> impl Iterator<Item = &Seat<T>> {
        self.table.iter()
    }

    /// The snapshot of what is known.
    pub(super) fn snapshot(&mut self, settings: &Settings) -> Snapshot<T> {
        let weighted = self.weights.len() > 1;
        let known = self.entries.len();
        Snapshot::new(self.table.publish(), settings, weighted, known)
    }

    /// Takes over what discovery says. Endpoints that stay keep all that is known of them.
    pub(super) fn update(
        &mut self,
        set: &EndpointSet,
        now: u64,
        settings: &Settings,
        shared: &Arc<Shared>,
    ) -> Leaving<T> {
        self.generation += 1;
        let any_ready = set.endpoints().iter().any(|e| e.conditions.ready);
        let usable = |endpoint: &Endpoint| {
            let c = endpoint.conditions;
            endpoint.weight > 0 && if any_ready { c.ready } else { c.serving }
        };
        let (mut joining, mut gone, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
        for endpoint in set.endpoints() {
            let key = Key::of(endpoint);
            let Some(entry) = self.entries.get_mut(&key) else {
                fresh.extend(self.meet(key, endpoint));
                continue;
            };
            if entry.seen == self.generation {
                continue;
            }
            entry.seen = self.generation;
            self.describe(&key, endpoint);
            match self.entries.get(&key) {
                Some(entry) if usable(endpoint) && entry.place.is_none() => joining.push(key),
                Some(entry) if !usable(endpoint) && entry.place.is_some() => gone.push(key),
                _ => {}
            }
        }
        // Made one after the other, so that they stand close together in memory.
        let seats = fresh
            .into_iter()
            .map(|(rare, about)| EndpointState::seated(rare, about, shared));
        for seat in seats.collect::<Vec<_>>() {
            let endpoint = seat.about().endpoint.load_full();
            let key = Key::of(&endpoint);
            if self.enter(key.clone(), seat) && usable(&endpoint) {
                joining.push(key);
            }
        }
        let unseen = self
            .entries
            .iter()
            .filter(|(_, e)| e.seen != self.generation);
        let forgotten: Vec<Key> = unseen.map(|(key, _)| key.clone()).collect();
        let mut leaving = Vec::new();
        for key in gone.iter().chain(&forgotten) {
            leaving.extend(self.unplace(key));
        }
        for key in &forgotten {
            self.forget(key);
        }
        let mut until = now + settings.slow_start.window;
        if !self.table.iter().any(|seat| seat.vitals().slow(now) == 0) {
            // Where all are new, somebody must take the calls.
            self.table
                .iter()
                .for_each(|seat| seat.vitals().slow_until(0));
            until = 0;
        }
        for key in &joining {
            self.place(key, until);
        }
        self.weigh();
        Leaving(leaving)
    }

    /// Makes room in the quota for a table that has become smaller: those whose time is up first are admitted.
    pub(super) fn keep_quota(&self, most: u32, shared: &Shared) {
        if shared.quota.taken() <= most {
            return;
        }
        let ejected = |seat: &Seat<T>| match seat.vitals().gate.standing() {
            Standing::Ejected { until } => Some((until, seat.clone())),
            Standing::Probing { since } => Some((since, seat.clone())),
            _ => None,
        };
        let mut all: Vec<_> = self.table.iter().filter_map(ejected).collect();
        all.sort_by_key(|(until, seat)| (*until, seat.vitals().rare.id));
        let surplus = all.len().saturating_sub(most as usize);
        for (_, seat) in all.iter().take(surplus) {
            seat.vitals().gate.admit(&shared.quota);
        }
    }

    /// Takes over how a known endpoint is described now.
    fn describe(&mut self, key: &Key, endpoint: &Endpoint) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let about = entry.seat.about();
        if **about.endpoint.load() == *endpoint {
            return;
        }
        about.endpoint.store(Arc::new(endpoint.clone()));
        let weight = &entry.seat.vitals().rare.weight;
        match entry.place {
            None => weight.store(endpoint.weight, Relaxed),
            // It leaves with the weight that it was counted with.
            Some(_) if endpoint.weight == 0 => {}
            Some(_) => {
                let before = weight.swap(endpoint.weight, Relaxed);
                self.count(before, false);
                self.count(endpoint.weight, true);
            }
        }
    }

    /// What is needed for a new endpoint, unless it is left out.
    fn meet(&mut self, key: Key, endpoint: &Endpoint) -> Option<(Box<Rare>, Box<About<T>>)> {
        let transport = (self.make)(endpoint)?;
        let rare = Rare::new(self.next_id, endpoint.weight);
        self.next_id += 1;
        let about = About::new(key, endpoint, transport);
        Some((Box::new(rare), Box::new(about)))
    }

    /// Takes note of a new endpoint. `false` when it came twice.
    fn enter(&mut self, key: Key, seat: Seat<T>) -> bool {
        let hash_map::Entry::Vacant(vacant) = self.entries.entry(key) else {
            return false;
        };
        vacant.insert(Entry {
            seat,
            place: None,
            seen: self.generation,
            compared: Sample {
                succeeded: 0,
                failed: 0,
            },
            named: self.series.take(),
        });
        true
    }

    fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.series.forget(&entry);
        }
    }

    fn place(&mut self, key: &Key, slow_until: u64) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let vitals = entry.seat.vitals();
        vitals.slow_until(slow_until);
        vitals.set_burden(1.0);
        vitals.gate.enter();
        let weight = vitals.rare.weight.load(Relaxed);
        entry.place = Some(self.table.push(entry.seat.clone()));
        self.count(weight, true);
    }

    fn unplace(&mut self, key: &Key) -> Option<Seat<T>> {
        let entry = self.entries.get_mut(key)?;
        let at = entry.place.take()?;
        let seat = entry.seat.clone();
        let moved = self.table.swap_remove(at);
        if let Some(moved) = moved.and_then(|seat| self.entries.get_mut(&seat.about().key)) {
            moved.place = Some(at);
        }
        self.count(seat.vitals().rare.weight.load(Relaxed), false);
        let weight = seat.about().endpoint.load().weight;
        seat.vitals().rare.weight.store(weight, Relaxed);
        Some(seat)
    }

    fn count(&mut self, weight: u32, there: bool) {
        let count = self.weights.entry(weight).or_default();
        *count = if there { *count + 1 } else { *count - 1 };
        if *count == 0 {
            self.weights.remove(&weight);
        }
    }

    /// Sets what a call weighs at each endpoint; nothing to do while all weights are the same.
    fn weigh(&mut self) {
        let weighted = self.weights.len() > 1;
        if !weighted && !self.weighted {
            return;
        }
        self.weighted = weighted;
        let total: f64 = self
            .weights
            .iter()
            .map(|(&w, &n)| f64::from(w) * n as f64)
            .sum();
        let mean = total / self.table.len().max(1) as f64;
        for seat in self.table.iter() {
            let weight = seat.vitals().rare.weight.load(Relaxed).max(1);
            seat.vitals().set_burden((mean / f64::from(weight)) as f32);
        }
    }
}

impl<T> Entry<T> {
    /// Whether it may be chosen.
    pub(super) fn is_placed(&self) -> bool {
        self.place.is_some()
    }
}

impl Series {
    /// The most endpoints that the metric of picks names.
    const MOST: usize = 100;

    fn take(&mut self) -> bool {
        let named = self.named < Self::MOST;
        self.named += usize::from(named);
        named
    }

    fn forget<T>(&mut self, entry: &Entry<T>) {
        if entry.named {
            self.named -= 1;
        } else {
            self.unnamed += entry.seat.vitals().ended_calls();
        }
    }
}

impl<T> Leaving<T> {
    /// Closes the gates; to be called once the next snapshot is in place.
    pub(super) fn leave(self, shared: &Shared) {
        for seat in self.0 {
            seat.vitals().gate.leave(&shared.quota);
        }
    }
}

impl<T> fmt::Debug for Draft<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("entries", &self.entries.len())
            .field("placed", &self.table.len())
            .finish_non_exhaustive()
    }
}
