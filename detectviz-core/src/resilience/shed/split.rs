//! Which requests make up the share that is refused.
use crate::resilience::priority::Priority;

/// How likely a request is to be refused, by its priority; critical ones never are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chances {
    /// From 0 to 1.
    pub sheddable: f64,
    /// From 0 to 0.98.
    pub normal: f64,
}

/// How many requests came of each priority lately, [`Priority::Sheddable`] first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mix([f64; Priority::ALL.len()]);

/// Requests that are too few to tell the mix.
const TOO_FEW: f64 = 10.0;
/// What counts of a request after one more interval.
const REMEMBERED: f64 = 0.9;
const MOST_NORMAL: f64 = 0.98;

// === impl Chances ===

impl Chances {
    /// The chances with which `drop`, a share of all requests, is refused when they come in this `mix`: first the sheddable
    /// ones, all of them if need be, and then the normal ones (as DAGOR cuts by the histogram of priorities; Zhou et al.,
    /// SoCC 2018, algorithm 1). While the mix is not known, half of them are taken for sheddable.
    pub(super) fn new(drop: f64, mix: Mix) -> Self {
        let all: f64 = mix.0.iter().sum();
        let (sheddable, normal) = if all < TOO_FEW {
            (0.5, 0.5)
        } else {
            (mix.0[0] / all, mix.0[1] / all)
        };
        let of = |drop: f64, share: f64| match share > 0.0 {
            true => (drop / share).clamp(0.0, 1.0),
            false => f64::from(u8::from(drop > 0.0)),
        };
        Self {
            sheddable: of(drop, sheddable),
            // Rounding is not a reason to refuse.
            normal: match drop - sheddable > 1e-9 {
                true => of(drop - sheddable, normal).min(MOST_NORMAL),
                false => 0.0,
            },
        }
    }
}

// === impl Mix ===

impl Mix {
    /// Adds what came in one more interval.
    pub(super) fn add(&mut self, counts: [u64; Priority::ALL.len()]) {
        for (known, count) in self.0.iter_mut().zip(counts) {
            *known = *known * REMEMBERED + count as f64;
        }
    }
}
