//! What runs, as the labels of a metric.
use super::{Desc, Kind, Registry, Unit};
use crate::names;

static BUILD_INFO: Desc = Desc {
    name: names::BUILD_INFO,
    help: "What runs: the version of detectviz, the service and its version. Always 1.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &["version", "service", "service_version"],
    buckets: &[],
};

/// Adds a metric to `registry` that is always 1 and names the service and its version.
///
/// # Panics
/// When the name is taken by another description.
pub fn register(registry: &Registry, service: &str, service_version: &str) {
    let version = env!("CARGO_PKG_VERSION");
    let family = registry.gauge(&BUILD_INFO);
    family.with(&[version, service, service_version]).set(1.0);
}
