//! The sections that every service has.
use crate::config::{Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `service`: what this process calls itself, in every log line, metric and span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ServiceConfig {
    /// `service.name`; empty means the name that the program was built with.
    pub name: String,
    /// `service.version`; empty means the version that the program was built with.
    pub version: String,
    /// `service.instance.id`, such as the name of the pod; empty means a random one.
    pub instance: String,
    /// `deployment.environment.name`, such as `production`.
    pub environment: String,
}

/// `runtime`: the threads of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RuntimeConfig {
    /// How many threads run tasks, 1 to 1024. Unset means the CPU limit of the cgroup, rounded up, or else the number of
    /// processors.
    pub workers: Option<usize>,
}

impl Section for ServiceConfig {}

impl Section for RuntimeConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if let Some(workers) = self.workers
            && !(1..=1024).contains(&workers)
        {
            check.problem(
                "workers",
                format!("{workers} threads"),
                "write a number from 1 to 1024, or leave it out to follow the CPU limit",
            );
        }
    }
}

impl RuntimeConfig {
    /// How many worker threads to start, given the CPU limit of the cgroup and the number of processors.
    #[must_use]
    pub fn workers(&self, cpu_limit: Option<f64>, processors: usize) -> usize {
        let limit = cpu_limit.filter(|limit| limit.is_finite() && *limit > 0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number of processors, and a cast from float saturates"
        )]
        let limit = limit.map(|limit| limit.ceil() as usize);
        self.workers
            .or(limit.map(|limit| limit.min(processors)))
            .unwrap_or(processors)
            .clamp(1, 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_follow_the_cpu_limit_unless_told() {
        for (told, limit, processors, expected) in [
            (None, None, 8, 8),
            (None, Some(2.0), 8, 2),
            (None, Some(1.5), 8, 2),
            (None, Some(0.1), 8, 1),
            (None, Some(16.0), 8, 8),
            (None, Some(f64::NAN), 8, 8),
            (Some(3), Some(1.0), 8, 3),
            (None, None, 0, 1),
        ] {
            let config = RuntimeConfig { workers: told };
            assert_eq!(
                config.workers(limit, processors),
                expected,
                "{told:?} {limit:?}"
            );
        }
    }
}
