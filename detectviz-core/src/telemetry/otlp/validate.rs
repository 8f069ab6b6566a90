//! What makes a configuration unusable.
use super::{
    OtlpConfig, Protocol,
    target::{Fault, Signal, header_name, plain_header, uri},
};
use crate::{
    config::{Checker, Section},
    secret::Secret,
};
use std::{collections::BTreeMap, time::Duration};

impl Section for OtlpConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (key, what, remedy) in self.problems() {
            check.problem(&key, what, remedy);
        }
    }
}

impl OtlpConfig {
    /// Everything that is wrong: the key below this section, what is wrong with it, and what to write instead.
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String, String)> {
        let mut faults = Vec::new();
        self.check_targets(&mut faults);
        self.check_numbers(&mut faults);
        faults
            .into_iter()
            .map(|fault| (fault.key, fault.what, fault.remedy.to_owned()))
            .collect()
    }

    fn check_targets(&self, faults: &mut Vec<Fault>) {
        if let Some(endpoint) = &self.endpoint {
            faults.extend(uri(endpoint, self.protocol, Signal::Traces, true).err());
        }
        check_headers(&self.headers, self.secret_headers.keys(), None, faults);
        let (traces, metrics) = (&self.traces, &self.metrics);
        for (signal, endpoint, protocol, headers, secret) in [
            (
                Signal::Traces,
                &traces.endpoint,
                traces.protocol,
                &traces.headers,
                &traces.secret_headers,
            ),
            (
                Signal::Metrics,
                &metrics.endpoint,
                metrics.protocol,
                &metrics.headers,
                &metrics.secret_headers,
            ),
        ] {
            let section = signal.as_str();
            if let Some(endpoint) = endpoint {
                let protocol: Protocol = protocol.unwrap_or(self.protocol);
                let fault = uri(endpoint, protocol, signal, false).err();
                faults.extend(fault.map(|fault| fault.below(section)));
            }
            check_headers(headers, secret.keys(), Some(section), faults);
        }
        let env = &self.env_headers;
        for (name, value) in env.all.iter().chain(&env.traces).chain(&env.metrics) {
            faults.extend(plain_header("headers", name, value).err());
        }
    }

    fn check_numbers(&self, faults: &mut Vec<Fault>) {
        let mut fault = |key: &str, what: &str, remedy| {
            faults.push(Fault {
                key: key.to_owned(),
                what: what.to_owned(),
                remedy,
            });
        };
        let (retry, traces, metrics) = (&self.retry, &self.traces, &self.metrics);
        for (key, value) in [
            ("timeout", Some(self.timeout)),
            ("retry.initial", Some(retry.initial)),
            ("traces.timeout", traces.timeout),
            ("traces.schedule_delay", Some(traces.schedule_delay)),
            ("traces.export_timeout", Some(traces.export_timeout)),
            ("metrics.timeout", metrics.timeout),
            ("metrics.interval", Some(metrics.interval)),
            ("metrics.export_timeout", Some(metrics.export_timeout)),
        ] {
            if value.is_some_and(|value| value.is_zero()) {
                fault(key, "is zero", "write a time, such as `10s`");
            } else if value.is_some_and(|value| value > DAY) {
                fault(
                    key,
                    "is longer than a day",
                    "write a shorter time, such as `10s`",
                );
            }
        }
        if retry.max < retry.initial {
            fault(
                "retry.max",
                "is shorter than `retry.initial`",
                "make it at least as long",
            );
        }
        if !(0.0..=1.0).contains(&traces.ratio) {
            fault(
                "traces.ratio",
                "is no share",
                "write a number from 0.0 to 1.0",
            );
        }
        if traces.queue < 2 || traces.queue > MOST {
            fault(
                "traces.queue",
                "is out of range",
                "write a number from 2 to 1000000, such as 2048",
            );
        }
        if traces.batch == 0 || traces.batch > traces.queue {
            fault(
                "traces.batch",
                "does not fit the queue",
                "write a number from 1 to `traces.queue`",
            );
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);
const MOST: usize = 1_000_000;

fn check_headers<'a>(
    plain: &BTreeMap<String, String>,
    secret: impl Iterator<Item = &'a String>,
    section: Option<&str>,
    faults: &mut Vec<Fault>,
) {
    let plain = plain.iter().filter_map(|(name, value)| {
        plain_header("headers", name, &Secret::from(value.as_str())).err()
    });
    let secret = secret.filter_map(|name| header_name("secret_headers", name).err());
    faults.extend(plain.chain(secret).map(|fault| match section {
        Some(section) => fault.below(section),
        None => fault,
    }));
}
