//! Where one signal goes: the general settings and those of the signal, put together and checked.
use super::{OtlpConfig, Protocol};
use crate::secret::{Secret, SecretRef};
use http::{
    HeaderName, HeaderValue, Uri,
    uri::{Authority, PathAndQuery, Scheme},
};
use std::{collections::HashMap, fmt, time::Duration};

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Metrics,
}

/// Where one signal goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) signal: Signal,
    pub(super) protocol: Protocol,
    /// In full.
    pub(super) uri: Uri,
    pub(super) headers: HashMap<HeaderName, Header>,
    pub(super) timeout: Duration,
    pub(super) export_timeout: Duration,
}

#[derive(Clone, Debug)]
pub(super) enum Header {
    Plain(HeaderValue),
    Secret(SecretRef),
}

/// What is wrong with an endpoint or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The key within its section.
    pub(super) key: String,
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

/// Set by the exporter itself.
const RESERVED: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "grpc-timeout",
];

// === impl Signal ===

impl Signal {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }

    fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
        }
    }

    fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        }
    }
}

// === impl Target ===

impl Target {
    /// Puts the settings of `signal` together.
    ///
    /// # Errors
    /// The first fault; `OtlpConfig::problems` finds all.
    pub(super) fn new(config: &OtlpConfig, signal: Signal) -> Result<Self, Fault> {
        let (own_endpoint, protocol, timeout, export_timeout) = match signal {
            Signal::Traces => {
                let traces = &config.traces;
                (
                    &traces.endpoint,
                    traces.protocol,
                    traces.timeout,
                    traces.export_timeout,
                )
            }
            Signal::Metrics => {
                let metrics = &config.metrics;
                let at_most = metrics.export_timeout.min(metrics.interval);
                (
                    &metrics.endpoint,
                    metrics.protocol,
                    metrics.timeout,
                    at_most,
                )
            }
        };
        let protocol = protocol.unwrap_or(config.protocol);
        let uri = match (own_endpoint, &config.endpoint) {
            (Some(own), _) => {
                uri(own, protocol, signal, false).map_err(|fault| fault.below(signal.as_str()))?
            }
            (None, Some(general)) => uri(general, protocol, signal, true)?,
            (None, None) => uri(default_endpoint(protocol), protocol, signal, true)?,
        };
        Ok(Self {
            signal,
            protocol,
            uri,
            headers: headers(config, signal)?,
            timeout: timeout.unwrap_or(config.timeout),
            export_timeout,
        })
    }

    /// The endpoint for people: without user, password and query.
    pub(super) fn endpoint(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("http");
        let host = self.uri.host().unwrap_or_default();
        let port = self
            .uri
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let path = match self.protocol {
            Protocol::HttpProtobuf => self.uri.path(),
            Protocol::Grpc => "",
        };
        format!("{scheme}://{host}{port}{path}")
    }
}

fn default_endpoint(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::HttpProtobuf => "http://localhost:4318",
        Protocol::Grpc => "http://localhost:4317",
    }
}

/// The address of the requests. A `base` gets the path of its signal with HTTP; with gRPC the path is never the user's.
pub(super) fn uri(
    endpoint: &str,
    protocol: Protocol,
    signal: Signal,
    base: bool,
) -> Result<Uri, Fault> {
    let fault = |what: &str, remedy| Fault {
        key: "endpoint".to_owned(),
        what: what.to_owned(),
        remedy,
    };
    const FORM: &str = "write `http://<host>:<port>`, for example `http://otel-collector:4318`";
    let full = if endpoint.contains("://") {
        endpoint.to_owned()
    } else {
        format!("http://{endpoint}")
    };
    let parsed: Uri = full.parse().map_err(|_| fault("is not an address", FORM))?;
    match parsed.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(fault(
                "asks for TLS, which this exporter does not speak",
                "point it at a Collector nearby with `http://` and let that speak TLS to the outside",
            ));
        }
        _ => return Err(fault("has a scheme other than `http`", FORM)),
    }
    let authority = parsed
        .authority()
        .filter(|authority| !authority.host().is_empty())
        .ok_or_else(|| fault("names no host", FORM))?;
    if authority.as_str().contains('@') {
        return Err(fault(
            "holds a user or a password",
            "put the credentials under `secret_headers`, as `authorization`",
        ));
    }
    let path = match protocol {
        Protocol::Grpc => signal.grpc_path().to_owned(),
        Protocol::HttpProtobuf if base => {
            format!(
                "{}{}",
                parsed.path().trim_end_matches('/'),
                signal.http_path()
            )
        }
        Protocol::HttpProtobuf => parsed
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string),
    };
    join(authority, &path).ok_or_else(|| fault("is not an address", FORM))
}

fn join(authority: &Authority, path: &str) -> Option<Uri> {
    Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(authority.clone())
        .path_and_query(path.parse::<PathAndQuery>().ok()?)
        .build()
        .ok()
}

/// The signal's headers replace general ones of the same name; secrets replace plain ones; the environment's replace all.
fn headers(config: &OtlpConfig, signal: Signal) -> Result<HashMap<HeaderName, Header>, Fault> {
    let (own, own_secret, own_env) = match signal {
        Signal::Traces => (
            &config.traces.headers,
            &config.traces.secret_headers,
            &config.env_headers.traces,
        ),
        Signal::Metrics => (
            &config.metrics.headers,
            &config.metrics.secret_headers,
            &config.env_headers.metrics,
        ),
    };
    let mut all = HashMap::new();
    for (section, plain, secret) in [
        (None, &config.headers, &config.secret_headers),
        (Some(signal.as_str()), own, own_secret),
    ] {
        let below = |fault: Fault| match section {
            Some(section) => fault.below(section),
            None => fault,
        };
        for (name, value) in plain {
            let value = Secret::from(value.as_str());
            let (name, value) = plain_header("headers", name, &value).map_err(below)?;
            all.insert(name, Header::Plain(value));
        }
        for (name, reference) in secret {
            let name = header_name("secret_headers", name).map_err(below)?;
            all.insert(name, Header::Secret(reference.clone()));
        }
    }
    for (name, value) in config.env_headers.all.iter().chain(own_env) {
        let (name, value) = plain_header("headers", name, value)?;
        all.insert(name, Header::Plain(value));
    }
    Ok(all)
}

pub(super) fn header_name(section: &str, name: &str) -> Result<HeaderName, Fault> {
    let fault = |what: &str, remedy| Fault {
        key: format!("{section}.{name}"),
        what: what.to_owned(),
        remedy,
    };
    let parsed = HeaderName::try_from(name).map_err(|_| {
        fault(
            "is not the name of a header",
            "write letters, digits and `-` only",
        )
    })?;
    if RESERVED.contains(&parsed.as_str()) {
        return Err(fault("is set by the exporter itself", "remove it"));
    }
    Ok(parsed)
}

/// The value is never repeated in a fault.
pub(super) fn plain_header(
    section: &str,
    name: &str,
    value: &Secret,
) -> Result<(HeaderName, HeaderValue), Fault> {
    let header = header_name(section, name)?;
    let mut value = HeaderValue::from_bytes(value.expose()).map_err(|_| Fault {
        key: format!("{section}.{name}"),
        what: "has a value that no header may have".to_owned(),
        remedy: "remove line breaks and control characters",
    })?;
    value.set_sensitive(true);
    Ok((header, value))
}

// === impl Fault ===

impl Fault {
    pub(super) fn below(mut self, section: &str) -> Self {
        self.key = format!("{section}.{}", self.key);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.key, self.what, self.remedy)
    }
}
