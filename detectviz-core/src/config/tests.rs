//! Behaviour of the configuration as a whole.
use super::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

mod files;
mod hostile;
mod layers;
mod report;
mod schemas;
mod strict;
mod watched;

/// A section with one of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Shop {
    name: String,
    port: u16,
    ratio: f64,
    open: bool,
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    #[schemars(extend("x-reload" = "live"))]
    grace: Duration,
    limit: ByteSize,
    mode: Mode,
    tags: Vec<String>,
    labels: BTreeMap<String, String>,
    tls: Option<Tls>,
    upstreams: Vec<Upstream>,
    password: Option<crate::secret::SecretRef>,
    token: String,
    #[schemars(extend("x-reload" = "live"))]
    levels: BTreeMap<String, Mode>,
    offset: i8,
    workers: std::num::NonZeroU16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    Fast,
    Slow,
    InBetween,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Tls {
    cert: String,
    key_file: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Upstream {
    host: String,
    port: u16,
}

/// Keys with dashes, as a kebab-case type has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Dashed {
    header_timeout: u16,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            name: "shop".to_owned(),
            port: 8080,
            ratio: 0.5,
            open: true,
            grace: Duration::from_secs(28),
            limit: ByteSize(1024),
            mode: Mode::Fast,
            tags: vec![],
            labels: BTreeMap::new(),
            tls: None,
            upstreams: vec![],
            password: None,
            token: String::new(),
            levels: BTreeMap::new(),
            offset: 0,
            workers: std::num::NonZeroU16::MIN,
        }
    }
}

impl Section for Dashed {}

impl Section for Tls {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.cert.is_empty() != self.key_file.is_empty() {
            check.problem(
                "key_file",
                "a certificate and its key come together",
                "set both, or none",
            );
        }
    }
}

impl Section for Shop {
    fn validate(&self, check: &mut Checker<'_>) {
        if self.grace > Duration::from_secs(3600) {
            check.problem("grace", "it is longer than an hour", "write at most `1h`");
        }
        if let Some(tls) = &self.tls {
            check.nested("tls", tls);
        }
        for (at, upstream) in self.upstreams.iter().enumerate() {
            if upstream.host.is_empty() {
                check.problem(
                    &format!("upstreams[{at}].host"),
                    "it is empty",
                    "write a host",
                );
            }
        }
    }
}

/// Loads `yaml` with `shop` as its only section.
fn shop(sources: &Sources) -> Result<(Shop, Effective), Problems> {
    let mut loaded = load(sources)?;
    let shop = loaded.section("shop");
    loaded.finish().map(|effective| (shop, effective))
}

fn app(yaml: &str) -> Sources {
    Sources::new().embedded_app("app.yaml", yaml)
}

fn vars<const N: usize>(vars: [(&str, &str); N]) -> Vec<(String, String)> {
    vars.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// The problems as text, one a line, without the `embedded app.yaml`.
fn told<T: std::fmt::Debug>(result: Result<T, Problems>) -> String {
    result
        .expect_err("has problems")
        .to_string()
        .replace("embedded app.yaml", "app")
}
