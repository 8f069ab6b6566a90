//! What a user may set.
use super::Http2Config;
#[cfg(feature = "tls")]
use super::TlsConfig;
use crate::{probe::ProbeConfig, stack::StackConfig};
use detectviz_core::config::{ByteSize, Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The address to listen on.
    pub address: IpAddr,
    /// The port to listen on; 0 lets the system choose one.
    pub port: u16,
    /// How many connections may be open at a time, long-lived ones included.
    pub max_connections: u32,
    /// How many connections beyond `max_connections` are accepted to answer probes, and nothing else.
    pub probe_reserve: u32,
    /// How long a request head may take from its first byte to its last, and a new connection until its first byte.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub header_timeout: Duration,
    /// How many headers a request may have; more are answered with 431.
    pub max_headers: u32,
    /// How large a request head may be, its first line included; more is answered with 431.
    pub max_header_size: ByteSize,
    /// How long a request target may be; more is answered with 414.
    pub max_uri: ByteSize,
    /// How long a connection may stay open without a request.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub idle_timeout: Duration,
    /// How large a request body may be; more is answered with 413. A route may lower it.
    pub max_body: ByteSize,
    /// How long a request body may make no progress while the handler waits for it (answered with 408), and a client may
    /// take nothing of a response that waits for it (the connection is cut).
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub progress_timeout: Duration,
    /// What a request body must bring per second on average, once the handler has waited for it for longer than
    /// `progress_timeout` in all; `0` asks for nothing. The default is that of ASP.NET's Kestrel.
    pub min_body_rate: ByteSize,
    /// How old a connection may grow before its client is asked to make a new one, so that clients spread over new
    /// instances; `0s` for no limit. It varies by a tenth.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub max_connection_age: Duration,
    /// How long requests on a connection that is too old may still take before it is cut; `0s` lets them finish.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub max_connection_age_grace: Duration,
    /// How long a drain keeps silent connections open, because a request may be on its way, and half of what a request
    /// head may take then; never more than a quarter of the time that is left.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub linger: Duration,
    /// HTTP/2.
    pub http2: Http2Config,
    /// TLS.
    #[cfg(feature = "tls")]
    pub tls: TlsConfig,
    /// Which paths are probes; for the kind `http-server`, as are the next two.
    pub probes: ProbeConfig,
    /// How requests are traced, measured and logged.
    pub layers: StackConfig,
    /// Whether `/metrics` answers here too, and not only on the admin port.
    pub metrics: bool,
}

/// hyper keeps the heads of up to this many headers on the stack.
const MIN_HEADER_SIZE: u64 = 8 * 1024;

// === impl ServerConfig ===

impl Section for ServerConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (key, what, remedy) in self.problems() {
            check.problem(key, what, remedy);
        }
        check.nested("probes", &self.probes);
        check.nested("layers", &self.layers);
    }
}

impl ServerConfig {
    /// What is wrong: the key, what about it, and what to write instead.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String, String)> {
        let mut problems = Vec::new();
        let mut problem = |key, what: &str, remedy: &str| {
            problems.push((key, what.to_owned(), remedy.to_owned()))
        };
        if self.max_connections == 0 {
            problem("max_connections", "lets nobody in", "write at least 1");
        }
        if self.max_headers == 0 {
            problem(
                "max_headers",
                "refuses every request",
                "write at least 1, such as 100",
            );
        }
        if self.max_header_size.0 < MIN_HEADER_SIZE || self.max_header_size.0 > 1 << 20 {
            problem(
                "max_header_size",
                "is not between 8KiB and 1MiB",
                "write a size in between, such as `32KiB`",
            );
        }
        if self.max_uri.0 == 0 || self.max_uri > self.max_header_size {
            problem(
                "max_uri",
                "is 0 or more than max_header_size",
                "write a size in between, such as `8KiB`",
            );
        }
        for (key, value) in [
            ("header_timeout", self.header_timeout),
            ("idle_timeout", self.idle_timeout),
            ("progress_timeout", self.progress_timeout),
        ] {
            if value.is_zero() {
                problem(
                    key,
                    "closes every connection at once",
                    "write a longer time, such as `30s`",
                );
            }
        }
        problems.extend(self.http2.problems());
        #[cfg(feature = "tls")]
        problems.extend(self.tls.problems());
        problems
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 8080,
            max_connections: 10_000,
            probe_reserve: 32,
            header_timeout: Duration::from_secs(10),
            max_headers: 100,
            max_header_size: ByteSize(32 * 1024),
            max_uri: ByteSize(8 * 1024),
            idle_timeout: Duration::from_secs(75),
            max_body: ByteSize(2 * 1024 * 1024),
            progress_timeout: Duration::from_secs(30),
            min_body_rate: ByteSize(240),
            max_connection_age: Duration::from_secs(3_600),
            max_connection_age_grace: Duration::ZERO,
            linger: Duration::from_secs(1),
            http2: Http2Config::default(),
            #[cfg(feature = "tls")]
            tls: TlsConfig::default(),
            probes: ProbeConfig::default(),
            layers: StackConfig::default(),
            metrics: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_every_mistake_is_named() {
        let sound = ServerConfig::default();
        assert_eq!(sound.problems(), []);
        type Change = fn(&mut ServerConfig);
        let changes: [(&str, Change); 8] = [
            ("max_connections", |config| config.max_connections = 0),
            ("max_headers", |config| config.max_headers = 0),
            ("max_header_size", |config| {
                config.max_header_size = ByteSize(2 << 20)
            }),
            ("max_uri", |config| config.max_uri = ByteSize(1 << 19)),
            ("idle_timeout", |config| {
                config.idle_timeout = Duration::ZERO
            }),
            ("http2.max_concurrent_streams", |config| {
                config.http2.max_concurrent_streams = 0
            }),
            ("http2.stream_window", |config| {
                config.http2.stream_window = ByteSize(1)
            }),
            ("http2.keep_alive_timeout", |config| {
                config.http2.keep_alive_timeout = Duration::ZERO
            }),
        ];
        for (key, change) in changes {
            let mut config = sound.clone();
            change(&mut config);
            let named = config.problems().into_iter().map(|(key, ..)| key);
            assert_eq!(named.collect::<Vec<_>>(), [key]);
        }
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let written = serde_json::to_value(ServerConfig::default()).unwrap();
        assert_eq!(written["header_timeout"], "10s");
        assert_eq!(written["max_body"], "2MiB");
        let read: ServerConfig = serde_json::from_value(written).unwrap();
        assert_eq!(read, ServerConfig::default());
        assert!(serde_json::from_str::<ServerConfig>(r#"{"prot": 1}"#).is_err());
    }
}
