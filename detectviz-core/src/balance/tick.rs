//! What is compared in the background.
use super::{
    EjectionReason,
    balancer::Inner,
    draft::Entry,
    ewma::Tick,
    gate::Standing,
    settings::Settings,
    state::{Sample, success_rate_threshold},
};
use std::sync::atomic::Ordering::Relaxed;

impl<T> Inner<T> {
    pub(super) fn tick(&self, now: u64) {
        let settings = self.shared.settings.load_full();
        let mut draft = self.draft();
        let (mut sum, mut measured) = (0.0_f64, 0_u32);
        for seat in draft.seats() {
            let latency = seat.vitals().ewma.at(Tick::of(now), settings.decay);
            if latency > 0.0 {
                sum += f64::from(latency);
                measured += 1;
            }
        }
        let mean = sum / f64::from(measured.max(1));
        self.shared.set_mean(mean as f32);
        if now < draft.next_interval {
            return;
        }
        draft.next_interval = now.saturating_add(settings.interval);
        let entries = draft.entries.values_mut();
        let mut compared: Vec<(&Entry<T>, Sample)> = entries
            .map(|entry| {
                let sample = entry.sample();
                (&*entry, sample)
            })
            .filter(|(entry, _)| entry.is_placed())
            .collect();
        compared.sort_by_key(|(entry, _)| entry.seat.vitals().rare.id);
        for (entry, _) in &compared {
            entry.forgive();
        }
        if settings.outlier().enabled && settings.success_rate.hosts > 0 {
            self.eject_outliers(&compared, now, &settings);
        }
    }

    /// Ejects those whose success rate is far below that of their siblings.
    fn eject_outliers(&self, compared: &[(&Entry<T>, Sample)], now: u64, settings: &Settings) {
        let rule = &settings.success_rate;
        let samples = compared.iter().map(|(_, sample)| *sample);
        let Some(threshold) = success_rate_threshold(samples, rule) else {
            return;
        };
        for (entry, sample) in compared {
            if sample.rate(rule).is_some_and(|rate| rate < threshold) {
                let vitals = entry.seat.vitals();
                vitals.eject(EjectionReason::SuccessRate, now, settings, &self.shared);
            }
        }
    }
}

impl<T> Entry<T> {
    /// What its calls came to since the last time.
    fn sample(&mut self) -> Sample {
        let vitals = self.seat.vitals();
        let total = Sample {
            succeeded: vitals.succeeded.load(Relaxed),
            failed: vitals.rare.failed.load(Relaxed),
        };
        let sample = Sample {
            succeeded: total.succeeded - self.compared.succeeded,
            failed: total.failed - self.compared.failed,
        };
        self.compared = total;
        sample
    }

    /// An interval without an ejection makes the next one shorter, as in Envoy.
    fn forgive(&self) {
        let vitals = self.seat.vitals();
        if vitals.gate.standing() == Standing::Admitted {
            let fewer = |times: u32| times.checked_sub(1);
            let _ = vitals.rare.ejections.fetch_update(Relaxed, Relaxed, fewer);
        }
    }
}
