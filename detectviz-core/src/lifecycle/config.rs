//! How much time the end of a service may take, and who gets how much of it.
use crate::config::show_duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The budget from the signal to the exit of the process, and its shares.
///
/// The shares together fit into `grace`. Time that one step leaves over goes to the steps after it, except that the
/// pre-stop time is always waited for in full and that flushing never takes more than its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ShutdownConfig {
    /// From the signal to the exit; the process ends at most 1s later in every case. The default fits Kubernetes'
    /// `terminationGracePeriodSeconds` of 30.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub grace: Duration,
    /// How long new work is still accepted after the signal, so that every load balancer learns of it first. Unset, it is
    /// 5s in Kubernetes and nothing elsewhere; write `0s` where the manifest already has a `preStop` sleep.
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::config::DurationText>")]
    pub pre_stop: Option<Duration>,
    /// How long accepted work may take to finish.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub drain: Duration,
    /// How long all shutdown hooks together may take; each also has a timeout of its own.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub hooks: Duration,
    /// How long parts may take to release what they hold, such as pools.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub stop: Duration,
    /// How long sending the last logs, spans and metrics may take.
    #[serde(with = "crate::config::duration")]
    #[schemars(with = "crate::config::DurationText")]
    pub flush: Duration,
}

/// The pre-stop time in Kubernetes where none is configured: endpoint changes reach kube-proxies and ingress
/// controllers within a few seconds.
const KUBERNETES_PRE_STOP: Duration = Duration::from_secs(5);

/// A duration that may be left out.
mod optional {
    use crate::config::duration;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Wrapped(#[serde(with = "duration")] Duration);

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => duration::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(value)| value))
    }
}

// === impl ShutdownConfig ===

impl ShutdownConfig {
    /// The pre-stop time that applies.
    #[must_use]
    pub fn pre_stop(&self, in_kubernetes: bool) -> Duration {
        match self.pre_stop {
            Some(configured) => configured,
            None if in_kubernetes => KUBERNETES_PRE_STOP,
            None => Duration::ZERO,
        }
    }

    /// What is wrong: the key, what about it, and what to write instead. The same in Kubernetes and elsewhere, so that a
    /// config which passes on a desk passes in the cluster.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String, String)> {
        let mut problems = Vec::new();
        let pre_stop = self.pre_stop(true);
        let shares = [pre_stop, self.drain, self.hooks, self.stop, self.flush];
        let sum = shares
            .iter()
            .try_fold(Duration::ZERO, |sum, share| sum.checked_add(*share));
        let sum = sum.unwrap_or(Duration::MAX);
        if sum > self.grace {
            let [pre_stop, drain, hooks, stop, flush] = shares.map(show_duration);
            problems.push((
                "grace",
                format!(
                    "is {}, but pre_stop {pre_stop} + drain {drain} + hooks {hooks} + stop {stop} + flush {flush} take {}",
                    show_duration(self.grace),
                    show_duration(sum),
                ),
                format!(
                    "shorten a share, or raise grace to `{}` and terminationGracePeriodSeconds with it",
                    show_duration(sum)
                ),
            ));
        }
        problems
    }
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(28),
            pre_stop: None,
            drain: Duration::from_secs(15),
            hooks: Duration::from_secs(4),
            stop: Duration::from_secs(2),
            flush: Duration::from_secs(2),
        }
    }
}
