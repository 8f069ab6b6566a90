//! Whose the CPU of this machine was.
use crate::Service;
use std::fs;

/// CPU time since the machine started, in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// Of all CPUs, idle or not.
    all: f64,
    /// What programs used, and what a hypervisor took away.
    used: f64,
    /// What this process and a service used of it.
    ours: f64,
}

// === impl Cpu ===

impl Cpu {
    /// Reads it.
    ///
    /// # Panics
    /// When `/proc` is not as Linux has it.
    #[must_use]
    pub fn read(service: &Service) -> Self {
        let stat = text("/proc/stat");
        // user nice system idle iowait irq softirq steal
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<f64> = numbers(line).take(8).collect();
        let [user, nice, system, .., steal] = ticks[..] else {
            panic!("{line}");
        };
        let of = |process: &str| {
            let stat = text(&format!("/proc/{process}/stat"));
            // The name, in brackets, may hold anything; utime and stime are the 12th and 13th after it.
            let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            numbers(rest).skip(10).take(2).sum::<f64>()
        };
        Self {
            all: ticks.iter().sum(),
            used: user + nice + system + steal,
            ours: of("self") + of(&service.id().to_string()),
        }
    }

    /// The share of all CPUs that others used since `before`, from 0 to 1.
    #[must_use]
    pub fn others_since(&self, before: &Self) -> f64 {
        let used = self.used - before.used - (self.ours - before.ours);
        (used / (self.all - before.all).max(1.0)).clamp(0.0, 1.0)
    }
}

fn numbers(text: &str) -> impl Iterator<Item = f64> {
    let words = text.split_ascii_whitespace();
    words.filter_map(|word| word.parse().ok())
}

#[expect(clippy::disallowed_methods, reason = "what the kernel says")]
fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|err| panic!("{path}: {err}"))
}
