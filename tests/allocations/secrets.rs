//! Secrets: reading one that is kept allocates nothing, and rotating it keeps nothing.
use detectviz_benches::allocations;
use detectviz_core::secret::{Secret, SecretBundle, SecretPublisher, SecretRef, SecretVersion};

fn bundle(sequence: u64) -> SecretBundle {
    let version = SecretVersion {
        sequence,
        label: None,
    };
    SecretBundle::single(Secret::from(format!("{sequence:032}")), version)
}

#[test]
fn reading_a_cached_secret_allocates_nothing_also_while_it_rotates() {
    let publisher = SecretPublisher::new(bundle(1));
    let watch = publisher.subscribe();
    let reference: SecretRef = "${secret:env:A}".parse().unwrap();
    // The first read of a thread finds its place among the readers.
    drop(watch.latest());
    let per_call = std::thread::scope(|threads| {
        threads.spawn(|| {
            for sequence in 2..=100_000 {
                publisher.publish(bundle(sequence));
            }
        });
        // Whoever drops the last clone of a bundle frees it; that is no allocation.
        allocations::per_call(100_000, || {
            let latest = watch.latest();
            let value = latest.value(&reference).unwrap();
            assert_eq!(value.expose().len(), 32);
            assert!(!value.matches(b"hunter2"));
        })
    });
    assert_eq!(per_call, 0.0);
}

#[test]
fn a_million_rotations_keep_no_memory() {
    let publisher = SecretPublisher::new(bundle(1));
    let mut watches: Vec<_> = (0..8).map(|_| publisher.subscribe()).collect();
    let mut sequence = 1;
    let mut rotate = |times: u64, watches: &mut [detectviz_core::secret::SecretWatch]| {
        for _ in 0..times {
            sequence += 1;
            assert!(publisher.publish(bundle(sequence)));
            let watch = &mut watches[(sequence % 8) as usize];
            assert_eq!(watch.latest().version().sequence, sequence);
        }
    };
    rotate(1_000, &mut watches);
    let before = allocations::held();
    rotate(1_000_000, &mut watches);
    assert_eq!(allocations::held(), before);
}
