//! The formats that are switched on, in their order.
use super::{
    Format, PropagationConfig,
    b3::{self, B3},
    baggage, jaeger, pool, traceparent,
    tracestate::{self, trim},
};
use crate::head_scan::{Found, Known, scan_for};
use bytes::Bytes;
use detectviz_core::telemetry::context::{Slot, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const B3_SINGLE: HeaderName = HeaderName::from_static("b3");
const B3_TRACE: HeaderName = HeaderName::from_static("x-b3-traceid");
const B3_SPAN: HeaderName = HeaderName::from_static("x-b3-spanid");
const B3_SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");
const B3_FLAGS: HeaderName = HeaderName::from_static("x-b3-flags");
const UBER: HeaderName = HeaderName::from_static("uber-trace-id");

/// Reads and writes the formats that are switched on. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Propagators {
    formats: [Option<Format>; 5],
}

/// What a caller sent.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Extracted {
    /// The caller's span; `None` when a trace starts here.
    pub parent: Option<TraceContext>,
    /// Whether the caller, without a span of its own, asks for the trace to be recorded. Only B3 can say so.
    pub decision: Option<bool>,
    /// The caller's `tracestate`, at most 512 bytes; empty without a parent of the format `tracecontext`.
    pub tracestate: Bytes,
    /// The caller's `baggage`, at most 8192 bytes and 64 members.
    pub baggage: Bytes,
    /// Which headers broke their specification and were dropped, in whole or (baggage) in part.
    pub malformed: Malformed,
}

/// A set of header formats that were malformed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Malformed {
    bits: u8,
}

/// The header names of [`Malformed`], by bit.
const NAMES: [&str; 6] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "uber-trace-id",
];

// === impl Propagators ===

impl Propagators {
    /// The formats of `config`, each once.
    #[must_use]
    pub fn new(config: &PropagationConfig) -> Self {
        let mut formats = [None; 5];
        let mut at = 0;
        for format in &config.formats {
            if !formats.contains(&Some(*format)) {
                formats[at] = Some(*format);
                at += 1;
            }
        }
        Self { formats }
    }

    /// Reads what the caller of a request sent.
    #[inline]
    #[must_use]
    pub fn extract(&self, headers: &HeaderMap) -> Extracted {
        self.extract_found(&scan_for(headers, Known::of_trace))
    }

    /// [`extract`](Self::extract) for who has scanned the headers already.
    #[inline]
    #[must_use]
    pub fn extract_found(&self, found: &Found<'_>) -> Extracted {
        let mut out = Extracted::default();
        let headers = found.headers();
        for format in self.formats.iter().flatten() {
            match format {
                Format::Baggage => out.read_baggage(found),
                _ if out.parent.is_some() => {}
                Format::TraceContext => out.read_trace_context(found),
                Format::B3 => out.read_b3(headers),
                Format::B3Multi => out.read_b3_multi(headers),
                Format::Jaeger => out.read_jaeger(headers),
            }
        }
        out
    }

    /// Writes the span of `slot`, which is the caller's for whoever receives `headers`, in place of what was there.
    pub fn inject(&self, slot: &Slot, headers: &mut HeaderMap) {
        let context = &slot.context;
        let mut baggage_is_there = None;
        for format in self.formats.iter().flatten() {
            match format {
                Format::TraceContext => {
                    baggage_is_there = Some(inject_trace_context(slot, headers));
                }
                Format::Baggage if slot.baggage.is_empty() => {
                    if baggage_is_there.unwrap_or(true) {
                        headers.remove(BAGGAGE);
                    }
                }
                Format::Baggage => set(headers, BAGGAGE, slot.baggage.clone()),
                Format::B3 => set(headers, B3_SINGLE, pool::keep(&b3::write_single(context))),
                Format::B3Multi => {
                    let sampled: &'static [u8] = if context.is_sampled() { b"1" } else { b"0" };
                    set(headers, B3_TRACE, pool::keep(&context.trace_id().to_hex()));
                    set(headers, B3_SPAN, pool::keep(&context.span_id().to_hex()));
                    set(headers, B3_SAMPLED, Bytes::from_static(sampled));
                    headers.remove(&B3_FLAGS);
                }
                Format::Jaeger => set(headers, UBER, pool::keep(&jaeger::write(context))),
            }
        }
    }
}

impl Default for Propagators {
    fn default() -> Self {
        Self::new(&PropagationConfig::default())
    }
}

// === impl Extracted ===

