//! The standard `OTEL_*` variables, read by a pure function from a lookup that the caller gives.
use super::OtlpConfig;
use crate::{config::show_duration, secret::Secret};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, time::Duration};

/// What the `OTEL_*` variables say.
///
/// # Precedence
/// Defaults < files < profile < `OTEL_*` < `DETECTVIZ__…` < flags: the variables are a layer of their own above the files,
/// because whoever deploys sets them for all services alike, and below what is meant for this service alone.
/// [`values`](Self::values) is that layer, in paths of [`OtlpConfig`]. An empty variable counts as unset. One that cannot be
/// understood is among the [`problems`](Self::problems): a [runtime](crate::runtime) refuses to start with one, as with any
/// wrong configuration; whoever reads the variables alone may ignore it, as OpenTelemetry specifies.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OtelVars {
    /// What is set, in paths of [`OtlpConfig`].
    pub values: Vec<OtelValue>,
    /// `OTEL_EXPORTER_OTLP_HEADERS` and its kin.
    pub headers: OtelHeaders,
    /// `OTEL_SERVICE_NAME`, else `service.name` of `OTEL_RESOURCE_ATTRIBUTES`.
    pub service_name: Option<String>,
    /// `OTEL_RESOURCE_ATTRIBUTES` without `service.name`.
    pub resource_attributes: BTreeMap<String, String>,
    /// `OTEL_PROPAGATORS`, in order and each once; empty for `none`.
    pub propagators: Option<Vec<String>>,
    /// What could not be understood.
    pub problems: Vec<OtelProblem>,
}

/// One setting that a variable makes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OtelValue {
    /// The key within [`OtlpConfig`], such as `traces.ratio`.
    pub path: &'static str,
    /// The value, as a file would hold it.
    pub value: Value,
    /// The variable that says so.
    pub variable: &'static str,
}

/// Headers from the environment, where secrets are common: all values are held as such.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OtelHeaders {
    /// For every signal.
    pub all: BTreeMap<String, Secret>,
    /// For spans, in addition.
    pub traces: BTreeMap<String, Secret>,
    /// For metrics, in addition.
    pub metrics: BTreeMap<String, Secret>,
}

/// A variable that could not be understood. Does not repeat the value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtelProblem {
    /// Which variable.
    pub variable: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub remedy: &'static str,
}

const PROPAGATORS: [&str; 5] = ["tracecontext", "baggage", "b3", "b3multi", "jaeger"];

const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

const LIST: &str = "write `key=value` pairs with commas between them";

/// Reads the `OTEL_*` variables through `lookup`, which gives the value of a variable by name.
#[must_use]
pub fn otel_env(lookup: impl Fn(&str) -> Option<String>) -> OtelVars {
    let mut reader = Reader {
        lookup: &|name| lookup(name).filter(|value| !value.trim().is_empty()),
        vars: OtelVars::default(),
    };
    reader.exporter();
    reader.processors();
    reader.resource();
    reader.vars
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    vars: OtelVars,
}

// === impl Reader ===

