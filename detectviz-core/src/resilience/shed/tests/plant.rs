//! The control loops against plants that answer them: too much load is kept near the threshold, and nothing else is touched.
use super::*;
use proptest::prelude::*;

/// A process that is offered `load` times what it can serve.
struct Plant {
    state: ShedState,
    config: ShedConfig,
    now: Instant,
    admitted: f64,
    /// Work that waits, in seconds.
    backlog: f64,
    noise: fastrand::Rng,
}

impl Plant {
    fn new(config: ShedConfig) -> Self {
        Self {
            state: ShedState::default(),
            config,
            now: Instant::now(),
            admitted: 1.0,
            backlog: 0.0,
            noise: fastrand::Rng::with_seed(7),
        }
    }

    /// One interval; what is measured is what the last verdict let in.
    fn step(&mut self, load: f64, signal: ShedReason) -> f64 {
        let load = load * self.admitted * (0.95 + 0.1 * self.noise.f64());
        let span = self.config.interval.as_secs_f64();
        let mut readings = Readings::default();
        let measured = match signal {
            ShedReason::Cpu => *readings.cpu.insert(load.min(1.0)),
            // Requests under way hold memory: 40 % of the limit at full load, above 60 % that are always in use.
            ShedReason::Memory => *readings.memory.insert(0.6 + 0.4 * load.min(1.0)),
            ShedReason::QueueDelay => {
                self.backlog = (self.backlog + (load - 1.0) * span).max(0.0);
                readings.queue_delay = Some(Duration::from_secs_f64(self.backlog));
                self.backlog
            }
        };
        self.now += self.config.interval;
        let verdict = self.state.update(&self.config, &readings, self.now);
        assert_eq!(verdict.reason.is_some(), verdict.drop > 0.0);
        assert!(verdict.reason.is_none_or(|reason| reason == signal));
        self.admitted = 1.0 - verdict.drop;
        measured
    }
}

/// The mean and the greatest of what is measured, once the loops have come to rest.
fn settled(plant: &mut Plant, load: f64, signal: ShedReason) -> (f64, f64) {
    for _ in 0..300 {
        plant.step(load, signal);
    }
    let seen: Vec<f64> = (0..300).map(|_| plant.step(load, signal)).collect();
    let most = seen.iter().copied().fold(0.0, f64::max);
    (seen.iter().sum::<f64>() / 300.0, most)
}

#[test]
fn too_much_load_is_kept_around_the_threshold() {
    for load in [1.2, 2.0, 5.0, 10.0] {
        for (signal, least, mean_most, most) in [
            (ShedReason::Cpu, 0.85, 0.91, 0.99),
            (ShedReason::Memory, 0.91, 0.98, 1.0),
            (ShedReason::QueueDelay, 0.005, 0.030, 0.060),
        ] {
            let mut plant = Plant::new(ShedConfig::default());
            let (mean, greatest) = settled(&mut plant, load, signal);
            let seen = format!("{signal:?} at {load}: {mean:.3}, at most {greatest:.3}");
            assert!((least..=mean_most).contains(&mean), "{seen}");
            assert!(greatest <= most, "{seen}");
        }
    }
}

#[test]
fn ten_times_the_load_is_met_within_seconds() {
    for (signal, limit, intervals) in [
        (ShedReason::Cpu, 0.95, 25),
        (ShedReason::QueueDelay, 0.06, 60),
    ] {
        let mut plant = Plant::new(ShedConfig::default());
        for _ in 0..50 {
            plant.step(0.5, signal);
        }
        let late = (0..intervals)
            .map(|_| plant.step(10.0, signal))
            .collect::<Vec<_>>();
        let after = plant.step(10.0, signal);
        assert!(after <= limit, "{signal:?}: {after} after {late:?}");
    }
}

#[test]
fn all_is_let_in_again_within_seconds() {
    for (signal, intervals) in [
        (ShedReason::Cpu, 40),
        (ShedReason::QueueDelay, 40),
        (ShedReason::Memory, 80),
    ] {
        let mut plant = Plant::new(ShedConfig::default());
        for _ in 0..200 {
            plant.step(30.0, signal);
        }
        assert!(plant.admitted < 0.2, "{signal:?}: {}", plant.admitted);
        plant.backlog = 0.0;
        for _ in 0..intervals {
            plant.step(0.2, signal);
        }
        assert_eq!(plant.admitted, 1.0, "{signal:?}");
    }
}

