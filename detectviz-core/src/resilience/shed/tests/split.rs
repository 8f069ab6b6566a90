//! Who is refused.
use super::{
    super::{published::Published, split::Mix},
    *,
};
use proptest::prelude::*;

fn mix(counts: [u64; 3]) -> Mix {
    let mut mix = Mix::default();
    mix.add(counts);
    mix
}

#[test]
fn sheddable_requests_go_first_and_critical_ones_never() {
    // The share to be refused, the mix, and what each then meets.
    for (drop, counts, sheddable, normal) in [
        (0.0, [50, 50, 0], 0.0, 0.0),
        (0.1, [50, 50, 0], 0.2, 0.0),
        (0.5, [50, 50, 0], 1.0, 0.0),
        (0.6, [50, 50, 0], 1.0, 0.2),
        (0.3, [0, 100, 0], 1.0, 0.3),
        (0.3, [0, 50, 50], 1.0, 0.6),
        (0.9, [0, 10, 90], 1.0, 0.98),
        (0.3, [0, 0, 100], 1.0, 0.98),
        (0.98, [0, 100, 0], 1.0, 0.98),
        // The mix is not known.
        (0.25, [0, 3, 0], 0.5, 0.0),
        (0.75, [0, 3, 0], 1.0, 0.5),
    ] {
        let chances = Chances::new(drop, mix(counts));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(
            near(chances.sheddable, sheddable) && near(chances.normal, normal),
            "{drop} of {counts:?}: {chances:?}"
        );
    }
}

#[test]
fn the_mix_of_before_is_forgotten_in_time() {
    let mut known = mix([0, 1000, 0]);
    for _ in 0..100 {
        known.add([100, 0, 0]);
    }
    assert!(Chances::new(0.5, known).sheddable < 0.51);
}

proptest! {
    #[test]
    fn what_is_refused_is_what_was_asked_for_where_there_is_so_much(
        drop in 0.0..0.98,
        sheddable in 0_u64..1000,
        normal in 0_u64..1000,
        critical in 0_u64..1000,
    ) {
        let all = (sheddable + normal + critical) as f64;
        prop_assume!(all >= 10.0);
        let chances = Chances::new(drop, mix([sheddable, normal, critical]));
        let refused = chances.sheddable * sheddable as f64 + chances.normal * normal as f64;
        let refusable = sheddable as f64 + 0.98 * normal as f64;
        prop_assert!((refused - (drop * all).min(refusable)).abs() < 1e-6 * all + 1e-6);
        prop_assert!(chances.normal == 0.0 || chances.sheddable == 1.0);
    }

    #[test]
    fn chance_refuses_in_its_proportion(sheddable in 0.0..=1.0, normal in 0.0..=0.98, seed: u64) {
        let published = Published::default();
        let chances = Chances { sheddable, normal };
        let mut random = fastrand::Rng::with_seed(seed);
        for reason in ShedReason::ALL {
            published.publish(chances, Some(reason));
            prop_assert!(published.is_shedding());
            for (priority, chance) in [
                (Priority::Sheddable, sheddable),
                (Priority::Normal, normal),
                (Priority::Critical, 0.0),
            ] {
                let mut refused = 0;
                for _ in 0..4000 {
                    if let Some(because) = published.sheds(priority, random.u64(..)) {
                        prop_assert_eq!(because, reason);
                        refused += 1;
                    }
                }
                prop_assert!((f64::from(refused) / 4000.0 - chance).abs() < 0.05);
            }
            prop_assert_eq!(published.take_counts(), [4000; 3]);
        }
        published.publish(chances, None);
        prop_assert!(!published.is_shedding());
        prop_assert_eq!(published.sheds(Priority::Sheddable, 0), None);
        prop_assert_eq!(published.take_counts(), [0; 3]);
    }
}