impl Reader<'_> {
    fn exporter(&mut self) {
        const ENDPOINTS: [(&str, &str); 3] = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "endpoint"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces.endpoint"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "metrics.endpoint"),
        ];
        for (variable, path) in ENDPOINTS {
            if let Some(endpoint) = self.text(variable) {
                self.set(variable, "enabled", json!(true));
                self.set(variable, path, json!(endpoint));
            }
        }
        for (variable, path) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "protocol"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "traces.protocol"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "metrics.protocol"),
        ] {
            self.word(
                variable,
                path,
                &["grpc", "http/protobuf"],
                "write `grpc` or `http/protobuf`",
            );
        }
        for (variable, path) in [
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "timeout"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "traces.timeout"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "metrics.timeout"),
        ] {
            self.millis(variable, path);
        }
        self.vars.headers = OtelHeaders {
            all: self.headers("OTEL_EXPORTER_OTLP_HEADERS"),
            traces: self.headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
            metrics: self.headers("OTEL_EXPORTER_OTLP_METRICS_HEADERS"),
        };
        for variable in [
            "OTEL_EXPORTER_OTLP_COMPRESSION",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
        ] {
            if self.text(variable).is_some_and(|value| value != "none") {
                self.problem(
                    variable,
                    "asks for compression, which this exporter does not do",
                    "write `none`",
                );
            }
        }
        for (variable, path) in [
            ("OTEL_TRACES_EXPORTER", "traces.enabled"),
            ("OTEL_METRICS_EXPORTER", "metrics.enabled"),
        ] {
            let Some(value) = self.text(variable) else {
                continue;
            };
            let names = value.split(',').map(str::trim).collect::<Vec<_>>();
            let otlp = names.contains(&"otlp");
            if otlp {
                self.set(variable, "enabled", json!(true));
            }
            // `prometheus` needs no exporter: `/metrics` is always there.
            let known = |name: &&str| ["otlp", "none", "prometheus"].contains(name);
            if names.iter().all(known) {
                self.set(variable, path, json!(otlp));
            } else {
                self.problem(
                    variable,
                    "names an exporter that is not here",
                    "write `otlp` or `none`",
                );
            }
        }
        if let Some(disabled) = self.boolean("OTEL_SDK_DISABLED")
            && disabled
        {
            self.set("OTEL_SDK_DISABLED", "enabled", json!(false));
        }
    }

    fn processors(&mut self) {
        const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
        const ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
        self.word(
            SAMPLER,
            "traces.sampler",
            &SAMPLERS,
            "write one of OpenTelemetry's samplers, such as `parentbased_traceidratio`",
        );
        if let Some(arg) = self.text(ARG) {
            match arg.trim().parse::<f64>() {
                Ok(ratio) if (0.0..=1.0).contains(&ratio) => {
                    self.set(ARG, "traces.ratio", json!(ratio));
                }
                _ => self.problem(ARG, "is no share", "write a number from 0.0 to 1.0"),
            }
        }
        for (variable, path) in [
            ("OTEL_BSP_SCHEDULE_DELAY", "traces.schedule_delay"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "traces.export_timeout"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "metrics.interval"),
            ("OTEL_METRIC_EXPORT_TIMEOUT", "metrics.export_timeout"),
        ] {
            self.millis(variable, path);
        }
        for (variable, path) in [
            ("OTEL_BSP_MAX_QUEUE_SIZE", "traces.queue"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "traces.batch"),
        ] {
            if let Some(number) = self.number(variable) {
                self.set(variable, path, json!(number));
            }
        }
    }

    fn resource(&mut self) {
        const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
        if let Some(text) = self.text(RESOURCE) {
            match pairs(&text) {
                Some(pairs) => self.vars.resource_attributes.extend(pairs),
                None => self.problem(RESOURCE, "is not a list of attributes", LIST),
            }
        }
        let named = self.vars.resource_attributes.remove("service.name");
        self.vars.service_name = self.text("OTEL_SERVICE_NAME").or(named);
        const PROPAGATION: &str = "OTEL_PROPAGATORS";
        if let Some(text) = self.text(PROPAGATION) {
            let mut chosen = Vec::new();
            for name in text.split(',').map(str::trim) {
                if PROPAGATORS.contains(&name) && !chosen.iter().any(|known| known == name) {
                    chosen.push(name.to_owned());
                } else if !PROPAGATORS.contains(&name) && name != "none" {
                    self.problem(
                        PROPAGATION,
                        &format!("names `{name}`, which is no propagator"),
                        "write some of tracecontext, baggage, b3, b3multi, jaeger with commas between them, or `none`",
                    );
                }
            }
            self.vars.propagators = Some(chosen);
        }
    }

    fn text(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).map(|value| value.trim().to_owned())
    }

    fn set(&mut self, variable: &'static str, path: &'static str, value: Value) {
        self.vars.values.retain(|known| known.path != path);
        self.vars.values.push(OtelValue {
            path,
            value,
            variable,
        });
    }

    fn problem(&mut self, variable: &'static str, what: &str, remedy: &'static str) {
        self.vars.problems.push(OtelProblem {
            variable,
            what: what.to_owned(),
            remedy,
        });
    }

    fn word(
        &mut self,
        variable: &'static str,
        path: &'static str,
        known: &[&str],
        remedy: &'static str,
    ) {
        let Some(value) = self.text(variable) else {
            return;
        };
        if known.contains(&value.as_str()) {
            self.set(variable, path, json!(value));
        } else {
            self.problem(
                variable,
                &format!("is `{value}`, which is not known here"),
                remedy,
            );
        }
    }

    fn number(&mut self, variable: &'static str) -> Option<u64> {
        let parsed = self.text(variable)?.parse();
        if parsed.is_err() {
            self.problem(variable, "is not a whole number", "write digits only");
        }
        parsed.ok()
    }

    fn millis(&mut self, variable: &'static str, path: &'static str) {
        if let Some(number) = self.number(variable) {
            let text = show_duration(Duration::from_millis(number));
            self.set(variable, path, json!(text));
        }
    }

    fn boolean(&mut self, variable: &'static str) -> Option<bool> {
        let value = self.text(variable)?.to_ascii_lowercase();
        match value.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.problem(
                    variable,
                    "is neither `true` nor `false`",
                    "write `true` or `false`",
                );
                None
            }
        }
    }

    fn headers(&mut self, variable: &'static str) -> BTreeMap<String, Secret> {
        let Some(text) = self.text(variable) else {
            return BTreeMap::new();
        };
        let Some(pairs) = pairs(&text) else {
            self.problem(variable, "is not a list of headers", LIST);
            return BTreeMap::new();
        };
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), Secret::from(value)))
            .collect()
    }
}

/// A list in the format of W3C Baggage: `key=value,key=value`, percent-encoded.
fn pairs(text: &str) -> Option<BTreeMap<String, String>> {
    text.split(',')
        .filter(|pair| !pair.trim().is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = key.trim();
            (!key.is_empty()).then_some((decoded(key)?, decoded(value.trim())?))
        })
        .collect()
}

/// Undoes percent-encoding; `None` when the result is not UTF-8. A `%` without two digits stands for itself.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(out).ok()
}

// === impl OtlpConfig ===

impl OtlpConfig {
    /// Lays what the variables say over this configuration, and hands back what could not be understood.
    ///
    /// For a service without our configuration files; the loader uses [`OtelVars::values`] as a layer.
    #[must_use]
    pub fn with_otel_vars(self, vars: &OtelVars) -> (Self, Vec<OtelProblem>) {
        let mut problems = vars.problems.clone();
        let mut tree = json!(self);
        for OtelValue { path, value, .. } in &vars.values {
            let pointer = format!("/{}", path.replace('.', "/"));
            if let Some(place) = tree.pointer_mut(&pointer) {
                *place = value.clone();
            }
        }
        let mut config = serde_json::from_value(tree).unwrap_or_else(|err| {
            problems.push(OtelProblem {
                variable: "OTEL_*",
                what: format!("cannot be laid over the configuration: {err}"),
                remedy: "correct the variable",
            });
            self
        });
        config.env_headers = vars.headers.clone();
        config.resource.extend(vars.resource_attributes.clone());
        (config, problems)
    }
}

// === impl OtelProblem ===

impl fmt::Display for OtelProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.variable, self.what, self.remedy)
    }
}
