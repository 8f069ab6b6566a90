//! The average of latencies, one thread at a time; `tests/loom` has the others.
use crate::balance::ewma::{Decay, PeakEwma, Tick};

const MS: u64 = 1_000_000;
const TAU: u64 = 10_000 * MS;

fn ewma(latencies: &[(u64, f32)]) -> PeakEwma {
    let ewma = PeakEwma::new();
    for &(at, latency) in latencies {
        ewma.observe(latency, Tick::of(at * MS), Decay::within(TAU));
    }
    ewma
}

#[test]
fn halving_is_that_of_the_library() {
    let ewma = PeakEwma::new();
    ewma.observe(1e6, Tick::of(0), Decay(0.001));
    for n in 0..100_000_u32 {
        let ours = ewma.at(Tick::of(u64::from(n) * Tick::NANOS), Decay(0.001));
        let exact = 1e6 * (-(n as f32 * 0.001)).exp2();
        assert!((ours / exact - 1.0).abs() < 1e-5, "{n}: {ours} {exact}");
    }
    let never = ewma.at(Tick::of(Tick::NANOS << 30), Decay(1.0));
    assert!(never > 0.0 && never < 1e-20, "{never}");
}

#[test]
fn a_peak_counts_at_once_and_decays_by_e_in_the_time_of_decay() {
    let decay = Decay::within(TAU);
    let peak = ewma(&[(0, 1e6), (1, 1e8)]);
    for (ms, expected) in [(1, 1e8), (10_001, 1e8 / std::f32::consts::E)] {
        let got = peak.at(Tick::of(ms * MS), decay);
        assert!((got / expected - 1.0).abs() < 1e-3, "{ms}: {got}");
    }
    // Fed with short latencies it comes down to them rather than to nothing.
    let mut fed = vec![(0, 1e8)];
    fed.extend((1..=120).map(|s| (s * 1000, 1e6)));
    let got = ewma(&fed).at(Tick::of(120_000 * MS), decay);
    assert!((0.99e6..1.1e6).contains(&got), "{got}");
}

#[test]
fn a_clock_that_is_behind_changes_no_more_than_the_peak() {
    let decay = Decay::within(TAU);
    let later = ewma(&[(5_000, 2e6), (4_000, 1e6)]);
    assert_eq!(later.at(Tick::of(4_000 * MS), decay), 2e6);
    later.raise(Tick::of(3_000 * MS), decay, |now| now * 2.0);
    assert_eq!(later.at(Tick::of(3_000 * MS), decay), 4e6);
    later.raise(Tick::of(3_000 * MS), decay, |now| now / 2.0);
    assert_eq!(later.at(Tick::of(3_000 * MS), decay), 4e6);
}

#[test]
fn the_cheaper_is_the_one_with_the_smaller_product_at_any_later_time() {
    let decay = Decay::within(TAU);
    let ends = [
        (0, 1e6),
        (5, 2e6),
        (100, 2e6),
        (9_000, 1e6),
        (40_000, 4e7),
        (900_000, 3e5),
    ];
    for (at, latency) in ends {
        for (other_at, other_latency) in ends {
            for (load, other_load) in [(1.0, 1.0), (3.0, 1.0), (1.0, 7.0)] {
                let (a, b) = (ewma(&[(at, latency)]), ewma(&[(other_at, other_latency)]));
                let now = Tick::of(at.max(other_at) * MS);
                let (cost, other) = (a.at(now, decay) * load, b.at(now, decay) * other_load);
                let cheaper = PeakEwma::is_cheaper((&a, load), (&b, other_load), decay);
                let close = (cost / other - 1.0).abs() < 0.002;
                assert!(
                    close || cheaper == (cost < other),
                    "{at} {other_at}: {cost} {other}"
                );
            }
        }
    }
}