impl Extracted {
    #[inline]
    fn read_trace_context(&mut self, found: &Found<'_>) {
        let Some(header) = found.first(Known::Traceparent) else {
            return;
        };
        if !found.is_repeated(Known::Traceparent) {
            self.parent = TraceContext::parse(trim(header)).ok();
        }
        if self.parent.is_none() {
            self.malformed.add(0);
            return;
        }
        if found.first(Known::Tracestate).is_none() {
            return;
        }
        match tracestate::read(|| found.all(Known::Tracestate)) {
            Ok(state) => self.tracestate = state,
            Err(tracestate::Malformed) => self.malformed.add(1),
        }
    }

    #[inline]
    fn read_baggage(&mut self, found: &Found<'_>) {
        if found.first(Known::Baggage).is_none() {
            return;
        }
        let (baggage, cut) = baggage::read(|| found.all(Known::Baggage));
        self.baggage = baggage;
        if cut {
            self.malformed.add(2);
        }
    }

    fn read_b3(&mut self, headers: &HeaderMap) {
        match one(headers, &B3_SINGLE) {
            Ok(None) => {}
            Ok(Some(header)) => self.take_b3(b3::read_single(header), 3),
            Err(Repeated) => self.malformed.add(3),
        }
    }

    fn read_b3_multi(&mut self, headers: &HeaderMap) {
        let read = || -> Result<_, Repeated> {
            Ok((
                one(headers, &B3_TRACE)?,
                one(headers, &B3_SPAN)?,
                one(headers, &B3_SAMPLED)?,
                one(headers, &B3_FLAGS)?,
            ))
        };
        match read() {
            Ok((None, None, None, None)) => {}
            Ok((trace, span, sampled, flags)) => {
                self.take_b3(b3::read_multi(trace, span, sampled, flags), 4);
            }
            Err(Repeated) => self.malformed.add(4),
        }
    }

    fn read_jaeger(&mut self, headers: &HeaderMap) {
        match one(headers, &UBER) {
            Ok(None) => return,
            Ok(Some(header)) => self.parent = jaeger::read(header),
            Err(Repeated) => {}
        }
        if self.parent.is_none() {
            self.malformed.add(5);
        }
    }

    fn take_b3(&mut self, read: Option<B3>, bit: u8) {
        match read {
            Some(B3::Parent(parent)) => self.parent = Some(parent),
            Some(B3::Decision(sampled)) => self.decision = self.decision.or(Some(sampled)),
            None => self.malformed.add(bit),
        }
    }
}

// === impl Malformed ===

impl Malformed {
    /// Every header name that [`names`](Self::names) can give.
    pub const ALL: [&str; 6] = NAMES;

    /// Whether nothing was malformed.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The names of the headers that were malformed; for `b3multi` that of its first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..NAMES.len())
            .filter(move |bit| self.bits & (1 << bit) != 0)
            .map(|bit| NAMES[bit])
    }

    fn add(&mut self, bit: u8) {
        self.bits |= 1 << bit;
    }
}

/// A header that may occur once occurred twice: which one the caller meant cannot be known.
struct Repeated;

/// The one value of a header, without the space around it.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Repeated> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if first.is_some() && values.next().is_some() {
        return Err(Repeated);
    }
    Ok(first.map(|value| trim(value.as_bytes())))
}

/// One pass says what is there, so that the name of what is not is never hashed, and a single `traceparent` is replaced where
/// it stands. Says whether there is `baggage`.
#[inline]
fn inject_trace_context(slot: &Slot, headers: &mut HeaderMap) -> bool {
    let value = traceparent::value(&slot.context);
    let (mut traceparents, mut tracestate, mut baggage) = (0, false, false);
    let mut place = None;
    for (name, value) in headers.iter_mut() {
        match Known::of_trace(name) {
            Some(Known::Traceparent) => {
                traceparents += 1;
                place = Some(value);
            }
            Some(Known::Tracestate) => tracestate = true,
            Some(Known::Baggage) => baggage = true,
            _ => {}
        }
    }
    match place {
        Some(place) if traceparents == 1 => *place = value,
        _ => drop(headers.insert(TRACEPARENT, value)),
    }
    if tracestate || !slot.tracestate.is_empty() {
        set(headers, TRACESTATE, slot.tracestate.clone());
    }
    baggage
}

/// Sets the header to `value`, or removes it when that is empty or not allowed in a header.
fn set(headers: &mut HeaderMap, name: HeaderName, value: Bytes) {
    match HeaderValue::from_maybe_shared(value) {
        Ok(value) if !value.is_empty() => {
            headers.insert(name, value);
        }
        _ => {
            headers.remove(name);
        }
    }
}