#[test]
fn a_busy_moment_is_no_overload_and_a_standing_queue_is() {
    let config = ShedConfig::default();
    let begun = Instant::now();
    // Readings of CPU time per interval, and whether something is shed at their end.
    for (readings, sheds) in [
        (vec![0.5, 1.0, 1.0, 1.0, 1.0, 0.5], false),
        (vec![0.89; 600], false),
        (vec![1.0; 20], true),
    ] {
        let mut state = ShedState::default();
        let mut drop = 0.0_f64;
        for (at, cpu) in (1..).zip(&readings) {
            let readings = Readings {
                cpu: Some(*cpu),
                ..Readings::default()
            };
            drop = drop.max(state.update(&config, &readings, begun + ms(100) * at).drop);
        }
        assert_eq!(drop > 0.0, sheds, "{readings:?}");
    }
}

#[test]
fn while_it_cools_off_a_signal_needs_no_new_trigger_and_after_that_it_does() {
    let config = ShedConfig::default().cool_off(Duration::from_secs(1));
    for (calm, sheds) in [(5, true), (15, false)] {
        let mut plant = Plant::new(config.clone());
        for _ in 0..30 {
            plant.step(1.3, ShedReason::Cpu);
        }
        // Until all is let in, and then a while.
        while plant.admitted < 1.0 {
            plant.step(0.3, ShedReason::Cpu);
        }
        for _ in 0..calm {
            plant.step(0.3, ShedReason::Cpu);
        }
        // One busy interval, which is no trigger.
        plant.step(1.3, ShedReason::Cpu);
        assert_eq!(plant.admitted < 1.0, sheds, "after {calm} intervals");
    }
}

#[test]
fn a_signal_that_is_off_or_unread_is_never_shed_on() {
    let all = Readings {
        cpu: Some(1.0),
        memory: Some(1.0),
        queue_delay: Some(Duration::from_secs(5)),
    };
    let off = ShedConfig::default()
        .cpu(None)
        .memory(None)
        .queue_delay(None);
    for (config, readings) in [(&off, all), (&ShedConfig::default(), Readings::default())] {
        let mut state = ShedState::default();
        let begun = Instant::now();
        for at in 1..100 {
            let verdict = state.update(config, &readings, begun + ms(100) * at);
            assert_eq!(verdict, Verdict::default());
        }
    }
    // What is switched off while it sheds stops at once.
    let mut state = ShedState::default();
    let begun = Instant::now();
    assert!(state.update(&ShedConfig::default(), &all, begun).drop > 0.0);
    assert_eq!(
        state.update(&off, &all, begun + ms(100)),
        Verdict::default()
    );
}

proptest! {
    #[test]
    fn below_every_threshold_nothing_is_shed(
        readings in prop::collection::vec((0.0..0.9, 0.0..0.95, 0_u64..20_000), 1..200),
    ) {
        let mut state = ShedState::default();
        let mut now = Instant::now();
        for (cpu, memory, micros) in readings {
            now += ms(100);
            let readings = Readings {
                cpu: Some(cpu),
                memory: Some(memory),
                queue_delay: Some(Duration::from_micros(micros)),
            };
            let verdict = state.update(&ShedConfig::default(), &readings, now);
            prop_assert_eq!(verdict, Verdict::default());
        }
    }

    #[test]
    fn whatever_is_read_something_is_let_in_and_calm_brings_all_back(
        readings in prop::collection::vec((0.0..5.0, 0.0..2.0, 0_u64..60_000_000, 0_u64..5000), 1..200),
    ) {
        let config = ShedConfig::default();
        let mut state = ShedState::default();
        let mut now = Instant::now();
        for (cpu, memory, micros, gap) in readings {
            now += ms(gap);
            let readings = Readings {
                cpu: Some(cpu),
                memory: Some(memory),
                queue_delay: Some(Duration::from_micros(micros)),
            };
            let verdict = state.update(&config, &readings, now);
            prop_assert!((0.0..=0.98 + 1e-9).contains(&verdict.drop), "{verdict:?}");
        }
        let calm = Readings {
            cpu: Some(0.1),
            memory: Some(0.1),
            queue_delay: Some(Duration::ZERO),
        };
        for _ in 0..80 {
            now += ms(100);
            state.update(&config, &calm, now);
        }
        prop_assert_eq!(state.update(&config, &calm, now + ms(100)), Verdict::default());
    }
}
