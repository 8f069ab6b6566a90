//! The task that takes the readings.
use super::{Readings, ShedConfig, Shedder, source::System};
use std::{path::PathBuf, time::Duration};
use tokio::time::{Instant, sleep_until};

/// Takes readings for a [`Shedder`], one after another.
pub(super) struct Sampler {
    shedder: Shedder,
    system: System,
    /// The least lateness of a probe in this interval.
    least_delay: Option<Duration>,
    told: bool,
}

/// How often the delay of the executor is probed: five times in CoDel's interval.
const PROBE_EVERY: Duration = Duration::from_millis(20);
/// By so much a timer of tokio may be late on an idle executor.
const TIMER_STEP: Duration = Duration::from_millis(1);

// === impl Sampler ===

impl Sampler {
    pub(super) fn new(shedder: Shedder, root: PathBuf) -> Self {
        Self {
            shedder,
            system: System::new(root),
            least_delay: None,
            told: false,
        }
    }

    /// Runs for as long as it is polled.
    pub(super) async fn run(mut self) {
        let mut judged = Instant::now();
        // From here on there is a time to compare with.
        let _ = self.system.cpu(judged.into_std());
        loop {
            let config = self.shedder.config();
            let due = self.due(&config, judged);
            sleep_until(due).await;
            let now = Instant::now();
            self.probed(now.saturating_duration_since(due));
            if now >= judged + config.interval {
                judged = now;
                let readings = self.read(&config, now);
                self.shedder.update(&readings, now.into_std());
                self.tell(&config, &readings);
            }
        }
    }

    fn due(&self, config: &ShedConfig, judged: Instant) -> Instant {
        let end = judged + config.interval;
        match config.queue_delay.enabled {
            true => end.min(Instant::now() + PROBE_EVERY),
            false => end,
        }
    }

    fn probed(&mut self, late: Duration) {
        let late = late.saturating_sub(TIMER_STEP);
        let least = self.least_delay.unwrap_or(Duration::MAX);
        self.least_delay = Some(late.min(least));
    }

    fn read(&mut self, config: &ShedConfig, now: Instant) -> Readings {
        let probed = self.least_delay.take();
        let queued = self.shedder.take_queued();
        Readings {
            cpu: self.system.cpu(now.into_std()),
            memory: match config.memory.enabled {
                true => self.system.memory(config.memory.threshold),
                false => None,
            },
            queue_delay: probed.max(queued),
        }
    }

    /// Says once what cannot be read.
    fn tell(&mut self, config: &ShedConfig, readings: &Readings) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        if config.memory.enabled && readings.memory.is_none() {
            tracing::info!(
                "no load is shed on memory: the control group has no limit that can be read"
            );
        }
        if config.cpu.enabled && readings.cpu.is_none() {
            tracing::info!("no load is shed on CPU time: it cannot be read");
        }
    }
}
